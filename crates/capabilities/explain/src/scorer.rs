//! Whatever answers for rows.

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
}
