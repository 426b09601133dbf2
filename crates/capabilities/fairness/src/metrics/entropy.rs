//! Generalized entropy of benefits b = prediction - label + 1 (Speicher et al. 2018).

use std::f64::consts::LN_2;

use super::{Estimate, NO_DECISIONS, Undefined};
use crate::tally::{Matrix, Tally};

const NO_BENEFITS: &str = "every benefit is 0 (all are false negatives)";
const INFINITE: &str = "the logarithm of a benefit of 0 (a false negative) is not finite";

/// The index's parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alpha {
    /// Mean log deviation.
    Zero,
    /// Four times what the mean root falls short of the root of the mean, relative to it.
    Half,
    /// Theil's index.
    One,
    /// Half the squared coefficient of variation.
    Two,
    /// Most sensitive to who benefits most.
    Three,
}

impl Alpha {
    /// As a number.
    const fn number(self) -> f64 {
        match self {
            Self::Zero => 0.0,
            Self::Half => 0.5,
            Self::One => 1.0,
            Self::Two => 2.0,
            Self::Three => 3.0,
        }
    }
}

/// Generalized entropy of (benefit, weight) pairs.
pub(crate) fn generalized(benefits: &[(f64, f64)], alpha: Alpha) -> Result<f64, Undefined> {
    let total: f64 = benefits.iter().map(|(_, weight)| weight).sum();
    if total <= 0.0 {
        return Err(Undefined(NO_DECISIONS));
    }
    let mean = benefits.iter().map(|(benefit, weight)| benefit * weight).sum::<f64>() / total;
    if mean <= 0.0 {
        return Err(Undefined(NO_BENEFITS));
    }
    let zero = benefits.iter().any(|(benefit, weight)| *benefit <= 0.0 && *weight > 0.0);
    if alpha == Alpha::Zero && zero {
        return Err(Undefined(INFINITE));
    }
    let term = |benefit: f64| {
        let relative = benefit / mean;
        match alpha {
            Alpha::Zero => -relative.ln(),
            Alpha::Half => 4.0 * (1.0 - relative.sqrt()),
            Alpha::One if relative > 0.0 => relative * relative.ln(),
            Alpha::One => 0.0,
            Alpha::Two => (relative * relative - 1.0) / 2.0,
            Alpha::Three => (relative.powi(3) - 1.0) / 6.0,
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
///
/// The same as [`generalized`] of these three, with the mean taken out of the sum: bootstraps compute it millions of times.
#[inline]
pub(crate) fn of_matrix(matrix: &Matrix, alpha: Alpha) -> Result<f64, Undefined> {
    let Matrix { fp, fn_, .. } = *matrix;
    let right = matrix.tp + matrix.tn;
    let (total, benefits) = (fp + right + fn_, 2.0 * fp + right);
    if total <= 0.0 {
        return Err(Undefined(NO_DECISIONS));
    }
    if benefits <= 0.0 {
        return Err(Undefined(NO_BENEFITS));
    }
    let mean = benefits / total;
    match alpha {
        Alpha::Zero if fn_ > 0.0 => Err(Undefined(INFINITE)),
        Alpha::Zero => Ok(mean.ln() - LN_2 * (fp / total)),
        Alpha::One => Ok(LN_2 * (2.0 * fp / benefits) - mean.ln()),
        Alpha::Two => Ok(((4.0 * fp + right) / (benefits * mean) - 1.0) / 2.0),
        Alpha::Half | Alpha::Three => generalized(&[(2.0, fp), (1.0, right), (0.0, fn_)], alpha),
    }
}

/// The group's mean benefit.
pub(crate) fn mean_benefit(matrix: &Matrix) -> Option<f64> {
    let total = matrix.total();
    (total > 0.0).then(|| (2.0 * matrix.fp + matrix.tp + matrix.tn) / total)
}

/// The index of a group with its variance by the delta method: for parameters other than 0 and 1.
pub(crate) fn estimated(tally: &Tally, alpha: Alpha) -> Result<Estimate, Undefined> {
    let matrix = Matrix::of(tally);
    let value = of_matrix(&matrix, alpha)?.max(0.0);
    let judged = tally.judged();
    Ok(Estimate {
        value,
        variance: variance(&matrix, alpha, judged.effective()),
        bias: 0.0,
        n: judged.n,
    })
}

/// The coefficient of variation of the group's benefits, with its variance.
pub(crate) fn variation(tally: &Tally) -> Result<Estimate, Undefined> {
    let squared = estimated(tally, Alpha::Two)?;
    let value = (2.0 * squared.value).sqrt();
    // The slope of sqrt(2 x) is 1 / sqrt(2 x).
    let variance = squared.variance.map(|variance| variance / (value * value));
    Ok(Estimate { value, variance: variance.filter(|variance| variance.is_finite()), ..squared })
}

/// The variance of the index, from how much a row of each benefit moves it. A value at the end of its range moves nowhere: that
/// is no certainty.
fn variance(matrix: &Matrix, alpha: Alpha, effective: f64) -> Option<f64> {
    let total = matrix.total();
    let shares = [
        (2.0, matrix.fp / total),
        (1.0, (matrix.tp + matrix.tn) / total),
        (0.0, matrix.fn_ / total),
    ];
    let mean: f64 = shares.iter().map(|(benefit, share)| benefit * share).sum();
    let alpha = alpha.number();
    let power = |benefit: f64| (benefit / mean).powf(alpha);
    let moment: f64 = shares.iter().map(|(benefit, share)| power(*benefit) * share).sum();
    // The index is (moment - 1) / (alpha (alpha - 1)).
    let moves = |benefit: f64| {
        (power(benefit) - moment - alpha * moment * (benefit / mean - 1.0))
            / (alpha * (alpha - 1.0))
    };
    let squares: f64 = shares.iter().map(|(benefit, share)| share * moves(*benefit).powi(2)).sum();
    let variance = squares / (effective - 1.0);
    (effective > 1.0 && variance.is_finite() && variance > 0.0).then_some(variance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::{Count, NEGATIVE, POSITIVE};

    fn tally(tp: u64, fp: u64, tn: u64, fn_: u64) -> Tally {
        let count = |n: u64| Count { n, w: n as f64, w2: n as f64 };
        let mut tally = Tally::default();
        tally.cells[POSITIVE][POSITIVE] = count(tp);
        tally.cells[NEGATIVE][POSITIVE] = count(fp);
        tally.cells[NEGATIVE][NEGATIVE] = count(tn);
        tally.cells[POSITIVE][NEGATIVE] = count(fn_);
        tally
    }

    #[test]
    fn the_variance_is_that_of_numerical_slopes() {
        const STEP: f64 = 1e-6;
        let tally = tally(40, 13, 60, 7);
        let matrix = Matrix::of(&tally);
        for alpha in [Alpha::Half, Alpha::Two, Alpha::Three] {
            let at = |matrix: &Matrix| of_matrix(matrix, alpha).unwrap_or(f64::NAN);
            let n = matrix.total();
            // Of functions of shares, adding a row moves the value by its slope.
            let slopes = [
                (matrix.tp, Matrix { tp: matrix.tp + STEP, ..matrix }),
                (matrix.fp, Matrix { fp: matrix.fp + STEP, ..matrix }),
                (matrix.tn, Matrix { tn: matrix.tn + STEP, ..matrix }),
                (matrix.fn_, Matrix { fn_: matrix.fn_ + STEP, ..matrix }),
            ]
            .map(|(rows, moved)| (rows, (at(&moved) - at(&matrix)) / STEP * n));
            let expected = slopes.iter().map(|(rows, slope)| rows / n * slope * slope).sum::<f64>()
                / (n - 1.0);
            let found = variance(&matrix, alpha, n).unwrap_or(f64::NAN);
            assert!((found / expected - 1.0).abs() < 1e-3, "{alpha:?}: {found} {expected}");
        }
    }

    #[test]
    fn with_the_mean_taken_out_it_is_the_same() {
        for [tp, fp, tn, fn_] in
            [[40, 13, 60, 7], [40, 13, 60, 0], [1, 0, 0, 9], [0, 3, 0, 0], [5, 0, 5, 0]]
        {
            let matrix = Matrix::of(&tally(tp, fp, tn, fn_));
            let benefits = [(2.0, matrix.fp), (1.0, matrix.tp + matrix.tn), (0.0, matrix.fn_)];
            for alpha in [Alpha::Zero, Alpha::Half, Alpha::One, Alpha::Two, Alpha::Three] {
                match (of_matrix(&matrix, alpha), generalized(&benefits, alpha)) {
                    (Ok(found), Ok(expected)) => {
                        assert!((found - expected).abs() < 1e-15, "{alpha:?} {found} {expected}");
                    }
                    (found, expected) => assert_eq!(found, expected, "{alpha:?} {matrix:?}"),
                }
            }
        }
        for none in [[0; 4], [0, 0, 0, 4]] {
            let [tp, fp, tn, fn_] = none;
            assert!(of_matrix(&Matrix::of(&tally(tp, fp, tn, fn_)), Alpha::One).is_err());
        }
    }

    #[test]
    fn all_right_is_no_inequality_and_no_certainty() {
        let found = estimated(&tally(5, 0, 5, 0), Alpha::Three);
        assert_eq!(found, Ok(Estimate { value: 0.0, variance: None, bias: 0.0, n: 10 }));
        let found = variation(&tally(5, 0, 5, 0));
        assert_eq!(found, Ok(Estimate { value: 0.0, variance: None, bias: 0.0, n: 10 }));
        assert!(estimated(&tally(0, 0, 0, 4), Alpha::Half).is_err());
    }
}
