//! Bias analyses: asked for, run in the background, kept and explained; explanations of models; monitors and their alerts.
//!
//! An analysis is a row (`assurance.bias_analyses`) with a job that fills it. What it found is
//! kept whole in the row, its hash in the audit trail, and its disparities as rows of
//! `assurance.bias_analysis_results`.

pub mod analysis;
pub mod card;
pub mod explanation;
pub mod feed;
pub mod mitigation;
pub mod monitor;
mod operations;
mod reference;
pub mod reports;
pub mod resources;
mod routes;
pub mod runner;
pub mod schedule;
mod stop;
pub mod trend;

use std::sync::Arc;

use ephor_explain::{Format, Model};
use ephor_fairness::DataFrame;
use ephor_kernel::{DatasetId, ModelArtifactId, Problem, Scope};
use ephor_store::Store;
use ephor_tabular::Table;
use futures::future::BoxFuture;
use object_store::ObjectStore;

pub use operations::operations;
pub use reports::Pages;
pub use routes::routes;

/// Opens a data set of the scope's organization. The registry owns data sets, and contexts do
/// not import one another: the composition root gives the way.
pub type OpenDataset =
    Arc<dyn Fn(Scope, DatasetId) -> BoxFuture<'static, Result<Table, Problem>> + Send + Sync>;

/// Makes of a data set's table one whose analyses run on other machines; what it tells instead is why it could not.
pub type ReadElsewhere =
    Arc<dyn Fn(Table) -> BoxFuture<'static, Result<DataFrame, String>> + Send + Sync>;
/// Opens the file of a model's version of the scope's organization, in the same way.
pub type OpenModel = Arc<
    dyn Fn(Scope, ModelArtifactId) -> BoxFuture<'static, Result<(Format, Arc<Model>), Problem>>
        + Send
        + Sync,
>;

/// What the routes of this context need.
#[derive(Clone)]
pub struct Assurance {
    /// The database.
    pub store: Store,
    /// Opens data sets, to check a specification against their columns.
    pub open_dataset: OpenDataset,
    /// Other machines that read data sets for analyses, if there are any.
    pub read_elsewhere: Option<ReadElsewhere>,
    /// Opens files of models, to explain what they predict.
    pub open_model: OpenModel,
    /// Where values of explanations lie.
    pub objects: Arc<dyn ObjectStore>,
    /// Writes reports and model cards as pages.
    pub pages: Pages,
}
