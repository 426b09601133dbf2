//! The list of any resource, and the same as a file.

use std::collections::HashMap;

use axum::extract::{Path, State};
use ephor_kernel::Problem;
use ephor_rest::{Column as Field, Kind, ListRequest, csv_file};
use ephor_store::builtins::builtin_offers_open;
use serde_json::Value;
use uuid::Uuid;

use super::{
    super::{Action, Column, Empty, ListPage, Listing, undo},
    caution, copied, known, named,
    show::COPIES,
    told,
};
use crate::{
    ConsoleState,
    error::page,
    pages::{explanation, row_feed},
    view::{Html, format, json},
    visit::{Answer, Visit},
};

/// How many columns a list shows beside what its rows are called, unless others are chosen.
const COLUMNS: usize = 6;

/// How many filters stand over a list; by all else it is filtered from its address.
const FILTERS: usize = 6;

/// What is shown of a resource's rows, and what they are filtered by.
struct Shown<'a> {
    here: String,
    columns: Vec<&'a Field>,
    /// So many of them are shown unless others are chosen.
    usual: usize,
    labels: Vec<String>,
    filters: Vec<&'a str>,
}

impl<'a> Shown<'a> {
    fn of(resource: &'a ephor_rest::Resource) -> Self {
        let mut columns = told(resource, COLUMNS);
        let usual = columns.len();
        let others = |column: &&Field| {
            !matches!(column.kind, Kind::Json | Kind::Uuid)
                && named(resource) != Some(column.name.as_str())
                && column.name != "version"
        };
        for column in resource.columns().filter(others) {
            if columns.iter().all(|shown| shown.name != column.name) {
                columns.push(column);
            }
        }
        Self {
            usual,
            here: format!("/resources/{}", resource.spec().path()),
            labels: columns.iter().map(|column| column.label()).collect(),
            filters: columns
                .iter()
                .enumerate()
                .filter(|(place, column)| {
                    let told = *place < usual && !column.bounds.vocabulary.is_empty();
                    told || column.kind == Kind::Bool
                })
                .map(|(_, column)| column.name.as_str())
                .take(FILTERS)
                .collect(),
            columns,
        }
    }

    fn heads(&'a self) -> Vec<Column<'a>> {
        let head = |(place, (column, label)): (usize, (&&'a Field, &'a String))| {
            let sort = if matches!(column.kind, Kind::Array(_)) { "" } else { &column.name };
            let right = matches!(column.kind, Kind::Integer(_) | Kind::Float | Kind::Decimal);
            let extra = place >= self.usual;
            Column { right, extra, ..Column::new(label, sort).named(&column.name) }
        };
        [Column::new("Name", "")]
            .into_iter()
            .chain(self.columns.iter().zip(&self.labels).enumerate().map(head))
            .collect()
    }
}

/// `GET /resources/{path}`.
pub(super) async fn list(
    State(state): State<ConsoleState>,
    visit: Visit,
    Path(path): Path<String>,
) -> Answer {
    let resource = known(&state, &path)?;
    let spec = resource.spec();
    let seen = resource.seen_with(visit.scope.permissions());
    let shown = Shown::of(&seen);
    let here = shown.here.clone();
    let heads = shown.heads();
    let search = spec.is_searchable();
    let listing = Listing {
        path: &path,
        here: &here,
        columns: &heads,
        filters: &shown.filters,
        search,
        include: &[],
    };
    let offers = offers(&state, &visit, resource).await?;
    let listed = listing
        .read(&state, &visit, |row| {
            let cell = |column: &&Field| {
                let value = row.get(&column.name).unwrap_or(&Value::Null);
                json::brief(&column.kind, !column.bounds.vocabulary.is_empty(), value)
            };
            let name = json::called(row);
            let id = json::text(row, "id");
            let original = if path == COPIES { copied(&state, row) } else { None };
            let address = match &original {
                Some((path, id)) => super::address(path, id),
                None => super::address(&path, id),
            };
            let mut first = Html::link(&address, &name);
            if let Some(version) = id.parse().ok().and_then(|id: Uuid| offers.get(&id)) {
                first = first.sub(&format!("version {version} is offered"));
            }
            [first].into_iter().chain(shown.columns.iter().map(cell)).collect()
        })
        .await?;
    // Row feeds are made on a page of their own, which shows their token; explanations come with a job.
    let new = match path.as_str() {
        "row_feeds" => Some(row_feed::NEW.to_owned()),
        "model_explanations" => Some(explanation::NEW.to_owned()),
        _ => spec.available().create.then(|| format!("{here}/new")),
    };
    let create = new
        .filter(|_| visit.may(spec.permission_word(), "create"))
        .map(|new| Action::primary(format!("New {}", spec.singular()), new, "plus"));
    let export = (!listed.table.rows.is_empty()).then(|| {
        let query = listed.query.clone().without("cursor").without("done").to_query();
        let query = if query.is_empty() { query } else { format!("?{query}") };
        Action::new("Export CSV", format!("{here}/export{query}"), "download")
    });
    let waiting = (!offers.is_empty() && visit.may(COPIES, "read")).then(|| {
        let label = format::plural(offers.len() as u64, "newer version", "newer versions");
        let query = ListRequest::new()
            .filter("entity", format!("eq.{}", spec.table()))
            .filter("offer_status", "open")
            .to_query();
        Action::new(format!("{label} offered"), format!("/resources/{COPIES}?{query}"), "info")
    });
    let undo = deleted(&state, &visit, resource).await?;
    let comment = resource.table().comment.clone().unwrap_or_default();
    Ok(page(&ListPage {
        frame: visit.frame(format::label(spec.plural()), &here),
        lede: caution::after(comment.clone(), spec),
        actions: undo.into_iter().chain(waiting).chain(export).chain(create.clone()).collect(),
        filters: listed.filters,
        filtered: listed.filtered,
        sort: listed.sort,
        table: listed.table,
        total: listed.total,
        first: listed.first,
        next: listed.next,
        tools: listed.tools,
        here,
        empty: Empty::new("resource", format!("No {} yet", spec.plural()), comment).action(create),
    }))
}

/// The way back from a deletion that led here.
async fn deleted(
    state: &ConsoleState,
    visit: &Visit,
    resource: &ephor_rest::Resource,
) -> Result<Option<Action>, Problem> {
    if visit.query.get("done") != Some("deleted") {
        return Ok(None);
    }
    let mut tx = state.store.begin(&visit.scope).await?;
    let offered = undo::offer_deleted(&mut tx, visit, resource).await?;
    tx.commit().await?;
    Ok(offered)
}

/// Beside which rows of the resource a newer version waits for an answer.
async fn offers(
    state: &ConsoleState,
    visit: &Visit,
    resource: &ephor_rest::Resource,
) -> Result<HashMap<Uuid, i32>, Problem> {
    let spec = resource.spec();
    if !spec.is_builtin() || !visit.reads(spec) {
        return Ok(HashMap::new());
    }
    let mut tx = state.store.begin(&visit.scope).await?;
    let offers = builtin_offers_open(&mut tx, spec.table()).await?;
    tx.commit().await?;
    Ok(offers)
}

/// `GET /resources/{path}/export`: what the list shows, filtered and ordered alike, all of it.
pub(super) async fn export(
    State(state): State<ConsoleState>,
    visit: Visit,
    Path(path): Path<String>,
) -> Answer {
    let resource = known(&state, &path)?;
    // A link or a view of somebody else may choose more than is there for who follows it.
    let seen = resource.seen_with(visit.scope.permissions());
    let shown = Shown::of(&seen);
    let heads = shown.heads();
    let listing = Listing {
        path: &path,
        here: &shown.here,
        columns: &heads,
        filters: &shown.filters,
        search: resource.spec().is_searchable(),
        include: &[],
    };
    let mut request = listing.filtered(resource, &visit.query);
    let chosen = listing.chosen(&visit.query);
    if !chosen.is_empty() {
        let name = named(resource);
        let columns: Vec<&str> =
            ["id"].into_iter().chain(name).chain(chosen.iter().map(String::as_str)).collect();
        request = request.fields(&columns);
    }
    Ok(csv_file(&state.engine, &state.store, &visit.scope, &path, &request).await?)
}
