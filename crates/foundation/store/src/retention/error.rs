//! What can go wrong with retention.

use ephor_kernel::{Code, Problem};

use crate::StoreError;

/// A month can't be archived, or an archive can't be read or trusted.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Rows were added, changed or deleted after they had been archived: the month stays, and the
    /// next run archives it as it is then.
    #[error("the month was not dropped: {0}")]
    Changed(String),
    /// An archive can't be written, read, or trusted.
    #[error("the archive {object}: {fault}")]
    Archive {
        /// Its path in the object store.
        object: String,
        /// What is wrong with it.
        fault: String,
    },
    /// The file of an archive is no longer there.
    #[error("the archive {0} is not there any more")]
    Gone(String),
    /// A file of this process's own failed.
    #[error("a temporary file: {0}")]
    File(#[from] std::io::Error),
    /// A thread that wrote or read a file died.
    #[error("a worker thread failed: {0}")]
    Worker(#[from] tokio::task::JoinError),
}

impl RetentionError {
    pub(super) fn archive(object: &str, fault: impl std::fmt::Display) -> Self {
        Self::Archive { object: object.to_owned(), fault: fault.to_string() }
    }
}

impl From<sqlx::Error> for RetentionError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<RetentionError> for Problem {
    fn from(error: RetentionError) -> Self {
        match error {
            RetentionError::Store(error) => error.into(),
            RetentionError::Gone(_) => Self::not_found("file of the archive"),
            error => {
                tracing::error!(%error, "an archive could not be handled");
                Self::new(Code::Unavailable, "The archive could not be read at the moment")
                    .retry_after(5)
            }
        }
    }
}
