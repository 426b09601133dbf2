//! Linear and logistic models.

use super::Link;
use crate::{ExplainError, Rows};

/// Weighted sums of the features, one for each output.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// The features' names, in the order of a row's values.
    pub features: Vec<String>,
    /// The weights: output by output, in an output feature by feature.
    pub coefficients: Vec<f64>,
    /// What each output has before anything is added: one value for each.
    pub intercepts: Vec<f64>,
    /// From the sums to what is predicted.
    pub link: Link,
}

impl Linear {
    /// How many sums it makes: one, or one for each class.
    pub fn outputs(&self) -> usize {
        self.intercepts.len()
    }

    /// The weights of an output.
    pub fn weights(&self, output: usize) -> &[f64] {
        &self.coefficients[output * self.features.len()..(output + 1) * self.features.len()]
    }

    /// The sums for a row, before the link.
    pub fn margin(&self, row: &[f64]) -> Vec<f64> {
        let sum = |(output, intercept): (usize, &f64)| {
            let each = self.weights(output).iter().zip(row);
            each.fold(*intercept, |sum, (weight, value)| sum + weight * value)
        };
        self.intercepts.iter().enumerate().map(sum).collect()
    }

    /// What is predicted for each row: a number, a probability, or one for each class.
    ///
    /// # Errors
    /// When the rows do not have the model's features.
    pub fn predict(&self, rows: &Rows) -> Result<Vec<Vec<f64>>, ExplainError> {
        let rows = rows.of(self.features.len())?;
        Ok(rows.iter().map(|row| self.link.apply(self.margin(row))).collect())
    }
}
