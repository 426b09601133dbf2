//! Fairlearn's `MetricFrame` comparisons of every other metric, for information: judged only if the spec sets a threshold.

use super::{Definition, extremes};
use crate::metrics;

/// Metrics whose comparisons have a name and a file of their own.
const NAMED: [&str; 12] = [
    "selection_rate",
    "tpr",
    "fpr",
    "ppv",
    "fdr",
    "for",
    "accuracy",
    "share",
    "ppr",
    "treatment_equality",
    "mean_score_positives",
    "mean_score_negatives",
];
const CALIBRATION: [&str; 2] = ["roc_auc", "ece"];

pub(super) fn definitions() -> Vec<Definition> {
    let source = "Fairlearn MetricFrame.difference, MetricFrame.ratio";
    metrics::registry()
        .iter()
        .filter(|metric| !NAMED.contains(&metric.id) && !CALIBRATION.contains(&metric.id))
        .flat_map(|metric| extremes(metric, metric.id, metric.title, source))
        .collect()
}
