//! Whether a disparity passes: how far from ideal it is, with its interval, and how far is accepted.

use crate::{
    AnalysisSpec, AnalysisType,
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
    if source == PredictionSource::None
        && definition.id == "base_rate_difference"
        && spec.analysis_type != AnalysisType::IndividualFairness
    {
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
    judge_value(definition.ideal, value, interval, threshold)
}

/// The same of any number that has an ideal.
pub(crate) fn judge_value(
    ideal: f64,
    value: f64,
    interval: Option<&Interval>,
    threshold: f64,
) -> Status {
    if gap(ideal, value) <= threshold {
        return Status::Pass;
    }
    let Some(interval) = interval else { return Status::Warning };
    let nearest = if interval.lower <= ideal && ideal <= interval.upper {
        0.0
    } else {
        gap(ideal, interval.lower).min(gap(ideal, interval.upper))
    };
    if nearest > threshold { Status::Fail } else { Status::Warning }
}
