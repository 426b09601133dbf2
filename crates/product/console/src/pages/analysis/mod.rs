//! Bias analyses: a list, the form that asks for one, and one with its progress and result.

pub(crate) mod compare;
mod events;
mod new;
pub(crate) mod page;
mod population;
mod request;
mod show;

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use ephor_fairness::Status;
use serde_json::Value;

use super::resource::{Action, Column, Empty, ListPage, Listing};
use crate::{
    ConsoleState,
    error::page,
    view::{Badge, Head, Html, Table, json},
    visit::{Answer, Visit},
};

pub(crate) use request::TASKS;

pub(crate) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/analyses", get(list).post(new::create))
        .route("/analyses/new", get(new::show))
        .route("/analyses/{id}", get(show::show))
        .route("/analyses/{id}/events", get(events::events))
        .route("/analyses/{id}/cancel", post(show::cancel))
        .route("/analyses/{id}/compare", get(compare::show))
        .route("/analyses/{id}/data.html", get(show::data))
        .route("/analyses/{id}/data.pdf", get(show::data_pdf))
        .route("/analyses/{id}/law/ll144.html", get(show::ll144))
        .route("/analyses/{id}/law/ll144.pdf", get(show::ll144_pdf))
        .route("/analyses/{id}/law/eeoc.html", get(show::eeoc))
        .route("/analyses/{id}/law/eeoc.pdf", get(show::eeoc_pdf))
        .route("/analyses/{id}/findings.csv", get(show::findings))
        .route("/analyses/{id}/report.html", get(show::report))
        .route("/analyses/{id}/report.pdf", get(show::report_pdf))
        .route("/analyses/{id}/result.json", get(show::result))
}

const COLUMNS: &[Column] = &[
    Column::new("Analysis", "name"),
    Column::new("State", "status"),
    Column::new("Verdict", "outcome"),
    Column::right("Score", "compliance_score"),
    Column::new("Asked for", "created_at"),
];

const LISTING: Listing<'static> = Listing {
    path: "bias_analyses",
    here: "/analyses",
    columns: COLUMNS,
    filters: &["status", "outcome", "task", "analysis_type"],
    search: true,
    include: &["dataset"],
};

/// One analysis as a row of a table.
pub(crate) fn row(analysis: &Value) -> Vec<Html> {
    let protected: Vec<&str> = analysis
        .pointer("/parameters/protected")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let dataset = analysis.pointer("/dataset/name").and_then(Value::as_str);
    let about: Vec<String> =
        dataset.map(str::to_owned).into_iter().chain([protected.join(", ")]).collect();
    let status = json::text(analysis, "status");
    let score = json::number(analysis, "compliance_score");
    vec![
        Html::link(
            &format!("/analyses/{}", json::text(analysis, "id")),
            json::text(analysis, "name"),
        )
        .sub(&about.join(" \u{b7} ")),
        Html::of(&Badge::state(status)),
        verdict(json::text(analysis, "outcome"))
            .map_or_else(|| Html::text("\u{2013}"), |badge| Html::of(&badge)),
        Html::text(&score.map_or_else(|| "\u{2013}".to_owned(), |score| format!("{score:.2}"))),
        json::moment_cell(analysis, "created_at"),
    ]
}

/// A table of analyses.
pub(crate) fn table(label: &str, analyses: &[Value]) -> Table {
    Table {
        label: label.to_owned(),
        heads: COLUMNS
            .iter()
            .map(|column| Head { right: column.right, ..Head::new(column.label) })
            .collect(),
        rows: analyses.iter().map(row).collect(),
    }
}

/// The chip of a stored outcome.
pub(super) fn verdict(outcome: &str) -> Option<Badge> {
    let status = match outcome {
        "pass" => Status::Pass,
        "warning" => Status::Warning,
        "fail" => Status::Fail,
        _ => return None,
    };
    Some(Badge::verdict(Some(status)))
}

async fn list(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    let listed = LISTING.read(&state, &visit, row).await?;
    let analyse = visit
        .may("bias_analyses", "create")
        .then(|| Action::primary("Analyse for bias", "/analyses/new", "scale"));
    Ok(page(&ListPage {
        frame: visit.frame("Bias analyses", "/analyses"),
        lede: "Is a model equally right, and equally generous, for everybody?".to_owned(),
        actions: analyse.clone().into_iter().collect(),
        filters: listed.filters,
        filtered: listed.filtered,
        sort: listed.sort,
        table: listed.table,
        total: listed.total,
        first: listed.first,
        next: listed.next,
        tools: listed.tools,
        here: "/analyses".to_owned(),
        empty: Empty::new(
            "scale",
            "No analysis yet",
            "Choose a data set with labels and predictions, say who belongs to which group, and see how groups fare.",
        )
        .action(analyse),
    }))
}
