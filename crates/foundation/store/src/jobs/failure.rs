//! Why a job was not done.

use ephor_kernel::{Code, Problem};

use crate::StoreError;

/// Why a handler did not do its job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobFailure {
    /// It was told to stop, and did.
    #[error("It was cancelled.")]
    Cancelled,
    /// Another try may succeed; it is made later, while attempts are left.
    #[error("{0}")]
    Retry(String),
    /// No other try would end differently.
    #[error("{0}")]
    Fatal(String),
}

impl JobFailure {
    /// Another try may succeed.
    pub fn retry(reason: impl Into<String>) -> Self {
        Self::Retry(reason.into())
    }

    /// No other try would end differently.
    pub fn fatal(reason: impl Into<String>) -> Self {
        Self::Fatal(reason.into())
    }
}

impl From<StoreError> for JobFailure {
    fn from(error: StoreError) -> Self {
        if error.is_transient() {
            Self::Retry(error.to_string())
        } else {
            Self::Fatal(error.to_string())
        }
    }
}

impl From<sqlx::Error> for JobFailure {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

impl From<Problem> for JobFailure {
    fn from(problem: Problem) -> Self {
        match problem.code {
            Code::Unavailable | Code::RateLimited | Code::Internal => {
                Self::Retry(problem.detail.into())
            }
            _ => Self::Fatal(problem.detail.into()),
        }
    }
}
