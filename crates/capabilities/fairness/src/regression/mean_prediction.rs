//! What is predicted of a group on average.

use super::{
    Moments,
    metrics::{Found, Measure, Metric},
};
use crate::{frame::About, metrics::Better};

pub(super) const METRIC: Metric = Metric {
    about: About {
        id: "mean_prediction",
        title: "Mean prediction",
        formula: "mean(prediction)",
        range: (f64::MIN, f64::MAX),
        better: Better::Neither,
        source: "Fairlearn mean_prediction",
        edge_cases: "Rows without a true number are left out too. Differences are in the units of the target, so that no threshold is set for them.",
        difference_threshold: None,
        ratio_threshold: None,
    },
    measure: Measure::Always(mean_prediction),
};

fn mean_prediction(sums: &Moments) -> Found {
    let mean = sums.mean(&sums.predicted[0]);
    let variance = sums.variance_of_mean(mean, sums.mean(&sums.predicted[1]));
    (sums.centre + mean, variance)
}
