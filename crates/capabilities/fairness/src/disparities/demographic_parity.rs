//! Are groups selected equally often?

use super::{Definition, Family, extremes, judged, metric};

pub(super) fn definitions() -> Vec<Definition> {
    let source = "Fairlearn demographic_parity_difference, demographic_parity_ratio";
    metric("selection_rate")
        .map(|metric| {
            judged(
                extremes(metric, "demographic_parity", "Demographic parity", source),
                Family::Selection,
                true,
            )
        })
        .unwrap_or_default()
}
