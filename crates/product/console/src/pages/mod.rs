//! The pages: one folder each, with its templates, handlers and tests.

pub(crate) mod analysis;
pub(crate) mod audit;
pub(crate) mod dashboard;
pub(crate) mod dataset;
pub(crate) mod explanation;
pub(crate) mod follow;
pub(crate) mod mitigation;
pub(crate) mod model;
pub(crate) mod resource;
mod row_feed;
pub(crate) mod settings;
pub(crate) mod sign_in;
mod system;
pub(crate) mod usage;

use axum::Router;

pub(crate) use model::trend::score as trend_score;

use crate::ConsoleState;

/// All pages.
pub(crate) fn routes() -> Router<ConsoleState> {
    Router::new()
        .merge(sign_in::routes())
        .merge(dashboard::routes())
        .merge(dataset::routes())
        .merge(model::routes())
        .merge(analysis::routes())
        .merge(mitigation::routes())
        .merge(explanation::routes())
        .merge(row_feed::routes())
        .merge(audit::routes())
        .merge(settings::routes())
        .merge(usage::routes())
        .merge(system::routes())
        .merge(resource::routes())
}
