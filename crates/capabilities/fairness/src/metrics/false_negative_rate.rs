//! Of those with a positive label, how many are predicted negative.

use super::{Better, Measure, Metric, Needs, NO_POSITIVES, UNIT};
use crate::tally::{NEGATIVE, POSITIVE};

pub(super) const METRIC: Metric = Metric {
    id: "fnr",
    aliases: &["false_negative_rate"],
    title: "False negative rate",
    formula: "FN / (FN + TP)",
    range: UNIT,
    better: Better::Lower,
    needs: Needs::Decisions,
    source: "Fairlearn false_negative_rate",
    edge_cases: "Undefined in a group without positive labels. Fairlearn 0.15 gives 0.0 for an undefined rate; here it is undefined.",
    measure: Measure::Rate(|tally| (tally.cells[POSITIVE][NEGATIVE], tally.cells[POSITIVE][NEGATIVE] + tally.cells[POSITIVE][POSITIVE]), NO_POSITIVES),
};
