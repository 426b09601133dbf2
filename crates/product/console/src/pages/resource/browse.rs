//! Any resource: what the specification and the catalog say is enough to list it, show a row with
//! its parts and its history, make one, change it and delete it.

mod caution;
mod list;
mod offer;
mod publish;
mod show;
mod watch;
mod write;

use axum::{
    Router,
    routing::{get, post},
};
use ephor_kernel::Problem;
use ephor_rest::{ApiError, Column, Kind, Resource};
use serde_json::Value;

use crate::{ConsoleState, view::json};

pub(crate) use write::status;

pub(crate) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/resources/{path}", get(list::list).post(write::create))
        .route("/resources/{path}/new", get(write::new))
        .route("/resources/{path}/export", get(list::export))
        .route("/resources/{path}/{id}", get(show::show).post(write::update))
        .route("/resources/{path}/{id}/edit", get(write::change))
        .route("/resources/{path}/{id}/delete", post(write::delete))
        .route("/resources/{path}/{id}/accept-offer", post(offer::accept))
        .route("/resources/{path}/{id}/decline-offer", post(offer::decline))
        .route("/resources/{path}/{id}/publish", post(publish::publish))
        .route("/resources/{path}/{id}/unpublish", post(publish::unpublish))
        .route("/resources/{path}/{id}/run", post(watch::run))
        .route("/resources/{path}/{id}/acknowledge", post(watch::acknowledge))
        .route("/resources/{path}/{id}/close", post(watch::close))
}

/// The resource, if there is one that may be listed.
fn known<'a>(state: &'a ConsoleState, path: &str) -> Result<&'a Resource, ApiError> {
    state
        .engine
        .resource(path)
        .filter(|resource| resource.spec().available().list)
        .ok_or_else(|| Problem::not_found("resource").into())
}

/// The column that the resource's rows are called by, if they have names.
fn named(resource: &Resource) -> Option<&'static str> {
    json::NAMES.into_iter().find(|name| resource.columns().any(|column| column.name == *name))
}

/// The columns that a list shows beside what the row is called: those that tell rows apart, states
/// and other closed words first.
fn told(resource: &Resource, most: usize) -> Vec<&Column> {
    let named = named(resource);
    let told = |column: &&Column| {
        !matches!(column.kind, Kind::Json | Kind::Uuid)
            && named != Some(column.name.as_str())
            && !matches!(
                column.name.as_str(),
                "version" | "updated_at" | "created_at" | "description"
            )
    };
    let (mut chosen, open): (Vec<&Column>, Vec<&Column>) =
        resource.columns().filter(told).partition(|column| !column.bounds.vocabulary.is_empty());
    chosen.truncate(most.saturating_sub(2));
    let room = most.saturating_sub(chosen.len() + 1);
    chosen.extend(open.into_iter().take(room));
    chosen.extend(resource.columns().find(|column| column.name == "created_at"));
    chosen
}

/// The resource whose rows these built-in copies are, and the row, if it is still there.
fn copied(state: &ConsoleState, copy: &Value) -> Option<(&'static str, String)> {
    let of = json::text(copy, "entity");
    let spec = state.engine.resources().map(Resource::spec).find(|spec| spec.table() == of)?;
    let row = json::text(copy, "row_id");
    (!row.is_empty()).then(|| (spec.path(), row.to_owned()))
}

/// The address of a row: its own page where there is one, else the generic one.
fn address(path: &str, id: &str) -> String {
    match path {
        "models" | "datasets" => format!("/{path}/{id}"),
        "bias_analyses" => format!("/analyses/{id}"),
        "mitigation_artifacts" => format!("/mitigations/{id}"),
        "model_explanations" => format!("/explanations/{id}"),
        _ => format!("/resources/{path}/{id}"),
    }
}
