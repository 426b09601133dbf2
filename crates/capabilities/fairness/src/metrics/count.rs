//! How many rows the group has.

use super::{Better, Measure, Metric, Needs};

pub(super) const METRIC: Metric = Metric {
    id: "count",
    aliases: &[],
    title: "Rows",
    formula: "number of rows",
    range: (0.0, f64::MAX),
    better: Better::Neither,
    needs: Needs::Rows,
    source: "Fairlearn count",
    edge_cases: "Never weighted, like Fairlearn's.",
    measure: Measure::Exact(|tally| tally.all.n as f64),
};
