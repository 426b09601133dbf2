//! Whether a disparity passes: how far from ideal it is, with its interval, and how far is accepted.

use crate::{
    AnalysisSpec,
    disparities::{DIFFERENCE_THRESHOLD, Definition},
    result::{Interval, PredictionSource, Status},
};

/// How far from ideal is accepted; `None` if the disparity is not judged.
pub(crate) fn threshold(
    definition: &Definition,
    spec: &AnalysisSpec,
    source: PredictionSource,
) -> Option<f64> {
    if let Some(threshold) = definition.names().find_map(|name| spec.thresholds.get(name)) {
        return Some(*threshold);
    }
    // Without predictions, the labels themselves are what an analysis can judge.
    let of_labels = ["base_rate_difference", "conditional_base_rate_difference"];
    if source == PredictionSource::None && of_labels.contains(&definition.id.as_str()) {
        return Some(DIFFERENCE_THRESHOLD);
    }
    definition.default_threshold.filter(|_| definition.family.judged_by(spec.analysis_type))
}

/// How far a value is from ideal: |difference|, or 1 - min(r, 1/r).
pub(crate) fn gap(ideal: f64, value: f64) -> f64 {
    if ideal == 0.0 {
        value.abs()
    } else if value <= 0.0 {
        1.0
    } else {
        1.0 - value.min(1.0 / value)
    }
}

/// Fail: the whole interval is beyond the threshold. Warning: only the value is. Pass otherwise.
pub(super) fn judge(
    definition: &Definition,
    value: f64,
    interval: Option<&Interval>,
    threshold: f64,
) -> Status {
    if gap(definition.ideal, value) <= threshold {
        return Status::Pass;
    }
    let Some(interval) = interval else { return Status::Warning };
    let ideal = definition.ideal;
    let nearest = if interval.lower <= ideal && ideal <= interval.upper {
        0.0
    } else {
        gap(ideal, interval.lower).min(gap(ideal, interval.upper))
    };
    if nearest > threshold { Status::Fail } else { Status::Warning }
}
