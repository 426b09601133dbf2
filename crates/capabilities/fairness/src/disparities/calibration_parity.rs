//! Are scores equally good for each group? Judged as differences only: ratios of small losses mean little.

use super::{Definition, Family, extremes, judged, metric};

pub(super) fn definitions() -> Vec<Definition> {
    let source = "Fairlearn MetricFrame of the metric; Kleinberg, Mullainathan, Raghavan 2017 for calibration within groups";
    ["roc_auc", "ece"]
        .into_iter()
        .filter_map(metric)
        .flat_map(|metric| {
            judged(extremes(metric, metric.id, metric.title, source), Family::Other, false)
        })
        .map(|definition| Definition {
            default_threshold: definition.default_threshold.filter(|_| definition.ideal == 0.0),
            ..definition
        })
        .collect()
}
