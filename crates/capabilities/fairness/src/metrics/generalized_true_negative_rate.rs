//! How sure the model is, on average, that those who have a negative label are negative.

use super::{Better, Estimate, Measure, Metric, NOT_PROBABILITIES, Needs, UNIT, Undefined, mean};
use crate::tally::{NEGATIVE, Tally};

pub(super) const METRIC: Metric = Metric {
    id: "generalized_true_negative_rate",
    aliases: &["gtnr"],
    title: "Generalized true negative rate",
    formula: "sum of (1 - score) of negatives / scored negatives",
    range: UNIT,
    better: Better::Higher,
    needs: Needs::Probabilities,
    source: "Pleiss et al. 2017; AIF360 generalized_true_negative_rate",
    edge_cases: "1 - generalized_false_positive_rate. Undefined in a group without scored negatives, and unless all scores are probabilities.",
    measure: Measure::Estimate(generalized_true_negative_rate),
};

fn generalized_true_negative_rate(tally: &Tally) -> Result<Estimate, Undefined> {
    if !tally.probabilities {
        return Err(Undefined(NOT_PROBABILITIES));
    }
    let sums = &tally.scores[NEGATIVE];
    let score = mean(
        sums.count,
        sums.score,
        Some(sums.score2),
        "the group has no negative labels with a score",
    )?;
    Ok(Estimate { value: (1.0 - score.value).clamp(0.0, 1.0), ..score })
}
