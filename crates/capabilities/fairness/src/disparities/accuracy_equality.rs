//! Is the model right equally often?

use super::{Definition, Family, extremes, judged, metric};

pub(super) fn definitions() -> Vec<Definition> {
    let source = "Fairlearn MetricFrame of accuracy; Berk et al. 2018 overall accuracy equality";
    metric("accuracy")
        .map(|metric| {
            judged(extremes(metric, "accuracy", "Accuracy", source), Family::Errors, false)
        })
        .unwrap_or_default()
}
