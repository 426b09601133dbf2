//! Of those with a negative label, how many are predicted positive.

use super::{Better, Measure, Metric, Needs, NO_NEGATIVES, UNIT};
use crate::tally::{NEGATIVE, POSITIVE};

pub(super) const METRIC: Metric = Metric {
    id: "fpr",
    aliases: &["false_positive_rate"],
    title: "False positive rate",
    formula: "FP / (FP + TN)",
    range: UNIT,
    better: Better::Lower,
    needs: Needs::Decisions,
    source: "Fairlearn false_positive_rate; Hardt, Price, Srebro 2016",
    edge_cases: "Undefined in a group without negative labels. Fairlearn 0.15 gives 0.0 for an undefined rate; here it is undefined.",
    measure: Measure::Rate(|tally| (tally.cells[NEGATIVE][POSITIVE], tally.cells[NEGATIVE][POSITIVE] + tally.cells[NEGATIVE][NEGATIVE]), NO_NEGATIVES),
};
