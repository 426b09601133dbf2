//! What is kept of rows that are read once: here, one after another, or in parts on other machines, whose findings are put
//! together.
//!
//! Sums of numbers are added in another order there, so that their last digits may differ; counts do not.

mod function;
mod plan;
mod question;
mod sealed;

use arrow::array::{AsArray, RecordBatch};
use datafusion::prelude::DataFrame;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::{
    AnalysisError,
    analysis::Remote,
    frame::{rows, run},
    off_thread::off_thread,
};
pub use function::{FUNCTION_NAME, fair_rows};
pub(crate) use plan::{LIST, ROWS};
pub(crate) use question::Question;
use sealed::Sealed;

/// What is kept of rows, whoever read them.
pub(crate) trait Gather: Send + Sync + 'static {
    /// Adds the rows of a batch.
    fn add(&mut self, batch: &RecordBatch) -> Result<(), AnalysisError>;

    /// How many rows were added.
    fn rows(&self) -> u64;

    /// About how many bytes it takes.
    fn size(&self) -> usize;

    /// All of it, for [`merge`](Self::merge) of another that was asked the same. It comes once, at the end: what is large is taken
    /// out.
    fn kept(&mut self) -> Result<Vec<u8>, AnalysisError>;

    /// Adds what another kept.
    fn merge(&mut self, kept: &[u8]) -> Result<(), AnalysisError>;
}

/// Reads some columns once: on other machines, if the table's session says so, which are asked `question`; otherwise here, each
/// row in the same order each time.
pub(crate) async fn gather<S: Gather>(
    table: DataFrame,
    columns: &[&str],
    question: impl FnOnce() -> Question,
    state: S,
    cancel: &CancellationToken,
) -> Result<S, AnalysisError> {
    let Some(remote) = Remote::of(&table) else {
        return rows(table, columns, None, cancel, state, S::add).await;
    };
    let planned = plan::whole(&table, columns, &question()).map_err(AnalysisError::Read)?;
    answered(planned, &remote, state, cancel).await
}

/// The same of rows that come by list: here ordered by it, so that those of one list come together, elsewhere each list in one
/// place. There the first of two questions is asked of each, and the other of what that found.
pub(crate) async fn gather_lists<S: Gather>(
    table: DataFrame,
    columns: &[&str],
    list: Option<&str>,
    questions: impl FnOnce() -> [Question; 2],
    state: S,
    cancel: &CancellationToken,
) -> Result<S, AnalysisError> {
    let Some(remote) = Remote::of(&table) else {
        let columns: Vec<&str> = columns.iter().copied().chain(list).collect();
        return rows(table, &columns, list, cancel, state, S::add).await;
    };
    let [of_list, question] = questions();
    let planned = plan::by_list(&table, columns, list, &of_list, &question);
    answered(planned.map_err(AnalysisError::Read)?, &remote, state, cancel).await
}

/// Runs the plan, and adds what it found.
async fn answered<S: Gather>(
    planned: DataFrame,
    remote: &Remote,
    mut state: S,
    cancel: &CancellationToken,
) -> Result<S, AnalysisError> {
    let found = run(planned, cancel, None, |found: &mut Option<Vec<u8>>, batch| {
        let bytes = batch.columns().first().and_then(|column| column.as_binary_opt::<i64>());
        let bytes = bytes.ok_or_else(|| damaged("it has no bytes"))?;
        if let Some(sealed) = bytes.iter().flatten().next() {
            *found = Some(sealed.to_vec());
        }
        Ok(())
    })
    .await?;
    let sealed = found.ok_or_else(|| AnalysisError::Engine("the scan kept nothing".to_owned()))?;
    let remote = *remote;
    // A million individuals take a while.
    off_thread(move || {
        state.merge(opened(&sealed)?)?;
        remote.must_have_read(state.rows())?;
        Ok(state)
    })
    .await
}

/// What is kept as bytes.
pub(crate) fn pack(kept: &impl Serialize) -> Result<Vec<u8>, AnalysisError> {
    postcard::to_extend(kept, Vec::new()).map_err(|error| AnalysisError::Engine(error.to_string()))
}

/// What these bytes keep.
pub(crate) fn unpack<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, AnalysisError> {
    postcard::from_bytes(bytes).map_err(|error| AnalysisError::Engine(error.to_string()))
}

/// What the function found, kept: of one list, for those who gather many.
pub(crate) fn opened(sealed: &[u8]) -> Result<&[u8], AnalysisError> {
    match Sealed::from_bytes(sealed)? {
        Sealed::Kept(kept) => Ok(kept),
        Sealed::Refused(faults) => Err(AnalysisError::Invalid(faults.into_owned())),
    }
}

/// Adds counts, one by one.
pub(crate) fn add_counts(mine: &mut [u64], theirs: &[u64]) {
    for (mine, theirs) in mine.iter_mut().zip(theirs) {
        *mine = mine.saturating_add(*theirs);
    }
}

/// What another kept cannot be of these rows.
pub(crate) fn damaged(what: &str) -> AnalysisError {
    AnalysisError::Engine(format!("what was kept of some rows is damaged: {what}"))
}
