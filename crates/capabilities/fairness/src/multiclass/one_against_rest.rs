//! One class against the rest, by every metric of binary decisions.

use super::Matrix;
use crate::{
    IntervalMethod,
    analysis::{Estimated, Sure, estimate},
    frame::{Joined, Measured, Quantity},
    metrics::{self, Measure, Metric, Needs, Smooth},
    tally::{self, Tally},
};

/// The binary metrics that need labels and predictions only, but for the share of a whole.
fn binary() -> impl Iterator<Item = &'static Metric> {
    metrics::registry().iter().copied().filter(|metric| {
        matches!(metric.needs, Needs::Labels | Needs::Predictions | Needs::Decisions)
            && metric.id != "ppr"
    })
}

/// The same, to be compared.
pub(super) fn quantities() -> Vec<Quantity<'static>> {
    let of = |metric: &'static Metric| Quantity {
        id: metric.id,
        title: metric.title,
        range: metric.range,
        difference_threshold: None,
        ratio_threshold: None,
    };
    // Accuracy is told of all classes together.
    binary().filter(|metric| metric.id != "accuracy").map(of).collect()
}

/// A group's metrics of one class against the rest.
pub(super) fn measured(group: &Joined, matrix: &Matrix, class: usize, everybody: f64) -> Measured {
    let tally = matrix.against_rest(class, everybody);
    Measured {
        values: group.values.clone(),
        name: group.name.clone(),
        n: tally.all.n,
        weight: tally.all.w,
        metrics: binary()
            .filter(|metric| metric.id != "accuracy")
            .map(|metric| with_variance(metric, &tally))
            .collect(),
    }
}

/// A smooth function of the confusion has its interval by the delta method.
fn with_variance(metric: &Metric, tally: &Tally) -> Estimated {
    let mut found = estimate(metric.measure, tally, false);
    if let (Measure::Matrix(Smooth { one: of, .. }), Some(value)) = (metric.measure, found.value) {
        let judged = tally.judged();
        let shares = tally.confusion().map(|count| count.w / judged.w);
        if let Some(variance) = delta(of, shares, value, judged.effective()) {
            found.sure = Sure::Variance(variance, IntervalMethod::Normal);
        }
    }
    found
}

/// The variance of a function of four shares, from its slopes.
fn delta(
    of: fn(&tally::Matrix) -> Result<f64, metrics::Undefined>,
    shares: [f64; 4],
    value: f64,
    effective: f64,
) -> Option<f64> {
    const STEP: f64 = 1e-6;
    let at = |shares: [f64; 4]| {
        let [tp, fp, tn, fn_] = shares;
        of(&tally::Matrix { tp, fp, tn, fn_ }).ok()
    };
    let (mut mean, mut squares) = (0.0, 0.0);
    for (place, share) in shares.into_iter().enumerate().filter(|(_, share)| *share > 0.0) {
        let (mut up, mut down) = (shares, shares);
        let step = STEP.min(share / 2.0);
        up[place] += step;
        down[place] -= step;
        let slope = (at(up)? - at(down)?) / (2.0 * step);
        mean += share * slope;
        squares += share * slope * slope;
    }
    let variance = (squares - mean * mean).max(0.0) / (effective - 1.0);
    // A value at the end of its range moves nowhere: that is no certainty.
    (value.is_finite() && variance.is_finite() && effective > 1.0 && variance > 0.0)
        .then_some(variance)
}
