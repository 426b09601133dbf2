//! The pages: server-rendered, live, usable by keyboard, on a phone and in the dark.
//!
//! [`routes`] serves them from a [`ConsoleState`]; [`problem_pages`] is the layer that turns
//! problems into pages for people, whichever layer refused; [`report`] is the single-file report
//! of an analysis, which needs no server at all.

mod assets;
mod csp;
mod error;
mod frame;
mod looking;
mod navigation;
mod pages;
mod plot;
mod problem_page;
pub mod report;
mod result;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod rules;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod samples;
mod state;
mod view;
mod visit;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::from_fn,
    routing::{get, post},
};

pub use navigation::addresses;
pub use problem_page::problem_pages;
pub use state::ConsoleState;
pub use view::format::bytes;

/// The largest form, in bytes; files go to the API's uploads.
const FORM_BYTES: usize = 1024 * 1024;
/// The largest report of a browser, in bytes.
const REPORT_BYTES: usize = 64 * 1024;

/// All pages, their assets, and the place where browsers report what the content security policy
/// refused. `ephor_identity::authenticate` stands outside of them.
pub fn routes(state: ConsoleState) -> Router {
    let report = post(csp::report).layer(DefaultBodyLimit::max(REPORT_BYTES));
    pages::routes()
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .route("/assets/{file}", get(assets::serve))
        .route(csp::REPORT_PATH, report)
        .layer(from_fn(csp::headers))
        .with_state(state)
}
