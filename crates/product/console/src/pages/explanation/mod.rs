//! Explanations of models: the form that asks for one, and one with its plots. They are listed as any resource is.

mod ask;
mod events;
pub(crate) mod page;
mod section;
pub(crate) mod show;

use axum::{
    Router,
    routing::{get, post},
};

use crate::ConsoleState;

pub(crate) use section::{Of, section};

/// The form that asks for one.
pub(crate) const NEW: &str = "/explanations/new";
/// Where they are listed.
const LIST: &str = "/resources/model_explanations";
/// Their permissions' word.
const WORD: &str = "model_explanations";

pub(crate) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route(NEW, get(ask::show))
        .route("/explanations", post(ask::create))
        .route("/explanations/{id}", get(show::show))
        .route("/explanations/{id}/events", get(events::events))
        .route("/explanations/{id}/cancel", post(show::cancel))
        .route("/explanations/{id}/report.html", get(show::report))
        .route("/explanations/{id}/values.parquet", get(show::parquet))
        .route("/explanations/{id}/values.csv", get(show::csv))
        .route("/explanations/{id}/plots/{plot}", get(show::plot))
}

/// A method in words.
fn kind(word: &str) -> &'static str {
    match word {
        "lime" => "LIME",
        "permutation" => "Permutation importance",
        "global" => "The model as a whole",
        _ => "SHAP values",
    }
}
