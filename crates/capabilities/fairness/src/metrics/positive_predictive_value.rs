//! Of those predicted positive, how many are.

use super::{Better, Measure, Metric, Needs, NO_SELECTED, UNIT};
use crate::tally::{NEGATIVE, POSITIVE};

pub(super) const METRIC: Metric = Metric {
    id: "ppv",
    aliases: &["precision", "positive_predictive_value"],
    title: "Positive predictive value",
    formula: "TP / (TP + FP)",
    range: UNIT,
    better: Better::Higher,
    needs: Needs::Decisions,
    source: "scikit-learn precision_score; AIF360 positive_predictive_value",
    edge_cases: "Undefined where nobody is predicted positive; the peers give 0.0.",
    measure: Measure::Rate(|tally| (tally.cells[POSITIVE][POSITIVE], tally.cells[POSITIVE][POSITIVE] + tally.cells[NEGATIVE][POSITIVE]), NO_SELECTED),
};
