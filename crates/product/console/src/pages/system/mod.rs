//! How Ephor is: for an organization's administrators their own part of it, for those of the platform all.
//!
//! What concerns other organizations is shown to administrators of the platform alone (`users.is_superuser`,
//! which only `ephor admin` grants); the permission `system:inspect` shows one's own organization's numbers, and
//! for each part of Ephor whether it works.

mod archives;
mod health;
mod partitions;
mod process;

use axum::{Router, routing::get};

use crate::ConsoleState;

pub(crate) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/archives", get(archives::show))
        .route("/health", get(health::show))
        .route("/health/partitions", get(partitions::show))
}
