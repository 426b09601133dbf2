//! Explanations of models: asked for, computed in the background from a model's file and a data set, kept and shown.
//!
//! An explanation is a row (`assurance.model_explanations`) with a job that fills it. Its values lie in the object store as Parquet;
//! the row keeps their hash and a digest of bounded size ([`ephor_explain::summary`]), from which the pages are made.

mod ask;
mod cancel;
mod documents;
mod effects;
mod faults;
mod file;
mod get;
mod lime;
mod operations;
mod permutation;
mod place;
mod record;
mod routes;
mod rows;
mod runner;
mod shap;
mod spec;
mod work;

use ephor_kernel::ExplanationId;
use serde::{Deserialize, Serialize};

pub use ask::{ExplanationAsked, explanation_ask};
pub use cancel::explanation_cancel;
pub use file::{ValuesFormat, explanation_file};
pub use get::{Explanation, explanation_get, explanation_summary};
pub(crate) use operations::operations;
pub use place::explanation_objects_delete;
pub(crate) use routes::routes;
pub use runner::ExplanationRunner;
pub use spec::{EffectKind, ExplanationSpec, Kind, Scale};

/// The kind of job that explains.
pub const JOB_KIND: &str = "model_explanation";

/// What the job is given.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct JobPayload {
    /// The explanation.
    pub explanation: ExplanationId,
}
