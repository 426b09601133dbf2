//! The list of any resource, and the same as a file.

use axum::extract::{Path, State};
use ephor_rest::{Column as Field, Kind, csv_file};
use serde_json::Value;

use super::{
    super::{Action, Column, Empty, ListPage, Listing},
    known, named, told,
};
use crate::{
    ConsoleState,
    error::page,
    view::{Html, format, json},
    visit::{Answer, Visit},
};

/// How many columns a list shows beside what its rows are called, unless others are chosen.
const COLUMNS: usize = 6;

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
                .take(usual)
                .filter(|column| !column.bounds.vocabulary.is_empty())
                .map(|column| column.name.as_str())
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
    let shown = Shown::of(resource);
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
    let listed = listing
        .read(&state, &visit, |row| {
            let cell = |column: &&Field| {
                let value = row.get(&column.name).unwrap_or(&Value::Null);
                json::cell(&column.kind, !column.bounds.vocabulary.is_empty(), value)
            };
            let name = json::short(&Value::String(json::title(row).to_owned()));
            let first = Html::link(&super::address(&path, json::text(row, "id")), &name);
            [first].into_iter().chain(shown.columns.iter().map(cell)).collect()
        })
        .await?;
    let may_create = spec.available().create && visit.may(spec.permission_word(), "create");
    let create = may_create.then(|| {
        Action::primary(format!("New {}", spec.singular()), format!("{here}/new"), "plus")
    });
    let export = (!listed.table.rows.is_empty()).then(|| {
        let query = listed.query.clone().without("cursor").without("done").to_query();
        let query = if query.is_empty() { query } else { format!("?{query}") };
        Action::new("Export CSV", format!("{here}/export{query}"), "download")
    });
    let comment = resource.table().comment.clone().unwrap_or_default();
    Ok(page(&ListPage {
        frame: visit.frame(format::label(spec.plural()), &here),
        lede: comment.clone(),
        actions: export.into_iter().chain(create.clone()).collect(),
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

/// `GET /resources/{path}/export`: what the list shows, filtered and ordered alike, all of it.
pub(super) async fn export(
    State(state): State<ConsoleState>,
    visit: Visit,
    Path(path): Path<String>,
) -> Answer {
    let resource = known(&state, &path)?;
    let shown = Shown::of(resource);
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
