//! What the model thinks, on average, of those who have a negative label.

use super::{Better, Estimate, Measure, Metric, Needs, Undefined, mean};
use crate::tally::{NEGATIVE, Tally};

pub(super) const METRIC: Metric = Metric {
    id: "mean_score_negatives",
    aliases: &["generalized_false_positive_rate"],
    title: "Mean score of negatives",
    formula: "sum of scores of negatives / scored negatives",
    range: (f64::MIN, f64::MAX),
    better: Better::Lower,
    needs: Needs::Ranking,
    source: "Kleinberg, Mullainathan, Raghavan 2017, balance for the negative class; AIF360 generalized_false_positive_rate",
    edge_cases: "Undefined in a group without scored negatives. NaN scores are counted as missing.",
    measure: Measure::Mean(mean_score_negatives, |tally| tally.scores[NEGATIVE].count),
};

fn mean_score_negatives(tally: &Tally) -> Result<Estimate, Undefined> {
    let sums = &tally.scores[NEGATIVE];
    mean(sums.count, sums.score, Some(sums.score2), "the group has no negative labels with a score")
}
