//! Does a negative prediction mean the same in each group?

use super::{Definition, also_named, extremes, metric};

pub(super) fn definitions() -> Vec<Definition> {
    let source = "Aequitas FOR parity; Fairlearn MetricFrame of the rate";
    metric("for")
        .map(|metric| also_named(extremes(metric, metric.id, "FOR parity", source), "for_parity"))
        .unwrap_or_default()
}
