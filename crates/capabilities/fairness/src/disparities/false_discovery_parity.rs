//! Is a positive prediction as often wrong in each group? As a difference it is predictive parity, as a ratio it is not.

use super::{Definition, also_named, extremes, metric};

pub(super) fn definitions() -> Vec<Definition> {
    let source = "Aequitas FDR parity; Fairlearn MetricFrame of the rate";
    metric("fdr")
        .map(|metric| also_named(extremes(metric, metric.id, "FDR parity", source), "fdr_parity"))
        .unwrap_or_default()
}
