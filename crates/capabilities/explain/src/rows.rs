//! Rows to be explained.

use crate::ExplainError;

/// Rows of numbers, one after the other; NaN is a missing value, and a category is its number.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    values: Vec<f64>,
    width: usize,
}

impl Rows {
    /// Rows of `width` values each; what does not fill a row at the end is left out.
    pub fn new(mut values: Vec<f64>, width: usize) -> Self {
        values.truncate(values.len().checked_rem(width).map_or(0, |over| values.len() - over));
        Self { values, width }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Values in each.
    pub fn width(&self) -> usize {
        self.width
    }

    /// One of them.
    pub fn row(&self, index: usize) -> &[f64] {
        &self.values[index * self.width..(index + 1) * self.width]
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.width.max(1))
    }

    pub(crate) fn of(&self, features: usize) -> Result<&Self, ExplainError> {
        if self.width == features || self.is_empty() {
            Ok(self)
        } else {
            Err(ExplainError::Width { expected: features, found: self.width })
        }
    }
}
