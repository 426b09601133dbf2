//! Of those predicted negative, how many are not.

use super::{Better, Measure, Metric, Needs, NO_REJECTED, UNIT};
use crate::tally::{NEGATIVE, POSITIVE};

pub(super) const METRIC: Metric = Metric {
    id: "for",
    aliases: &["false_omission_rate"],
    title: "False omission rate",
    formula: "FN / (FN + TN)",
    range: UNIT,
    better: Better::Lower,
    needs: Needs::Decisions,
    source: "AIF360 false_omission_rate; Aequitas for",
    edge_cases: "Undefined where nobody is predicted negative; AIF360 gives 0.0.",
    measure: Measure::Rate(|tally| (tally.cells[POSITIVE][NEGATIVE], tally.cells[POSITIVE][NEGATIVE] + tally.cells[NEGATIVE][NEGATIVE]), NO_REJECTED),
};
