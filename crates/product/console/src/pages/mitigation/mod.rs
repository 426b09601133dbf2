//! Mitigations: the form that asks for one, and one with its rules, what is expected of it, and what it was
//! applied to. They are listed as any resource is.

mod ask;
mod events;
pub(crate) mod page;
mod section;
mod show;
pub(crate) mod view;

use axum::{
    Router,
    routing::{get, post},
};

use crate::ConsoleState;

pub(crate) use ask::prefilled;
pub(crate) use section::section;

/// Where they are listed.
const LIST: &str = "/resources/mitigation_artifacts";
/// Their permissions' word.
const WORD: &str = "mitigation_artifacts";

pub(crate) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/analyses/{id}/mitigate", get(ask::show).post(ask::create))
        .route("/mitigations/{id}", get(show::show))
        .route("/mitigations/{id}/events", get(events::events))
        .route("/mitigations/{id}/artifact.json", get(show::artifact))
        .route("/mitigations/{id}/apply", post(show::apply))
}
