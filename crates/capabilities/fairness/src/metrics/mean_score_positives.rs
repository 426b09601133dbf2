//! What the model thinks, on average, of those who have a positive label.

use super::{Better, Estimate, Measure, Metric, Needs, Undefined, mean};
use crate::tally::{POSITIVE, Tally};

pub(super) const METRIC: Metric = Metric {
    id: "mean_score_positives",
    aliases: &["generalized_true_positive_rate"],
    title: "Mean score of positives",
    formula: "sum of scores of positives / scored positives",
    range: (f64::MIN, f64::MAX),
    better: Better::Higher,
    needs: Needs::Ranking,
    source: "Kleinberg, Mullainathan, Raghavan 2017, balance for the positive class; AIF360 generalized_true_positive_rate",
    edge_cases: "Undefined in a group without scored positives. NaN scores are counted as missing.",
    measure: Measure::Mean(mean_score_positives, |tally| tally.scores[POSITIVE].count),
};

fn mean_score_positives(tally: &Tally) -> Result<Estimate, Undefined> {
    let sums = &tally.scores[POSITIVE];
    mean(sums.count, sums.score, Some(sums.score2), "the group has no positive labels with a score")
}
