//! The same in the target's unit.

use super::{
    Moments,
    metrics::{Found, Measure, Metric},
};
use crate::{frame::About, metrics::Better};

pub(super) const METRIC: Metric = Metric {
    about: About {
        id: "rmse",
        title: "Root mean squared error",
        formula: "sqrt(mean((y - prediction)²))",
        range: (0.0, f64::MAX),
        better: Better::Lower,
        source: "scikit-learn root_mean_squared_error",
        edge_cases: "Its interval follows from that of the mean squared error by the delta method; there is none where the error is 0.",
        difference_threshold: None,
        ratio_threshold: None,
    },
    measure: Measure::Always(root_mean_squared_error),
};

fn root_mean_squared_error(sums: &Moments) -> Found {
    let mean = sums.mean(&sums.squared[0]);
    let variance = sums.variance_of_mean(mean, sums.mean(&sums.squared[1]));
    (mean.sqrt(), variance.filter(|_| mean > 0.0).map(|variance| variance / (4.0 * mean)))
}
