//! Of those predicted positive, how many are not.

use super::{Better, Measure, Metric, Needs, NO_SELECTED, UNIT};
use crate::tally::{NEGATIVE, POSITIVE};

pub(super) const METRIC: Metric = Metric {
    id: "fdr",
    aliases: &["false_discovery_rate"],
    title: "False discovery rate",
    formula: "FP / (FP + TP)",
    range: UNIT,
    better: Better::Lower,
    needs: Needs::Decisions,
    source: "AIF360 false_discovery_rate; Aequitas fdr",
    edge_cases: "Undefined where nobody is predicted positive; AIF360 gives 0.0.",
    measure: Measure::Rate(|tally| (tally.cells[NEGATIVE][POSITIVE], tally.cells[NEGATIVE][POSITIVE] + tally.cells[POSITIVE][POSITIVE]), NO_SELECTED),
};
