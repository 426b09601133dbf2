//! How often the prediction is right.

use super::{Better, Measure, Metric, Needs, NO_DECISIONS, UNIT};
use crate::tally::{NEGATIVE, POSITIVE};

pub(super) const METRIC: Metric = Metric {
    id: "accuracy",
    aliases: &[],
    title: "Accuracy",
    formula: "(TP + TN) / (TP + FP + TN + FN)",
    range: UNIT,
    better: Better::Higher,
    needs: Needs::Decisions,
    source: "scikit-learn accuracy_score",
    edge_cases: "Undefined without rows that have both label and prediction.",
    measure: Measure::Rate(|tally| (tally.cells[POSITIVE][POSITIVE] + tally.cells[NEGATIVE][NEGATIVE], tally.judged()), NO_DECISIONS),
};
