//! Of those with a positive label, how many are predicted positive.

use super::{Better, Measure, Metric, Needs, NO_POSITIVES, UNIT};
use crate::tally::{NEGATIVE, POSITIVE};

pub(super) const METRIC: Metric = Metric {
    id: "tpr",
    aliases: &["recall", "true_positive_rate"],
    title: "True positive rate",
    formula: "TP / (TP + FN)",
    range: UNIT,
    better: Better::Higher,
    needs: Needs::Decisions,
    source: "Fairlearn true_positive_rate; Hardt, Price, Srebro 2016",
    edge_cases: "Undefined in a group without positive labels. Fairlearn 0.15 gives 0.0 for an undefined rate; here it is undefined.",
    measure: Measure::Rate(|tally| (tally.cells[POSITIVE][POSITIVE], tally.cells[POSITIVE][POSITIVE] + tally.cells[POSITIVE][NEGATIVE]), NO_POSITIVES),
};
