//! Whether the model thinks too well or too ill of the group as a whole.

use super::{Better, Estimate, Measure, Metric, NO_SCORES, NOT_PROBABILITIES, Needs, Undefined, mean};
use crate::tally::{POSITIVE, Tally};

pub(super) const METRIC: Metric = Metric {
    id: "calibration_in_the_large",
    aliases: &["mean_calibration"],
    title: "Calibration in the large",
    formula: "mean score - share of positive labels, over rows with both",
    range: (-1.0, 1.0),
    better: Better::Neither,
    needs: Needs::Probabilities,
    source: "Van Calster et al. 2019, mean calibration; Cox 1958",
    edge_cases: "Undefined unless all scores are probabilities. 0 is ideal: above it scores are too high, below too low. It may be 0 though no single score is right: see ece. It may be negative, and then has no ratio.",
    measure: Measure::Mean(calibration_in_the_large, |tally| tally.labelled_scores().count),
};

fn calibration_in_the_large(tally: &Tally) -> Result<Estimate, Undefined> {
    if !tally.probabilities {
        return Err(Undefined(NOT_PROBABILITIES));
    }
    let sums = tally.labelled_scores();
    let error = sums.score - tally.scores[POSITIVE].count.w;
    mean(sums.count, error, Some(sums.squared_error), NO_SCORES)
}
