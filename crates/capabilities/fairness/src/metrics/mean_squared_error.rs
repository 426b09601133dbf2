//! How far scores are from labels, squared.

use super::{Better, Estimate, Measure, Metric, NO_SCORES, Needs, Undefined, mean, reliability};
use crate::tally::Tally;

pub(super) const METRIC: Metric = Metric {
    id: "mse",
    aliases: &["mean_squared_error"],
    title: "Mean squared error",
    formula: "mean((score - label)^2)",
    range: (0.0, f64::MAX),
    better: Better::Lower,
    needs: Needs::Ranking,
    source: "scikit-learn mean_squared_error of the scores",
    edge_cases: "Labels count as 0 and 1. Equal to the Brier score when scores are probabilities.",
    measure: Measure::Mean(mean_squared_error, |tally| tally.labelled_scores().count),
};

fn mean_squared_error(tally: &Tally) -> Result<Estimate, Undefined> {
    let sums = tally.labelled_scores();
    let squares = reliability::second_moment(tally, |score, label| (score - label).powi(4));
    mean(sums.count, sums.squared_error, Some(squares), NO_SCORES)
}
