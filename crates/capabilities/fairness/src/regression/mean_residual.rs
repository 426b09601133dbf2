//! Whether a group is predicted too much or too little.

use super::{
    Moments,
    metrics::{Found, Measure, Metric},
};
use crate::{frame::About, metrics::Better};

pub(super) const METRIC: Metric = Metric {
    about: About {
        id: "mean_residual",
        title: "Mean residual",
        formula: "mean(y - prediction)",
        range: (f64::MIN, f64::MAX),
        better: Better::Neither,
        source: "Calders et al. 2013, balanced residuals",
        edge_cases: "Above 0 the group is predicted too little. 0 is best. Negative in some group, there is no ratio.",
        difference_threshold: None,
        ratio_threshold: None,
    },
    measure: Measure::Always(mean_residual),
};

fn mean_residual(sums: &Moments) -> Found {
    let mean = sums.mean(&sums.residual);
    (mean, sums.variance_of_mean(mean, sums.mean(&sums.squared[0])))
}
