//! How surprised the model is by what happened.

use super::{Better, Estimate, Measure, Metric, NOT_PROBABILITIES, NO_SCORES, Needs, Undefined, mean, reliability};
use crate::tally::Tally;

pub(super) const METRIC: Metric = Metric {
    id: "log_loss",
    aliases: &[],
    title: "Log loss",
    formula: "-mean(label ln(score) + (1 - label) ln(1 - score))",
    range: (0.0, f64::MAX),
    better: Better::Lower,
    needs: Needs::Probabilities,
    source: "scikit-learn log_loss",
    edge_cases: "Scores are clipped to [eps, 1 - eps] with eps = 2.22e-16, as scikit-learn does. Undefined unless all scores are probabilities.",
    measure: Measure::Mean(log_loss, |tally| tally.labelled_scores().count),
};

fn log_loss(tally: &Tally) -> Result<Estimate, Undefined> {
    if !tally.probabilities {
        return Err(Undefined(NOT_PROBABILITIES));
    }
    let sums = tally.labelled_scores();
    let squares = reliability::second_moment(tally, |score, label| reliability::row_log_loss(score, label > 0.5).powi(2));
    mean(sums.count, sums.log_loss, Some(squares), NO_SCORES)
}
