//! How far predictions are from the truth, great errors counting more.

use super::{
    Moments,
    metrics::{Found, Measure, Metric},
};
use crate::{frame::About, metrics::Better};

pub(super) const METRIC: Metric = Metric {
    about: About {
        id: "mse",
        title: "Mean squared error",
        formula: "mean((y - prediction)²)",
        range: (0.0, f64::MAX),
        better: Better::Lower,
        source: "scikit-learn mean_squared_error",
        edge_cases: "In the square of the target's unit.",
        difference_threshold: None,
        ratio_threshold: None,
    },
    measure: Measure::Always(mean_squared_error),
};

fn mean_squared_error(sums: &Moments) -> Found {
    let mean = sums.mean(&sums.squared[0]);
    (mean, sums.variance_of_mean(mean, sums.mean(&sums.squared[1])))
}
