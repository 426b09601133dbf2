//! The metrics of one group's predicted numbers: one file each, and the registry that lists them.

use super::{
    Moments, bounded_group_loss, mean_absolute_error, mean_prediction, mean_residual,
    mean_squared_error, r_squared, root_mean_squared_error, statistical_parity,
};
use crate::{
    analysis::Estimated,
    frame::{About, estimated},
};
use serde::Serialize;

/// A value with its variance, if that is known.
pub(super) type Found = (f64, Option<f64>);

/// How a metric is computed.
#[derive(Debug)]
pub(super) enum Measure {
    /// Of any rows.
    Always(fn(&Moments) -> Found),
    /// Of some, or why not.
    Sometimes(fn(&Moments) -> Result<Found, &'static str>),
}

/// A metric of predicted numbers.
#[derive(Debug, Serialize)]
pub struct Metric {
    /// What it is.
    #[serde(flatten)]
    pub about: About,
    #[serde(skip)]
    pub(super) measure: Measure,
}

impl Metric {
    pub(super) fn of(&self, sums: &Moments) -> Estimated {
        let found = match self.measure {
            _ if sums.count.w <= 0.0 => Err("the group's rows have no weight"),
            Measure::Always(of) => Ok(of(sums)),
            Measure::Sometimes(of) => of(sums),
        };
        estimated(found, sums.count.n)
    }
}

static REGISTRY: [Metric; 6] = [
    mean_prediction::METRIC,
    mean_residual::METRIC,
    mean_absolute_error::METRIC,
    mean_squared_error::METRIC,
    root_mean_squared_error::METRIC,
    r_squared::METRIC,
];

/// All metrics, in the order in which results list them.
pub fn registry() -> &'static [Metric] {
    &REGISTRY
}

/// The disparities that are no difference or ratio of a metric.
pub static DISPARITIES: [About; 2] = [statistical_parity::ABOUT, bounded_group_loss::ABOUT];
