//! Does a positive prediction mean the same in each group?

use super::{Definition, Family, extremes, judged, metric};

pub(super) fn definitions() -> Vec<Definition> {
    let source = "Chouldechova 2017; Aequitas precision parity";
    metric("ppv")
        .map(|metric| {
            judged(
                extremes(metric, "predictive_parity", "Predictive parity", source),
                Family::Errors,
                false,
            )
        })
        .unwrap_or_default()
}
