//! One data set: what it is, what its columns hold, its first rows, its analyses.

use axum::extract::State;
use ephor_kernel::DatasetId;
use ephor_registry::dataset::{Dataset, RowFormat, dataset_get};
use ephor_rest::{Id, ListRequest};
use serde_json::Value;

use super::{page::DatasetPage, profile};
use crate::{
    ConsoleState,
    error::page,
    pages::{
        analysis,
        resource::{Action, Step},
    },
    view::{Badge, Head, Html, Moment, Table, format, json},
    visit::{Answer, Visit},
};

/// How many rows are shown.
const PREVIEW_ROWS: usize = 12;

/// `GET /datasets/{id}`.
pub(super) async fn show(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<DatasetId>,
) -> Answer {
    visit.scope.require("datasets", "read")?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let dataset = dataset_get(&mut tx, id).await?;
    let analyses = if visit.may("bias_analyses", "read") {
        let request = ListRequest::new().filter("dataset_id", format!("eq.{id}")).limit(20);
        let rows = state.engine.list(&mut tx, "bias_analyses", &request).await?.data;
        Some(analysis::table("Analyses of this data set", &rows))
    } else {
        None
    };
    tx.commit().await?;
    let ready = dataset.profile.is_some();
    // Rows, and the file of them, are given out in one's own organization alone.
    let shows_rows = ready && !visit.looks();
    let preview =
        if shows_rows { preview(&state, &visit, &dataset).await } else { Table::default() };
    let frame = visit.frame(&dataset.name, "/datasets").crumb("Data sets", "/datasets");
    let mut actions = Vec::new();
    if visit.may("datasets", "update") {
        actions.push(Action::new("Edit", format!("/datasets/{id}/edit"), "edit"));
    }
    if shows_rows {
        actions.push(Action::new("Parquet", format!("/v1/datasets/{id}/file"), "download"));
    }
    if ready && visit.may("bias_analyses", "create") {
        let href = format!("/analyses/new?dataset={id}");
        actions.push(Action::primary("Analyse for bias", href, "scale"));
    }
    let steps = visit.may("datasets", "delete").then(|| {
        Step::new("Delete", format!("/datasets/{id}/delete"), "trash", &frame)
            .danger("Delete this data set? This cannot be undone.")
    });
    Ok(page(&DatasetPage {
        frame,
        lede: dataset.description.clone(),
        actions,
        steps: steps.into_iter().collect(),
        facts: facts(&dataset),
        columns: dataset.profile.as_ref().map(profile::cards).unwrap_or_default(),
        preview,
        analyses,
    }))
}

fn facts(dataset: &Dataset) -> Vec<(&'static str, Html)> {
    let number = |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok());
    let unknown = || "\u{2013}".to_owned();
    let mut facts = vec![
        ("Status", Html::of(&Badge::state(&dataset.status))),
        ("Rows", Html::text(&number(dataset.row_count).map_or_else(unknown, format::count))),
        ("Size", Html::text(&number(dataset.size_bytes).map_or_else(unknown, format::bytes))),
        ("From", Html::text(&dataset.source_name).sub(&dataset.source_format)),
        ("Uploaded", Html::of(&Moment(dataset.created_at))),
    ];
    if let Some(hash) = &dataset.sha256 {
        facts.push(("SHA-256", Html::text(hash)));
    }
    if let Some(attribution) = dataset.metadata.get("attribution").and_then(Value::as_str) {
        facts.push(("Attribution", Html::text(attribution)));
    }
    let notes = dataset.metadata.get("notes").and_then(Value::as_array);
    for note in notes.into_iter().flatten().filter_map(Value::as_str) {
        facts.push(("Note", Html::text(note)));
    }
    facts
}

/// The first rows. Without them the page still says what it knows.
async fn preview(state: &ConsoleState, visit: &Visit, dataset: &Dataset) -> Table {
    let read =
        state.registry.dataset_rows(&visit.scope, dataset.id, PREVIEW_ROWS, RowFormat::Json).await;
    let rows: Vec<Value> = match read {
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
        Err(problem) => {
            tracing::warn!(%problem, dataset = %dataset.id, "the first rows could not be shown");
            Vec::new()
        }
    };
    let names: Vec<&str> = dataset
        .profile
        .iter()
        .flat_map(|profile| &profile.columns)
        .map(|column| column.name.as_str())
        .collect();
    Table {
        label: "First rows".to_owned(),
        heads: names.iter().map(|name| Head::new(*name)).collect(),
        rows: rows
            .iter()
            .map(|row| {
                let cell = |name: &&str| match row.get(*name) {
                    None | Some(Value::Null) => Html::text("\u{2013}"),
                    Some(value) => Html::text(&json::short(value)),
                };
                names.iter().map(cell).collect()
            })
            .collect(),
    }
}
