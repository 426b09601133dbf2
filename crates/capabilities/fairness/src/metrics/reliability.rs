//! The reliability curve's bins, and row-wise losses over the histogram of scores.

use crate::tally::{NEGATIVE, POSITIVE, Tally};

/// Bins of the reliability curve.
pub(crate) const BINS: usize = 10;

/// Weighted sum of `f(score, label)` over labelled rows (of a bin, at its middle).
pub(crate) fn second_moment(tally: &Tally, f: impl Fn(f64, f64) -> f64) -> f64 {
    let at = |score: f64, label: f64, weight: f64| {
        if weight > 0.0 { weight * f(score, label) } else { 0.0 }
    };
    tally
        .points
        .iter()
        .map(|point| {
            at(point.score, 0.0, point.w[NEGATIVE]) + at(point.score, 1.0, point.w[POSITIVE])
        })
        .sum()
}

/// The log loss of one row, clipped as scikit-learn clips it.
#[inline]
pub(crate) fn row_log_loss(score: f64, positive: bool) -> f64 {
    let score = score.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
    if positive { -score.ln() } else { -(1.0 - score).ln() }
}
