//! Generalized entropy of benefits b = prediction - label + 1 (Speicher et al. 2018).

use super::{NO_DECISIONS, Undefined};
use crate::tally::Matrix;

/// The index's parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alpha {
    /// Mean log deviation.
    Zero,
    /// Theil's index.
    One,
    /// Half the squared coefficient of variation.
    Two,
}

/// Generalized entropy of (benefit, weight) pairs.
pub(crate) fn generalized(benefits: &[(f64, f64)], alpha: Alpha) -> Result<f64, Undefined> {
    let total: f64 = benefits.iter().map(|(_, weight)| weight).sum();
    if total <= 0.0 {
        return Err(Undefined(NO_DECISIONS));
    }
    let mean = benefits.iter().map(|(benefit, weight)| benefit * weight).sum::<f64>() / total;
    if mean <= 0.0 {
        return Err(Undefined("every benefit is 0 (all are false negatives)"));
    }
    let zero = benefits.iter().any(|(benefit, weight)| *benefit <= 0.0 && *weight > 0.0);
    if alpha == Alpha::Zero && zero {
        return Err(Undefined("the logarithm of a benefit of 0 (a false negative) is not finite"));
    }
    let term = |benefit: f64| {
        let relative = benefit / mean;
        match alpha {
            Alpha::Zero => -relative.ln(),
            Alpha::One if relative > 0.0 => relative * relative.ln(),
            Alpha::One => 0.0,
            Alpha::Two => (relative * relative - 1.0) / 2.0,
        }
    };
    let sum: f64 = benefits
        .iter()
        .filter(|(_, weight)| *weight > 0.0)
        .map(|(benefit, weight)| weight * term(*benefit))
        .sum();
    Ok(sum / total)
}

/// The benefits of a group: 2 for a false positive, 1 for a right prediction, 0 for a false negative.
pub(crate) fn of_matrix(matrix: &Matrix, alpha: Alpha) -> Result<f64, Undefined> {
    generalized(&[(2.0, matrix.fp), (1.0, matrix.tp + matrix.tn), (0.0, matrix.fn_)], alpha)
}

/// The group's mean benefit.
pub(crate) fn mean_benefit(matrix: &Matrix) -> Option<f64> {
    let total = matrix.total();
    (total > 0.0).then(|| (2.0 * matrix.fp + matrix.tp + matrix.tn) / total)
}
