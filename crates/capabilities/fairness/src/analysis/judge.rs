//! Whether a disparity passes: how far from ideal it is, with its interval, and how far is accepted.

use super::{sentences, summary};
use crate::{
    AnalysisSpec, AnalysisType,
    disparities::{self, DIFFERENCE_THRESHOLD, Definition},
    result::{AnalysisResult, Interval, PredictionSource, Status},
    score::compliance_score,
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
    if source == PredictionSource::None
        && of_labels.contains(&definition.id.as_str())
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

/// Judges one disparity of one attribute, or combination of several, by another threshold.
pub(crate) fn judge_anew(result: &mut AnalysisResult, attribute: &str, id: &str, accepted: f64) {
    let Some(definition) = disparities::find(id) else { return };
    let groupings = result.attributes.iter_mut().chain(&mut result.intersections);
    for found in groupings
        .filter(|one| one.name == attribute)
        .flat_map(|one| &mut one.disparities)
        .filter(|one| one.id == definition.id)
    {
        found.threshold = Some(accepted);
        found.status =
            found.value.map(|value| judge(definition, value, found.interval.as_ref(), accepted));
        found.sentence = sentences::disparity(definition, found);
    }
    let scored = result.scored.iter_mut();
    for one in scored.filter(|one| one.attribute == attribute && one.id == definition.id) {
        one.threshold = accepted;
    }
}

/// Sums up what was judged anew: the worst statuses, their counts, the compliance score.
pub(crate) fn sum_up_anew(result: &mut AnalysisResult) {
    for one in result.attributes.iter_mut().chain(&mut result.intersections) {
        one.status = one.disparities.iter().filter_map(|found| found.status).max();
    }
    let groupings = result.attributes.iter().chain(&result.intersections);
    result.status = groupings.filter_map(|one| one.status).max();
    result.counts = summary::counts(&result.attributes, &result.intersections);
    result.compliance_score =
        compliance_score(result.scored.iter().map(|one| (one.value, one.threshold)));
}
