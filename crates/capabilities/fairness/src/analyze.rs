//! From a table and a spec to a result.

use datafusion::prelude::DataFrame;
use tokio_util::sync::CancellationToken;

use crate::{AnalysisError, AnalysisResult, AnalysisSpec};

/// Who wants to know how far the scan is.
pub trait Progress: Send + Sync {
    /// `done` rows of `total` (if known) are read. Called a few times a second.
    fn rows(&self, done: u64, total: Option<u64>);
}

impl Progress for () {
    fn rows(&self, _done: u64, _total: Option<u64>) {}
}

impl<F: Fn(u64, Option<u64>) + Send + Sync> Progress for F {
    fn rows(&self, done: u64, total: Option<u64>) {
        self(done, total);
    }
}

/// Analyses `table` for bias.
///
/// Reads the columns that `spec` names once, in parallel, within bounded memory.
///
/// # Errors
/// [`AnalysisError::Invalid`] with every fault of spec and data; [`AnalysisError::Cancelled`] soon after `cancel` is;
/// [`AnalysisError::Read`] if the data cannot be read to their end.
pub async fn analyze(
    table: DataFrame,
    spec: &AnalysisSpec,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<AnalysisResult, AnalysisError> {
    let faults = spec.faults();
    if !faults.is_empty() {
        return Err(AnalysisError::Invalid(faults));
    }
    progress.rows(0, None);
    let _ = (table, cancel);
    Err(AnalysisError::Engine("the scan is not connected yet".to_owned()))
}
