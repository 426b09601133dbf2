//! How far predictions are from the truth.

use super::{
    Moments,
    metrics::{Found, Measure, Metric},
};
use crate::{disparities::RATIO_THRESHOLD, frame::About, metrics::Better};

pub(super) const METRIC: Metric = Metric {
    about: About {
        id: "mae",
        title: "Mean absolute error",
        formula: "mean(|y - prediction|)",
        range: (0.0, f64::MAX),
        better: Better::Lower,
        source: "scikit-learn mean_absolute_error",
        edge_cases: "The ratio is judged, since it has no unit; it is undefined where no group is ever wrong.",
        difference_threshold: None,
        ratio_threshold: Some(RATIO_THRESHOLD),
    },
    measure: Measure::Always(mean_absolute_error),
};

fn mean_absolute_error(sums: &Moments) -> Found {
    let mean = sums.mean(&sums.absolute);
    (mean, sums.variance_of_mean(mean, sums.mean(&sums.squared[0])))
}
