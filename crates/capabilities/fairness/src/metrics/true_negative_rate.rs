//! Of those with a negative label, how many are predicted negative.

use super::{Better, Measure, Metric, Needs, NO_NEGATIVES, UNIT};
use crate::tally::{NEGATIVE, POSITIVE};

pub(super) const METRIC: Metric = Metric {
    id: "tnr",
    aliases: &["true_negative_rate"],
    title: "True negative rate",
    formula: "TN / (TN + FP)",
    range: UNIT,
    better: Better::Higher,
    needs: Needs::Decisions,
    source: "Fairlearn true_negative_rate",
    edge_cases: "Undefined in a group without negative labels. Fairlearn 0.15 gives 0.0 for an undefined rate; here it is undefined.",
    measure: Measure::Rate(|tally| (tally.cells[NEGATIVE][NEGATIVE], tally.cells[NEGATIVE][NEGATIVE] + tally.cells[NEGATIVE][POSITIVE]), NO_NEGATIVES),
};
