//! What the analyses of other than binary labels share: who is compared with whom, one pass over the rows, and disparities of
//! any metric that has an interval.

mod compare;
mod evidence;
mod found;
mod grouping;
mod groups;
mod outcome;
mod read;
mod total;

pub use found::{Comparison, Findings, Line};
pub use grouping::Grouping;

pub(crate) use compare::{
    Draft, Measured, Quantity, Tests, compare, compare_and_test, compared, estimated, line,
    names_of, not_comparable,
};
pub(crate) use evidence::{Contrast, Picked, Sample, Sides, untested};
pub(crate) use groups::{GroupReader, Joined, KeptGroups, excluded};
pub(crate) use outcome::Outcome;
pub(crate) use read::{Need, chosen, column, floats, require, rows, run};
pub(crate) use total::Total;

use serde::Serialize;

use crate::metrics::{Better, serialize_range};

/// What a metric is, for whoever looks it up.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct About {
    /// Its stable id; the peers' name where they have one.
    pub id: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// How it is computed.
    pub formula: &'static str,
    /// Its least and greatest value; in JSON `null` where there is no bound.
    #[serde(serialize_with = "serialize_range")]
    pub range: (f64, f64),
    /// Which way is better.
    pub better: Better,
    /// Where the definition comes from.
    pub source: &'static str,
    /// When it is undefined, and other traps.
    pub edge_cases: &'static str,
    /// The threshold of the difference between groups, unless the spec sets another; `None`: judged only if the spec does.
    pub difference_threshold: Option<f64>,
    /// The same of the ratio's shortfall.
    pub ratio_threshold: Option<f64>,
}

impl About {
    pub(crate) const fn quantity(&self) -> Quantity<'static> {
        Quantity {
            id: self.id,
            title: self.title,
            range: self.range,
            difference_threshold: self.difference_threshold,
            ratio_threshold: self.ratio_threshold,
        }
    }
}
