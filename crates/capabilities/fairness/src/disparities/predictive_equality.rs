//! Are those with a negative label wrongly selected equally often?

use super::{Definition, Family, extremes, judged, metric};

pub(super) fn definitions() -> Vec<Definition> {
    let source = "Corbett-Davies et al. 2017; Aequitas FPR parity";
    metric("fpr")
        .map(|metric| {
            judged(
                extremes(metric, "predictive_equality", "Predictive equality", source),
                Family::Errors,
                false,
            )
        })
        .unwrap_or_default()
}
