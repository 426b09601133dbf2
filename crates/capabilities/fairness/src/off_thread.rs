//! Work that takes long, and waits for nothing.

use crate::AnalysisError;

/// Does it on a thread of its own kind: the runtime's serve who waits.
///
/// # Errors
/// What the work says, and [`AnalysisError::Engine`] where it broke.
pub(crate) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AnalysisError> + Send + 'static,
) -> Result<T, AnalysisError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|failed| AnalysisError::Engine(failed.to_string()))?
}
