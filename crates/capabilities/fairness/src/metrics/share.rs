//! How much of everybody the group is.

use super::{Better, Measure, Metric, Needs, UNIT};

pub(super) const METRIC: Metric = Metric {
    id: "share",
    aliases: &[],
    title: "Share",
    formula: "weight of the group / weight of everybody",
    range: UNIT,
    better: Better::Neither,
    needs: Needs::Rows,
    source: "plain proportion",
    edge_cases: "Known exactly for the analysed rows: it has no interval.",
    measure: Measure::Exact(|tally| if tally.everybody > 0.0 { tally.all.w / tally.everybody } else { 0.0 }),
};
