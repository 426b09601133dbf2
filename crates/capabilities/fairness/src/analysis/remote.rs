//! Plans that run on other machines: what an analysis must know of them.

use std::sync::Arc;

use datafusion::prelude::DataFrame;

/// Says of a session that its plans run on other machines. Whoever makes such a session puts this into its configuration
/// (`SessionConfig::with_extension`); an analysis of a table of that session then leaves all reading to them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Remote {
    /// How many rows the table has, if that is known: other machines must read as many.
    pub rows: Option<u64>,
}

impl Remote {
    /// Of the table's session; `None` if its plans run here.
    pub(super) fn of(table: &DataFrame) -> Option<Arc<Self>> {
        table.task_ctx().session_config().get_extension::<Self>()
    }
}

/// Why other machines did not run a plan: the whole of it, in words for people.
///
/// Within a `DataFusionError::External` it becomes [`AnalysisError::Remote`](crate::AnalysisError::Remote).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RemoteError(pub String);
