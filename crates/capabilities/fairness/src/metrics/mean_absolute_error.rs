//! How far scores are from labels.

use super::{Better, Estimate, Measure, Metric, NO_SCORES, Needs, Undefined, mean};
use crate::tally::Tally;

pub(super) const METRIC: Metric = Metric {
    id: "mae",
    aliases: &["mean_absolute_error"],
    title: "Mean absolute error",
    formula: "mean(|score - label|)",
    range: (0.0, f64::MAX),
    better: Better::Lower,
    needs: Needs::Ranking,
    source: "scikit-learn mean_absolute_error of the scores",
    edge_cases: "Labels count as 0 and 1.",
    measure: Measure::Mean(mean_absolute_error, |tally| tally.labelled_scores().count),
};

fn mean_absolute_error(tally: &Tally) -> Result<Estimate, Undefined> {
    let sums = tally.labelled_scores();
    mean(sums.count, sums.absolute_error, Some(sums.squared_error), NO_SCORES)
}
