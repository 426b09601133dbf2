//! One file per thing that one can do with an analysis.

mod cancel;
mod compare;
mod completed;
mod create;
mod data;
mod get;
mod law;
mod record;

pub use cancel::analysis_cancel;
pub use compare::{Compared, analysis_comparison};
pub use completed::{Completed, completed_get};
pub use create::{AnalysisAsked, AnalysisCreate, analysis_create};
pub(crate) use create::{analysis_attempt, fault};
pub use data::{Described, analysis_data};
pub use get::{Analysis, analysis_get, analysis_result};
pub use law::{Lawful, analysis_law};
pub(crate) use record::{
    analysis_cancelled, analysis_completed, analysis_failed, analysis_started,
};

/// The kind of job that runs an analysis.
pub const JOB_KIND: &str = "bias_analysis";

/// What the job is given.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub(crate) struct JobPayload {
    /// The analysis to run.
    pub analysis: ephor_kernel::AnalysisId,
}
