//! How far the model is, on average, from being sure of those who have a positive label.

use super::{Better, Estimate, Measure, Metric, NOT_PROBABILITIES, Needs, UNIT, Undefined, mean};
use crate::tally::{POSITIVE, Tally};

pub(super) const METRIC: Metric = Metric {
    id: "generalized_false_negative_rate",
    aliases: &["gfnr"],
    title: "Generalized false negative rate",
    formula: "sum of (1 - score) of positives / scored positives",
    range: UNIT,
    better: Better::Lower,
    needs: Needs::Probabilities,
    source: "Pleiss et al. 2017; AIF360 generalized_false_negative_rate",
    edge_cases: "1 - generalized_true_positive_rate. Undefined in a group without scored positives, and unless all scores are probabilities.",
    measure: Measure::Estimate(generalized_false_negative_rate),
};

fn generalized_false_negative_rate(tally: &Tally) -> Result<Estimate, Undefined> {
    if !tally.probabilities {
        return Err(Undefined(NOT_PROBABILITIES));
    }
    let sums = &tally.scores[POSITIVE];
    let score = mean(
        sums.count,
        sums.score,
        Some(sums.score2),
        "the group has no positive labels with a score",
    )?;
    Ok(Estimate { value: (1.0 - score.value).clamp(0.0, 1.0), ..score })
}
