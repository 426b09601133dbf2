//! The linear model.

use tokio_util::sync::CancellationToken;

use crate::{ExplainError, Rows, solve::Factored};

/// Made-up rows as a linear model sees them, with what the model predicts and how near they are. The first is explained.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The rows.
    pub rows: Rows,
    /// What is predicted of each.
    pub targets: Vec<f64>,
    /// How much each counts.
    pub weights: Vec<f64>,
}

/// A linear model that answers as the model does near a row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Local {
    /// What it answers when all is 0.
    pub intercept: f64,
    /// Features with their coefficients, the greatest first, and their standard errors over the repeats.
    pub coefficients: Vec<(usize, f64, Option<f64>)>,
    /// The share of the predictions' variance that it tells; none where they do not vary.
    pub r2: Option<f64>,
    /// What the model predicts for the row.
    pub predicted: f64,
    /// What the linear model does.
    pub local: f64,
}

/// Weighted sums of products, of all rows less their means.
pub(super) struct Products {
    width: usize,
    means: Vec<f64>,
    mean: f64,
    matrix: Vec<f64>,
    right: Vec<f64>,
    /// Of the targets with themselves.
    variance: f64,
}

impl Products {
    /// # Errors
    /// When it is cancelled.
    pub fn new(sample: &Sample, cancel: &CancellationToken) -> Result<Self, ExplainError> {
        let width = sample.rows.width();
        let all: f64 = sample.weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let (mut means, mut mean) = (vec![0.0; width], 0.0);
        let each = || sample.rows.iter().zip(&sample.targets).zip(&sample.weights);
        for ((row, target), weight) in each() {
            mean += weight * target / all;
            for (mean, value) in means.iter_mut().zip(row) {
                *mean += weight * value / all;
            }
        }
        let (mut matrix, mut right) = (vec![0.0; width * width], vec![0.0; width]);
        let mut variance = 0.0;
        let mut off = vec![0.0; width];
        for ((row, target), weight) in each() {
            for ((off, value), mean) in off.iter_mut().zip(row).zip(&means) {
                *off = value - mean;
            }
            if cancel.is_cancelled() {
                return Err(ExplainError::Cancelled);
            }
            variance += weight * (target - mean).powi(2);
            for (one, a) in off.iter().enumerate() {
                right[one] += weight * a * (target - mean);
                for (cell, b) in matrix[one * width..].iter_mut().zip(&off) {
                    *cell += weight * a * b;
                }
            }
        }
        Ok(Self { width, means, mean, matrix, right, variance })
    }

    /// The coefficients of these features, held back by `alpha`.
    pub fn solve(&self, features: &[usize], alpha: f64) -> Vec<f64> {
        let size = features.len();
        let mut matrix = vec![0.0; size * size];
        for (i, one) in features.iter().enumerate() {
            for (j, two) in features.iter().enumerate() {
                matrix[i * size + j] =
                    self.matrix[one * self.width + two] + if i == j { alpha } else { 0.0 };
            }
        }
        let right: Vec<f64> = features.iter().map(|feature| self.right[*feature]).collect();
        Factored::new(&matrix, size).solve(&right)
    }

    /// The share of the variance that coefficients tell.
    pub fn r2(&self, features: &[usize], coefficients: &[f64]) -> Option<f64> {
        let mut residual = self.variance;
        for (one, a) in features.iter().zip(coefficients) {
            residual -= 2.0 * a * self.right[*one];
            for (two, b) in features.iter().zip(coefficients) {
                residual += a * b * self.matrix[one * self.width + two];
            }
        }
        // What is left of the same number twice is rounding.
        let varies = self.variance > 1e-20 * self.mean.powi(2).max(f64::MIN_POSITIVE);
        varies.then(|| 1.0 - residual / self.variance)
    }
}

/// Ridge regression on the chosen features, every row with its weight.
///
/// # Errors
/// When it is cancelled.
pub fn fit(
    sample: &Sample,
    features: &[usize],
    alpha: f64,
    cancel: &CancellationToken,
) -> Result<Local, ExplainError> {
    let products = Products::new(sample, cancel)?;
    let solved = products.solve(features, alpha);
    let told = |row: &dyn Fn(usize) -> f64| -> f64 {
        features.iter().zip(&solved).map(|(feature, solved)| solved * row(*feature)).sum()
    };
    let intercept = products.mean - told(&|feature| products.means[feature]);
    let first = (!sample.rows.is_empty()).then(|| sample.rows.row(0));
    let mut coefficients: Vec<(usize, f64, Option<f64>)> =
        features.iter().zip(&solved).map(|(feature, solved)| (*feature, *solved, None)).collect();
    // In an order that all repeats share; who shows them sorts them by size.
    coefficients.sort_by_key(|(feature, ..)| *feature);
    Ok(Local {
        intercept,
        coefficients,
        r2: products.r2(features, &solved),
        predicted: sample.targets.first().copied().unwrap_or_default(),
        local: intercept + first.map_or(0.0, |first| told(&|feature| first[feature])),
    })
}
