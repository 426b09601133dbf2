//! One row of any resource: its facts, its parts, and what was done to it.

use axum::extract::{Path, State};
use ephor_kernel::{Clock as _, Code, Problem, SystemClock};
use ephor_rest::{Column, ListRequest, Resource};
use ephor_store::OrgTx;
use serde_json::Value;
use uuid::Uuid;

use super::{
    super::{Action, DetailPage, Section, Step},
    caution, copied, known, named, offer, publish, told, watch,
};
use crate::{
    ConsoleState,
    error::page,
    pages::{audit, row_feed},
    view::{Badge, Head, Html, Table, format, json},
    visit::{Answer, Visit},
};

/// How many parts of a kind are shown; a last row leads to all of them when there are more.
const PARTS: u32 = 20;

/// `GET /resources/{path}/{id}`.
pub(super) async fn show(
    State(state): State<ConsoleState>,
    visit: Visit,
    Path((path, id)): Path<(String, Uuid)>,
) -> Answer {
    let resource = known(&state, &path)?;
    let spec = resource.spec();
    let request = ListRequest::new();
    let mut tx = state.engine.begin_read(&state.store, &visit.scope, &path, &request).await?;
    let row = state.engine.get(&mut tx, &path, id, &request).await?;
    let here = format!("/resources/{path}");
    let frame = visit.frame(json::called(&row), &here).crumb(format::label(spec.plural()), &here);
    let people = audit::people(&state, &visit, &mut tx).await?;
    // The title and the badge say these already, and everybody knows the organization.
    let told_below = (path == "monitors").then_some("last_result");
    let said = [named(resource), Some("status"), Some("organization_id"), told_below];
    let mut columns: Vec<&Column> =
        resource.columns().filter(|column| !said.contains(&Some(column.name.as_str()))).collect();
    // What the row is about comes first, how it is kept last.
    columns.sort_by_key(|column| KEPT.contains(&column.name.as_str()));
    let seen = resource.seen_with(visit.scope.permissions());
    let (mut facts, mut empty, mut withheld) = (Vec::new(), Vec::new(), Vec::new());
    for column in columns {
        if seen.columns().all(|one| one.name != column.name) {
            withheld.push(column.label());
            continue;
        }
        let value = row.get(&column.name).unwrap_or(&Value::Null);
        if value.is_null() {
            empty.push(column.label());
            continue;
        }
        let person = value.as_str().and_then(|id| people.get(&id.parse().ok()?));
        let cell = match person {
            Some(name) => Html::text(name),
            None => fact(&state, &visit, &mut tx, resource, column, value).await?,
        };
        facts.push((column.label(), cell));
    }
    // A field of dashes hides the few that say something.
    if !empty.is_empty() {
        facts.push(("Left empty".to_owned(), Html::text(&empty.join(", "))));
    }
    // What there is and one may not read is not empty.
    if !withheld.is_empty() {
        facts.push(("Not shown to you".to_owned(), Html::text(&withheld.join(", "))));
    }
    let mut sections = Vec::new();
    for (part, by) in state.engine.parts(&path) {
        if part.spec().available().list && visit.reads(part.spec()) {
            sections.push(parts(&state, &visit, &mut tx, part, by, id).await?);
        }
    }
    if let Some((path, by)) = watch::alerts_of(&path)
        && let Some(alerts) = state.engine.resource(path)
        && visit.reads(alerts.spec())
    {
        let section = parts(&state, &visit, &mut tx, alerts, by, id).await?;
        let all =
            Action::new("All its alerts", format!("/resources/{path}?{by}=eq.{id}"), "warning");
        sections.insert(0, Section { action: Some(all), ..section });
    }
    if let Some(last_run) = watch::last_run(&path, &row) {
        sections.insert(0, last_run);
    }
    let offered = state.engine.offer(&mut tx, &path, id).await?;
    if let Some(offered) = &offered {
        sections.insert(0, offer::section(&state, &visit, &mut tx, resource, offered).await?);
    }
    if visit.may("audit", "read") {
        let entity = resource.table().qualified();
        sections.push(audit::history(&mut tx, &people, &entity, id).await?);
    }
    tx.commit().await?;
    let may = |action: &str| visit.may(spec.permission_word(), action);
    let one = format!("{here}/{id}");
    let original = Some(&row).filter(|_| path == COPIES).and_then(|row| copied(&state, row));
    let open = original
        .map(|(path, id)| Action::primary("Open it", super::address(path, &id), "resource"));
    let edit = (spec.available().update && may("update"))
        .then(|| Action::new("Edit", format!("{one}/edit"), "edit"));
    let mut steps = Vec::new();
    if spec.available().update && may("update") {
        steps.extend(publish::step(&path, &row, &one, &frame));
        steps.extend(watch::steps(&path, &row, &one, &frame));
        steps.extend(row_feed::steps(&path, &row, &frame));
        let answers = offered.iter().flat_map(|offered| offer::steps(offered, &row, &one, &frame));
        steps.extend(answers);
    }
    if spec.available().delete && may("delete") {
        steps.push(
            Step::new("Delete", format!("{one}/delete"), "trash", &frame)
                .danger(if spec.available().create {
                    format!(
                        "Delete this {0}, and what belongs to it? The audit trail keeps what it held: a new {0} can be made of it.",
                        spec.singular()
                    )
                } else {
                    format!("Delete this {}? This cannot be undone.", spec.singular())
                }),
        );
    }
    let status = json::text(&row, "status");
    Ok(page(&DetailPage {
        frame,
        lede: match watch::next_run(&path, &row, SystemClock.now()) {
            Some(next) => format!("{}; {next}", format::label(spec.singular())),
            None => caution::after(format::label(spec.singular()), spec),
        },
        badges: (!status.is_empty())
            .then(|| Badge::state(status))
            .into_iter()
            .chain(offered.as_ref().map(offer::badge))
            .collect(),
        actions: open.into_iter().chain(edit).collect(),
        steps,
        facts,
        sections,
    }))
}

/// The resource of what was copied from what comes with Ephor.
pub(super) const COPIES: &str = "builtin_copies";

/// How a row is kept.
const KEPT: [&str; 5] = ["created_by", "created_at", "updated_at", "version", "id"];

/// A value; what refers to another row leads there, by its name.
pub(super) async fn fact(
    state: &ConsoleState,
    visit: &Visit,
    tx: &mut OrgTx,
    resource: &Resource,
    column: &Column,
    value: &Value,
) -> Result<Html, Problem> {
    let target = state.engine.reference(resource, &column.name).zip(value.as_str());
    if let Some((other, id)) = target
        && let Some(known) = state.engine.resource(other)
        && visit.reads(known.spec())
        && let Ok(id) = id.parse::<Uuid>()
    {
        match state.engine.get(tx, other, id, &ListRequest::new()).await {
            Ok(row) => {
                return Ok(Html::link(&super::address(other, &id.to_string()), json::title(&row)));
            }
            // What may not be seen, such as another person's, stays an id.
            Err(problem) if problem.code == Code::NotFound => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(json::whole(&column.kind, !column.bounds.vocabulary.is_empty(), value))
}

/// The newest rows that are parts of this one.
async fn parts(
    state: &ConsoleState,
    visit: &Visit,
    tx: &mut OrgTx,
    part: &Resource,
    by: &'static str,
    of: Uuid,
) -> Result<Section, Problem> {
    let spec = part.spec();
    let request = ListRequest::new().filter(by, format!("eq.{of}")).limit(PARTS);
    let page = state.engine.list(tx, spec.path(), &request).await?;
    let (rows, more) = (page.data, page.next.is_some());
    let seen = part.seen_with(visit.scope.permissions());
    let columns = told(&seen, 4);
    let heads = ["Name".to_owned()].into_iter().chain(columns.iter().map(|column| column.label()));
    let may_create = spec.available().create && visit.may(spec.permission_word(), "create");
    let mut cells: Vec<Vec<Html>> = rows
        .iter()
        .map(|row| {
            let id = json::text(row, "id");
            let first = Html::link(&super::address(spec.path(), id), &json::called(row));
            let cells = columns.iter().map(|column| {
                let value = row.get(&column.name).unwrap_or(&Value::Null);
                json::brief(&column.kind, !column.bounds.vocabulary.is_empty(), value)
            });
            [first].into_iter().chain(cells).collect()
        })
        .collect();
    if more {
        let all = format!("/resources/{}?{by}=eq.{of}", spec.path());
        let first = Html::link(&all, &format!("All {} of it", spec.plural()));
        cells.push([first].into_iter().chain(columns.iter().map(|_| Html::default())).collect());
    }
    let table = Table {
        label: format::label(spec.plural()),
        heads: heads.map(Head::new).collect(),
        rows: cells,
    };
    Ok(Section {
        id: spec.path(),
        title: format::label(spec.plural()),
        action: may_create.then(|| {
            let new = format!("/resources/{}/new?{by}={of}", spec.path());
            Action::new(format!("New {}", spec.singular()), new, "plus")
        }),
        table,
        empty: "None yet.",
    })
}
