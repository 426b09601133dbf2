//! What the model thinks of the group on average.

use super::{Better, Estimate, Measure, Metric, NO_SCORES, Needs, Undefined, mean};
use crate::tally::{MISSING, Tally};

pub(super) const METRIC: Metric = Metric {
    id: "mean_score",
    aliases: &[],
    title: "Mean score",
    formula: "sum of scores / scored rows",
    range: (f64::MIN, f64::MAX),
    better: Better::Neither,
    needs: Needs::Scores,
    source: "Fairlearn mean_prediction of soft predictions",
    edge_cases: "Undefined in a group without scores. NaN scores are counted as missing.",
    measure: Measure::Mean(mean_score, |tally| tally.scores.iter().map(|sums| sums.count).sum()),
};

fn mean_score(tally: &Tally) -> Result<Estimate, Undefined> {
    let mut sums = tally.labelled_scores();
    sums += tally.scores[MISSING];
    mean(sums.count, sums.score, Some(sums.score2), NO_SCORES)
}
