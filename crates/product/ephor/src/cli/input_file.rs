//! A file that a command reads, and the work on it.

use std::path::{Path, PathBuf};

use ephor_fairness::{AnalysisError, DataFrame};
use ephor_tabular::{OpenOptions, Source, TabularError};
use tokio_util::sync::CancellationToken;

use crate::exit::UsageError;

/// Opens the file (`-`: standard input) and does the work on it, until it is done or Ctrl-C is pressed. `memory`: MiB before
/// it spills to disk.
pub async fn with_table<T>(
    file: &Path,
    memory: usize,
    work: impl AsyncFnOnce(DataFrame, &CancellationToken) -> Result<T, AnalysisError>,
) -> anyhow::Result<T> {
    let source =
        if file.as_os_str() == "-" { Source::Stdin } else { Source::Path(PathBuf::from(file)) };
    let options = OpenOptions { memory_bytes: memory << 20, ..OpenOptions::default() };
    let table = ephor_tabular::open(source, options).await.map_err(unreadable)?;
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    let ctrl_c = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.cancel();
        }
    });
    let outcome = work(table.dataframe().map_err(unreadable)?, &cancel).await;
    ctrl_c.abort();
    outcome.map_err(invalid)
}

/// What is read, for people.
pub fn named(file: &Path) -> String {
    match file.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => file.display().to_string(),
    }
}

/// An error of the engine: the caller's, if the question or the data are wrong.
pub fn invalid(error: AnalysisError) -> anyhow::Error {
    match error {
        AnalysisError::Invalid(_) | AnalysisError::Read(_) => UsageError(error.to_string()).into(),
        AnalysisError::Cancelled | AnalysisError::Engine(_) => error.into(),
    }
}

fn unreadable(error: TabularError) -> anyhow::Error {
    UsageError(error.to_string()).into()
}
