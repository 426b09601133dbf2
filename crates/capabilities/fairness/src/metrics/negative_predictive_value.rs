//! Of those predicted negative, how many are.

use super::{Better, Measure, Metric, Needs, NO_REJECTED, UNIT};
use crate::tally::{NEGATIVE, POSITIVE};

pub(super) const METRIC: Metric = Metric {
    id: "npv",
    aliases: &["negative_predictive_value"],
    title: "Negative predictive value",
    formula: "TN / (TN + FN)",
    range: UNIT,
    better: Better::Higher,
    needs: Needs::Decisions,
    source: "AIF360 negative_predictive_value",
    edge_cases: "Undefined where nobody is predicted negative; AIF360 gives 0.0.",
    measure: Measure::Rate(|tally| (tally.cells[NEGATIVE][NEGATIVE], tally.cells[NEGATIVE][NEGATIVE] + tally.cells[POSITIVE][NEGATIVE]), NO_REJECTED),
};
