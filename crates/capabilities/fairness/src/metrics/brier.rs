//! How far probabilities are from what happened, squared.

use super::{Better, Estimate, Measure, Metric, NOT_PROBABILITIES, NO_SCORES, Needs, UNIT, Undefined, mean, reliability};
use crate::tally::Tally;

pub(super) const METRIC: Metric = Metric {
    id: "brier",
    aliases: &["brier_score_loss"],
    title: "Brier score",
    formula: "mean((score - label)^2)",
    range: UNIT,
    better: Better::Lower,
    needs: Needs::Probabilities,
    source: "scikit-learn brier_score_loss",
    edge_cases: "Undefined unless all scores are probabilities.",
    measure: Measure::Mean(brier, |tally| tally.labelled_scores().count),
};

fn brier(tally: &Tally) -> Result<Estimate, Undefined> {
    if !tally.probabilities {
        return Err(Undefined(NOT_PROBABILITIES));
    }
    let sums = tally.labelled_scores();
    let squares = reliability::second_moment(tally, |score, label| (score - label).powi(4));
    mean(sums.count, sums.squared_error, Some(squares), NO_SCORES)
}
