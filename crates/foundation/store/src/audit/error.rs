//! What can go wrong with the trail.

use ephor_kernel::{Code, Problem};
use ephor_seal::{NoteError, export::ExportError, tile::MissingTile};

use crate::StoreError;

/// The trail can't be read, sealed or proven.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored part of a tree is gone: run a verification.
    #[error("the audit tree is incomplete: {0}; run `ephor audit verify`")]
    Tile(#[from] MissingTile),
    /// A checkpoint or a key's note can't be read or trusted.
    #[error("a note in the database: {0}")]
    Note(#[from] NoteError),
    /// Writing the export failed.
    #[error("the export can't be written: {0}")]
    Write(#[from] std::io::Error),
    /// A month's archive can't be written, read, or trusted.
    #[error("the archive of the audit trail: {0}")]
    Archive(String),
    /// A hash in the database has the wrong length.
    #[error("the database holds a malformed {0}; run `ephor audit verify`")]
    Malformed(&'static str),
    /// A thread that hashed died.
    #[error("a worker thread failed: {0}")]
    Worker(#[from] tokio::task::JoinError),
    /// The export could not be encoded.
    #[error(transparent)]
    Export(#[from] ExportError),
}

impl From<sqlx::Error> for AuditError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Store(error) => error.into(),
            AuditError::Tile(_) | AuditError::Note(_) | AuditError::Malformed(_) => {
                tracing::error!(%error, "the audit trail is damaged");
                Self::new(
                    Code::Internal,
                    "The audit trail is damaged; the operator should run `ephor audit verify`",
                )
            }
            AuditError::Write(_)
            | AuditError::Worker(_)
            | AuditError::Export(_)
            | AuditError::Archive(_) => {
                tracing::error!(%error, "the audit trail could not be handled");
                Self::internal()
            }
        }
    }
}
