//! Bias analyses: asked for, run in the background, kept and explained; monitors and their alerts.
//!
//! An analysis is a row (`assurance.bias_analyses`) with a job that fills it. What it found is
//! kept whole in the row, its hash in the audit trail, and its disparities as rows of
//! `assurance.bias_analysis_results`.

pub mod analysis;
pub mod card;
pub mod feed;
pub mod mitigation;
pub mod monitor;
mod operations;
pub mod reports;
pub mod resources;
mod routes;
pub mod runner;
pub mod schedule;
pub mod trend;

use std::sync::Arc;

use ephor_kernel::{DatasetId, Problem, Scope};
use ephor_store::Store;
use ephor_tabular::Table;
use futures::future::BoxFuture;

pub use operations::operations;
pub use reports::Pages;
pub use routes::routes;

/// Opens a data set of the scope's organization. The registry owns data sets, and contexts do
/// not import one another: the composition root gives the way.
pub type OpenDataset =
    Arc<dyn Fn(Scope, DatasetId) -> BoxFuture<'static, Result<Table, Problem>> + Send + Sync>;

/// What the routes of this context need.
#[derive(Clone)]
pub struct Assurance {
    /// The database.
    pub store: Store,
    /// Opens data sets, to check a specification against their columns.
    pub open_dataset: OpenDataset,
    /// Writes reports and model cards as pages.
    pub pages: Pages,
}
