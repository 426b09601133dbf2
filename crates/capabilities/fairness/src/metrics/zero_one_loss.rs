//! How often the prediction is wrong.

use super::{Better, Measure, Metric, Needs, NO_DECISIONS, UNIT};
use crate::tally::{NEGATIVE, POSITIVE};

pub(super) const METRIC: Metric = Metric {
    id: "zero_one_loss",
    aliases: &["error_rate"],
    title: "Error rate",
    formula: "(FP + FN) / (TP + FP + TN + FN) = 1 - accuracy",
    range: UNIT,
    better: Better::Lower,
    needs: Needs::Decisions,
    source: "scikit-learn zero_one_loss; AIF360 error_rate",
    edge_cases: "Undefined without rows that have both label and prediction.",
    measure: Measure::Rate(|tally| (tally.cells[POSITIVE][NEGATIVE] + tally.cells[NEGATIVE][POSITIVE], tally.judged()), NO_DECISIONS),
};
