//! How much the outcome of similar people agrees.

use crate::{
    analysis::Estimated,
    disparities::DIFFERENCE_THRESHOLD,
    frame::{About, Total, estimated},
    metrics::{Better, UNIT},
    tally::Count,
};

/// What consistency is.
pub static ABOUT: About = About {
    id: "consistency",
    title: "Consistency",
    formula: "1 - mean(|outcome - mean outcome of the k rows most like it|)",
    range: UNIT,
    better: Better::Higher,
    source: "Zemel et al. 2013; AIF360 BinaryLabelDatasetMetric.consistency",
    edge_cases: "A row is among its own neighbours, as in AIF360. Rows that are equally far share the last places, so that the order of rows does not show (AIF360: whichever its tree finds). A weight of w is as w equal rows. 1 if all outcomes are equal. AIF360 takes features as they are: standardise them there for the same number.",
    difference_threshold: Some(DIFFERENCE_THRESHOLD),
    ratio_threshold: None,
};

/// Sums over rows whose neighbours were sought.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    pub(super) count: Count,
    agreement: Total,
    squares: Total,
}

impl Sums {
    pub(super) fn add(&mut self, agreement: f64, weight: f64) {
        self.count += Count { n: 1, w: weight, w2: weight * weight };
        self.agreement.add(weight * agreement);
        self.squares.add(weight * agreement * agreement);
    }

    pub(super) fn merged(mut self, other: Self) -> Self {
        self.count += other.count;
        self.agreement.merge(&other.agreement);
        self.squares.merge(&other.squares);
        self
    }

    pub(super) fn estimate(&self) -> Estimated {
        if self.count.w <= 0.0 {
            return estimated(Err("no neighbours were sought in the group"), self.count.n);
        }
        let value = self.agreement.value() / self.count.w;
        let effective = self.count.effective();
        let variance =
            (self.squares.value() / self.count.w - value * value).max(0.0) / (effective - 1.0);
        let known = effective > 1.0 && variance > 0.0;
        estimated(Ok((value, Some(variance).filter(|_| known))), self.count.n)
    }
}
