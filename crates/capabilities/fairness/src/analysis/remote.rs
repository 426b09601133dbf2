//! Plans that run on other machines: what an analysis must know of them.

use std::sync::Arc;

use datafusion::{error::DataFusionError, prelude::DataFrame};

/// Says of a session that its plans run on other machines. Whoever makes such a session puts this into its configuration
/// (`SessionConfig::with_extension`); an analysis of a table of that session then leaves all reading to them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Remote {
    /// How many rows the table has, if that is known: other machines must read as many.
    pub rows: Option<u64>,
}

impl Remote {
    /// Of the table's session; `None` if its plans run here.
    pub(crate) fn of(table: &DataFrame) -> Option<Arc<Self>> {
        table.task_ctx().session_config().get_extension::<Self>()
    }

    /// Whether so many rows are all of them.
    ///
    /// # Errors
    /// They are more, or fewer: other machines see another file, or none.
    pub(crate) fn must_have_read(&self, read: u64) -> Result<(), RemoteError> {
        let why = match self.rows {
            Some(rows) if read == 0 && rows > 0 => format!(
                "the other machines found none of the table's {rows} rows: they must see it under the same name"
            ),
            Some(rows) if rows != read => format!(
                "the other machines read {read} rows of a table that has {rows}: they see another file at its place"
            ),
            _ => return Ok(()),
        };
        Err(RemoteError(why))
    }
}

/// Why other machines did not run a plan: the whole of it, in words for people.
///
/// Within a `DataFusionError::External` it becomes [`AnalysisError::Remote`](crate::AnalysisError::Remote).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RemoteError(pub String);

impl RemoteError {
    /// At the root of another error, if it is there.
    pub(crate) fn within(error: &DataFusionError) -> Option<&Self> {
        match error.find_root() {
            DataFusionError::External(cause) => cause.downcast_ref(),
            _ => None,
        }
    }
}
