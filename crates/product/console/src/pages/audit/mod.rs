//! The audit trail: who did what when, whether it is as it was written, and a copy to take along.

mod entry;
mod export;
mod group;
mod one;
pub(crate) mod page;
mod seal;

use std::collections::HashMap;

use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use chrono::{DateTime, NaiveDate, Utc};
use ephor_kernel::Problem;
use ephor_rest::ListRequest;
use ephor_store::{
    OrgTx,
    audit::{self, EntryFilter},
};
use uuid::Uuid;

#[cfg(test)]
pub(crate) use self::entry::sample as sample_entry;
pub(crate) use self::seal::standing;
use self::{page::AuditPage, seal::Verified};
use super::resource::{Action, Section, Step};
use crate::{
    ConsoleState,
    error::page,
    view::{Choice, Control, Field, Head, Html, Table, json},
    visit::{Answer, Visit},
};

pub(crate) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/audit", get(show))
        .route("/audit/verify", post(seal::verify))
        .route("/audit/export", get(export::export))
        .route("/audit/entries/{id}", get(one::show))
        .route("/audit/entries/{id}/proof", get(one::proof))
}

async fn show(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    trail(&state, &visit, None).await
}

/// The page; with what a verification just found.
async fn trail(
    state: &ConsoleState,
    visit: &Visit,
    verified: Option<Verified>,
) -> Result<Response, ephor_rest::ApiError> {
    visit.scope.require("audit", "read")?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let members = members(state, visit, &mut tx).await?;
    let mut filter = filter(&visit.query);
    let together = filter.entity_type.is_none();
    let mut found = audit::entry_list(&mut tx, &filter).await?;
    while found.entries.len() < MOST_READ
        && found.next.is_some()
        && group::lines(&found.entries, LINES, together).0.len() < LINES
    {
        filter.cursor = found.next;
        let more = audit::entry_list(&mut tx, &filter).await?;
        found.entries.extend(more.entries);
        found.next = more.next;
    }
    let status = audit::status(&mut tx).await?;
    let (lines, shown) = group::lines(&found.entries, LINES, together);
    let ids: Vec<_> = lines.iter().filter_map(group::Line::only).collect();
    let places = audit::places(&mut tx, &ids).await?;
    tx.commit().await?;
    // A page ends where its lines end; what was read beyond is read again by the next.
    let next = match found.entries.get(shown.wrapping_sub(1)) {
        Some(last) if shown < found.entries.len() => Some(last.id),
        _ => found.next,
    };
    let names: HashMap<Uuid, &str> =
        members.iter().map(|(id, name)| (*id, name.as_str())).collect();
    let frame = visit.frame("Audit trail", "/audit");
    let steps = visit
        .may("audit", "verify")
        .then(|| Step::new("Verify now", "/audit/verify", "seal", &frame));
    let actions =
        visit.may("audit", "export").then(|| Action::new("Export", "/audit/export", "download"));
    let kept = visit.query.clone().without("cursor").without("done");
    let address = |query: &ListRequest| {
        let query = query.to_query();
        if query.is_empty() { "/audit".to_owned() } else { format!("/audit?{query}") }
    };
    Ok(page(&AuditPage {
        frame,
        seal: seal::view(&status, verified),
        steps: steps.into_iter().collect(),
        actions: actions.into_iter().collect(),
        filters: filters(state, &visit.query, &members),
        filtered: FILTERS.iter().any(|name| asked(&visit.query, name).is_some()),
        entries: lines.iter().map(|line| line.view(&names, &places)).collect(),
        first: asked(&visit.query, "cursor").map(|_| address(&kept)),
        next: next.map(|next| address(&kept.clone().with("cursor", next.to_string()))),
    }))
}

/// How many lines a page shows.
const LINES: usize = 50;
/// How many entries are read at once for them: one deed may be many entries, told in one line.
const READ: u16 = 500;
/// No more are read for a page, however few lines they make.
const MOST_READ: usize = 4_000;

/// What was done to one thing, for its page.
pub(crate) async fn history(
    tx: &mut OrgTx,
    people: &HashMap<Uuid, String>,
    entity_type: &str,
    id: Uuid,
) -> Result<Section, Problem> {
    let names: HashMap<Uuid, &str> = people.iter().map(|(id, name)| (*id, name.as_str())).collect();
    let filter = EntryFilter {
        entity_type: Some(entity_type.to_owned()),
        entity_id: Some(id),
        limit: Some(HISTORY),
        ..EntryFilter::default()
    };
    let found = audit::entry_list(tx, &filter).await?;
    let ids: Vec<_> = found.entries.iter().map(|one| one.id).collect();
    let places = audit::places(tx, &ids).await?;
    let rows = found
        .entries
        .iter()
        .map(|one| {
            let view = entry::view(one, &names, places.get(&one.id));
            vec![
                Html::of(&view.moment),
                Html::text(&view.actor),
                Html::link(&view.more, &view.action),
                Html::text(&view.summary),
                Html::of(&view.seal),
            ]
        })
        .collect();
    let heads = ["When", "Who", "Did", "What", "Seal"].map(Head::new).to_vec();
    Ok(Section {
        id: "history",
        title: "History".to_owned(),
        action: Some(Action::new("Before and after", format!("/audit?id={id}"), "audit")),
        table: Table { label: "What was done to it".to_owned(), heads, rows },
        empty: "Nothing yet.",
    })
}

/// How many deeds a thing's page tells of; the rest is in the trail.
const HISTORY: u16 = 10;

const FILTERS: [&str; 7] = ["q", "actor", "action", "entity", "id", "from", "to"];

fn asked<'a>(query: &'a ListRequest, name: &str) -> Option<&'a str> {
    query.get(name).map(str::trim).filter(|value| !value.is_empty())
}

fn filter(query: &ListRequest) -> EntryFilter {
    let day = |name: &str| -> Option<DateTime<Utc>> {
        let day: NaiveDate = asked(query, name)?.parse().ok()?;
        Some(day.and_hms_opt(0, 0, 0)?.and_utc())
    };
    EntryFilter {
        entity_type: asked(query, "entity").map(str::to_owned),
        entity_id: asked(query, "id").and_then(|id| id.parse().ok()),
        actor_id: asked(query, "actor").and_then(|id| id.parse().ok()),
        action: asked(query, "action").map(str::to_owned),
        from: day("from"),
        // The last day counts whole.
        to: day("to").and_then(|day| day.checked_add_days(chrono::Days::new(1))),
        text: asked(query, "q").map(str::to_owned),
        cursor: asked(query, "cursor").and_then(|id| id.parse().ok()),
        limit: Some(READ),
    }
}

fn filters(state: &ConsoleState, query: &ListRequest, members: &[(Uuid, String)]) -> Vec<Field> {
    let value = |name: &str| asked(query, name).unwrap_or_default().to_owned();
    let any = |label: &str| vec![Choice::new("", label)];
    let actors = any("Anybody")
        .into_iter()
        .chain(members.iter().map(|(id, name)| Choice::new(id.to_string(), name)))
        .chain(stranger(query, members))
        .collect();
    let actions = any("Anything")
        .into_iter()
        .chain(entry::ACTIONS.iter().map(|(word, verb)| Choice::new(*word, *verb)))
        .collect();
    // What is no resource of its own is told by the list; all else by its specification.
    let told = |table: &str| entry::ENTITIES.iter().any(|(known, _)| *known == table);
    let resources = state.engine.resources().filter_map(|resource| {
        let table = resource.table().qualified();
        (!told(&table)).then(|| Choice::new(table, resource.spec().singular()))
    });
    let entities = any("Anything")
        .into_iter()
        .chain(entry::ENTITIES.iter().map(|(table, noun)| Choice::new(*table, *noun)))
        .chain(resources)
        .collect();
    [
        Field::new("q", "Words").control(Control::Line("search")),
        Field::new("actor", "Who").select(actors),
        Field::new("action", "Did what").select(actions),
        Field::new("entity", "To what").select(entities),
        Field::new("id", "Id of the thing"),
        Field::new("from", "From").control(Control::Line("date")),
        Field::new("to", "To").control(Control::Line("date")),
    ]
    .map(|field| Field { value: value(&field.name), quiet: true, ..field })
    .to_vec()
}

/// Who is asked for and is no member (any more): Ephor itself, an operator, somebody who left.
fn stranger(query: &ListRequest, members: &[(Uuid, String)]) -> Option<Choice> {
    let id = asked(query, "actor")?;
    members.iter().all(|(member, _)| member.to_string() != id).then(|| Choice::plain(id))
}

/// The members' names, by their user's id.
pub(crate) async fn people(
    state: &ConsoleState,
    visit: &Visit,
    tx: &mut OrgTx,
) -> Result<HashMap<Uuid, String>, Problem> {
    Ok(members(state, visit, tx).await?.into_iter().collect())
}

/// The same, in order.
async fn members(
    state: &ConsoleState,
    visit: &Visit,
    tx: &mut OrgTx,
) -> Result<Vec<(Uuid, String)>, Problem> {
    if !visit.may("members", "read") {
        return Ok(Vec::new());
    }
    let request = ListRequest::new().fields(&["user_id", "full_name"]).limit(500);
    let page = state.engine.list(tx, "members", &request).await?;
    Ok(page
        .data
        .iter()
        .filter_map(|row| {
            Some((
                json::text(row, "user_id").parse().ok()?,
                json::text(row, "full_name").to_owned(),
            ))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_of_a_period_counts_whole() {
        let filter = filter(&ListRequest::from_query("from=2026-11-20&to=2026-11-21&actor="));
        let days = filter.to.zip(filter.from).map(|(to, from)| (to - from).num_days());
        assert_eq!(days, Some(2));
        assert!(filter.actor_id.is_none());
    }
}
