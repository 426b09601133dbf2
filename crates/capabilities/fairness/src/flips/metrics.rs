//! The rates of decisions that flip: one file each, and the registry that lists them.

use serde::Serialize;

use super::{flip_rate, flips_to_negative, flips_to_positive, greatest_flip_rate, pairs::Pairs};
use crate::{
    analysis::{Estimated, Sure},
    frame::About,
    intervals::Proportion,
    tally::Count,
};

/// A rate of rows whose decision flips.
#[derive(Debug, Serialize)]
pub struct Metric {
    /// What it is.
    #[serde(flatten)]
    pub about: About,
    /// The rows that it counts.
    #[serde(skip)]
    pub(super) counted: fn(&Pairs) -> Count,
}

impl Metric {
    pub(super) fn of(&self, pairs: &Pairs) -> Estimated {
        let n = pairs.all.n;
        let Some(rate) = rate((self.counted)(pairs), pairs.all) else {
            let none = "the group's rows have no weight";
            return Estimated { value: None, undefined: Some(none), n, sure: Sure::Unknown };
        };
        Estimated { value: Some(rate.p), undefined: None, n, sure: Sure::Rate(rate) }
    }
}

/// Some of all rows, if these have weight.
pub(super) fn rate(some: Count, all: Count) -> Option<Proportion> {
    let (p, n) = ((some.w / all.w).min(1.0), all.effective());
    (all.w > 0.0 && p.is_finite() && n > 0.0 && n.is_finite()).then_some(Proportion { p, n })
}

static REGISTRY: [Metric; 3] =
    [flip_rate::METRIC, flips_to_positive::METRIC, flips_to_negative::METRIC];

/// All rates, in the order in which results list them.
pub fn registry() -> &'static [Metric] {
    &REGISTRY
}

/// The disparities that are no difference or ratio of a rate.
pub static DISPARITIES: [About; 1] = [greatest_flip_rate::ABOUT];
