//! Mitigations: weights or thresholds by group, computed from the data set of a bias analysis, kept, and
//! applied to data sets.
//!
//! A mitigation is a row (`assurance.mitigation_artifacts`) with a job that fits it. Applying it is another
//! (`assurance.mitigation_applications`), whose job makes a new data set with one more column and, in the same
//! transaction, asks for the analyses that say what it did.

mod application;
mod apply;
mod apply_runner;
mod ask;
mod create;
mod fit_runner;
mod get;
mod measured;
mod operations;
mod pipe;
mod record;
mod routes;

use ephor_kernel::{MitigationApplicationId, MitigationId};
use serde::{Deserialize, Serialize};

pub use application::{Application, application_get, application_under_way};
pub use apply::{ApplicationCreate, application_create};
pub use apply_runner::ApplyRunner;
pub use ask::{mitigation_apply, mitigation_ask};
pub use create::{MitigationCreate, mitigation_create};
pub use fit_runner::FitRunner;
pub use get::{Mitigation, mitigation_artifact, mitigation_file, mitigation_get};
pub(crate) use operations::operations;
pub(crate) use routes::routes;

/// The kind of job that computes a mitigation.
pub const FIT_JOB: &str = "mitigation_fit";
/// The kind of job that applies one.
pub const APPLY_JOB: &str = "mitigation_apply";

/// What the job that computes a mitigation is given.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct FitPayload {
    /// The mitigation.
    pub mitigation: MitigationId,
}

/// What the job that applies one is given.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct ApplyPayload {
    /// The application.
    pub application: MitigationApplicationId,
}

/// As much of a text as a name or a note may have.
fn cut(text: &str, most: usize) -> String {
    text.chars().filter(|letter| *letter != '\0').take(most).collect()
}
