//! Ten equal-width bins of scores, and row-wise losses over the score histogram.

use crate::tally::{NEGATIVE, POSITIVE, Tally};

/// Bins of the reliability curve.
pub(crate) const BINS: usize = 10;

/// One bin: weights by label and the weighted sum of scores.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bin {
    pub n: u64,
    pub w: [f64; 2],
    pub score_sum: f64,
}

/// The bins of a group; `None` unless all scores are probabilities.
pub(crate) fn bins(tally: &Tally) -> Option<[Bin; BINS]> {
    if !tally.probabilities {
        return None;
    }
    let mut bins = [Bin::default(); BINS];
    for point in &tally.points {
        let bin = &mut bins[usize::from(point.decile?).min(BINS - 1)];
        bin.n += point.n[NEGATIVE] + point.n[POSITIVE];
        bin.w[NEGATIVE] += point.w[NEGATIVE];
        bin.w[POSITIVE] += point.w[POSITIVE];
        bin.score_sum += point.score_sum;
    }
    Some(bins)
}

/// Weighted sum of `f(score, label)` over labelled rows (within a bin, at its mean score).
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
pub(crate) fn row_log_loss(score: f64, positive: bool) -> f64 {
    let score = score.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
    if positive { -score.ln() } else { -(1.0 - score).ln() }
}
