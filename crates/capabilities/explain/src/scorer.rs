//! Whatever answers for rows.

use tokio_util::sync::CancellationToken;

use crate::{ExplainError, Rows};

/// A model seen from outside: rows go in, predictions come out. What only needs that, explains any model.
pub trait Scorer: Send + Sync {
    /// The features' names, in the order of a row's values.
    fn features(&self) -> &[String];

    /// How many numbers it predicts for a row: one, or one for each class.
    fn outputs(&self) -> usize;

    /// What it predicts: row by row, in a row output by output. It may take long, and is called where blocking is allowed.
    ///
    /// # Errors
    /// When the rows do not have the model's features, or it cannot be asked.
    fn score(&self, rows: &Rows) -> Result<Vec<f64>, ExplainError>;

    /// The same, given up once it is no longer wanted: between its parts, where it is made in parts, or while an answer is
    /// waited for.
    ///
    /// # Errors
    /// As [`Self::score`], and [`ExplainError::Cancelled`] when it was given up.
    fn score_until(
        &self,
        rows: &Rows,
        _cancel: &CancellationToken,
    ) -> Result<Vec<f64>, ExplainError> {
        self.score(rows)
    }
}
