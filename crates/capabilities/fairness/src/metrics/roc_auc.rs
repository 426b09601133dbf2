//! How often a random positive scores higher than a random negative.

use super::{Better, Estimate, Measure, Metric, NO_NEGATIVES, NO_POSITIVES, NO_SCORES, Needs, UNIT, Undefined};
use crate::{intervals::delong, tally::Tally};

pub(super) const METRIC: Metric = Metric {
    id: "roc_auc",
    aliases: &["auc", "roc_auc_score"],
    title: "AUC",
    formula: "P(score of a positive > score of a negative) + P(equal) / 2",
    range: UNIT,
    better: Better::Higher,
    needs: Needs::Ranking,
    source: "scikit-learn roc_auc_score; DeLong, DeLong, Clarke-Pearson 1988 for its variance",
    edge_cases: "Undefined in a group that lacks one of the labels. Binned scores count as ties within a bin; the result states the greatest error.",
    measure: Measure::Estimate(roc_auc),
};

fn roc_auc(tally: &Tally) -> Result<Estimate, Undefined> {
    let [negatives, positives] = [tally.scores[0].count, tally.scores[1].count];
    match (negatives.w > 0.0, positives.w > 0.0) {
        (false, false) => Err(Undefined(NO_SCORES)),
        (false, true) => Err(Undefined(NO_NEGATIVES)),
        (true, false) => Err(Undefined(NO_POSITIVES)),
        (true, true) => {
            let (value, variance) = delong::auc(&tally.points, negatives.effective(), positives.effective());
            Ok(Estimate { value, variance, bias: 0.0, n: negatives.n + positives.n })
        }
    }
}
