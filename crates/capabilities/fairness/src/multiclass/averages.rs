//! Averages over classes, with their variance by the delta method.

use super::Matrix;
use crate::{analysis::Estimated, frame::estimated};

const NO_ROWS: &str = "the group has no rows with both classes";

/// An average and each row's influence on it, by true and predicted class.
pub(super) struct Average {
    pub value: f64,
    pub influence: Box<dyn Fn(usize, usize) -> f64>,
}

/// The confusion as shares: by both classes, by true class, by predicted class.
pub(super) struct Shares {
    pub both: Vec<Vec<f64>>,
    pub truth: Vec<f64>,
    pub predicted: Vec<f64>,
}

impl Shares {
    /// The share of class `at` that is right, of a whole; `None` of nothing.
    pub(super) fn right_of(&self, at: usize, whole: &[f64]) -> Option<f64> {
        (whole[at] > 0.0).then(|| self.both[at][at] / whole[at])
    }
}

/// Estimates an average over classes of a group.
pub(super) fn of(
    matrix: &Matrix,
    average: fn(&Shares) -> Result<Average, &'static str>,
) -> Estimated {
    let judged = matrix.judged();
    if judged.w <= 0.0 {
        return estimated(Err(NO_ROWS), judged.n);
    }
    let (both, truth, predicted) = matrix.shares();
    let shares = Shares { both, truth, predicted };
    let found = average(&shares).map(|average| {
        let (mut mean, mut squares) = (0.0, 0.0);
        for (truth, row) in shares.both.iter().enumerate() {
            for (predicted, share) in row.iter().enumerate().filter(|(_, share)| **share > 0.0) {
                let influence = (average.influence)(truth, predicted);
                mean += share * influence;
                squares += share * influence * influence;
            }
        }
        let effective = judged.effective();
        let variance = (squares - mean * mean).max(0.0) / (effective - 1.0);
        (average.value, Some(variance).filter(|variance| effective > 1.0 && *variance > 0.0))
    });
    estimated(found, judged.n)
}

/// The plain mean over the classes for which there is a value, from the value and the share that it is of.
pub(super) fn plain_mean(
    values: &[Option<f64>],
    none: &'static str,
) -> Result<(f64, f64), &'static str> {
    let defined: Vec<f64> = values.iter().copied().flatten().collect();
    if defined.is_empty() {
        return Err(none);
    }
    let count = defined.len() as f64;
    Ok((defined.iter().sum::<f64>() / count, count))
}
