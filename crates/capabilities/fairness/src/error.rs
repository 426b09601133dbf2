//! Why an analysis ended without a result.

use datafusion::error::DataFusionError;

use crate::{Fault, RemoteError};

/// Why an analysis ended without a result.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// The request, or the data that it names, cannot be analysed; every fault found is listed.
    #[error("{}", sentences(.0))]
    Invalid(Vec<Fault>),
    /// The caller cancelled it.
    #[error("the analysis was cancelled")]
    Cancelled,
    /// The data could not be read to its end.
    #[error("the data could not be read: {0}")]
    Read(#[source] DataFusionError),
    /// Other machines, which should have read the data, could not.
    #[error("{0}")]
    Remote(#[from] RemoteError),
    /// The engine met a state that it must not meet.
    #[error("the fairness engine failed: {0}")]
    Engine(String),
}

impl AnalysisError {
    /// The faults, if the request or its data are to blame.
    pub fn faults(&self) -> &[Fault] {
        match self {
            Self::Invalid(faults) => faults,
            Self::Cancelled | Self::Read(_) | Self::Remote(_) | Self::Engine(_) => &[],
        }
    }
}

fn sentences(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
