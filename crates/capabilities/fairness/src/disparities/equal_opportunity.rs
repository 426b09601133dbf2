//! Do the deserving of each group have the same chance?

use super::{Definition, Family, extremes, judged, metric};

pub(super) fn definitions() -> Vec<Definition> {
    let source = "Fairlearn equal_opportunity_difference, equal_opportunity_ratio; Hardt, Price, Srebro 2016";
    metric("tpr")
        .map(|metric| {
            judged(
                extremes(metric, "equal_opportunity", "Equal opportunity", source),
                Family::Errors,
                true,
            )
        })
        .unwrap_or_default()
}
