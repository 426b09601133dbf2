//! What is told of an attribute, or of a combination of several: its groups with their metrics, beside their disparities.

use super::{Comparison, Estimated, GroupTally, has, parity};
use crate::{
    AnalysisSpec,
    intervals::{self, Proportion, wilson::wilson},
    metrics,
    result::{
        AttributeResult, Confusion, Group, Interval, IntervalMethod, Labels, PredictionSource,
        Reference, ReliabilityBin, SmallGroup,
    },
    tally::{MISSING, POSITIVE, Tally},
};

/// Of the groups that were compared, and their disparities.
pub(super) fn attribute_result(
    comparison: &Comparison,
    spec: &AnalysisSpec,
    labels: &Labels,
    disparities: Vec<crate::Disparity>,
) -> AttributeResult {
    let groups = &comparison.groups;
    let predicted = labels.prediction != PredictionSource::None;
    let attributes: Vec<String> =
        groups.attributes.iter().map(|attribute| spec.protected[*attribute].clone()).collect();
    let comparable = comparison.compared.len() >= 2;
    let is_small = |index: usize| comparison.compared.binary_search(&index).is_err();
    let chosen = attributes.iter().all(|attribute| spec.reference_groups.contains_key(attribute));
    let results = groups.all.iter().enumerate().zip(&comparison.estimates);
    AttributeResult {
        name: attributes.join("|"),
        attributes,
        comparable,
        reason: (!comparable).then(|| comparison.not_comparable()),
        reference: comparison
            .reference
            .map(|index| Reference { group: groups.all[index].name.clone(), chosen }),
        groups: results
            .map(|((index, tally), estimates)| {
                group(tally, estimates, is_small(index), spec, labels)
            })
            .collect(),
        small_groups: groups
            .all
            .iter()
            .enumerate()
            .filter(|(index, _)| is_small(*index))
            .map(|(_, group)| SmallGroup { group: group.name.clone(), n: group.tally.all.n })
            .collect(),
        status: disparities.iter().filter_map(|disparity| disparity.status).max(),
        disparities,
        parity: predicted.then(|| parity::parity(comparison, spec)).flatten(),
        strata: comparison.within.as_ref().map(|within| within.report.clone()),
    }
}

/// A group, or everybody.
pub(super) fn group(
    group: &GroupTally,
    estimates: &[Estimated],
    small: bool,
    spec: &AnalysisSpec,
    labels: &Labels,
) -> Group {
    let tally = &group.tally;
    let has = has(spec, labels);
    let [true_positives, false_positives, true_negatives, false_negatives] =
        tally.confusion().map(|count| count.n);
    let with_score: u64 = tally.scores.iter().map(|sums| sums.count.n).sum();
    Group {
        name: group.name.clone(),
        values: group.values.clone(),
        n: tally.all.n,
        weight: tally.all.w,
        effective: tally.all.effective(),
        small,
        missing_target: if has.labels { tally.label(MISSING).n } else { 0 },
        missing_prediction: if has.predictions { tally.predicted(MISSING).n } else { 0 },
        missing_score: if has.scores { tally.all.n - with_score } else { 0 },
        confusion: (has.labels && has.predictions).then_some(Confusion {
            true_positives,
            false_positives,
            true_negatives,
            false_negatives,
        }),
        metrics: metrics::registry()
            .iter()
            .zip(estimates)
            .filter(|(metric, _)| has.allows(metric.needs))
            .map(|(metric, estimate)| estimate.to_value(metric, spec.confidence))
            .collect(),
        reliability: if has.scores && !estimates.is_empty() {
            reliability(tally, spec.confidence)
        } else {
            Vec::new()
        },
    }
}

fn reliability(tally: &Tally, confidence: f64) -> Vec<ReliabilityBin> {
    let Some(bins) = &tally.reliability else { return Vec::new() };
    let rows = tally.labelled_scores().count;
    let mut curve = Vec::new();
    for (index, bin) in bins.iter().enumerate() {
        let weight = bin.w[0] + bin.w[1];
        if weight <= 0.0 {
            continue;
        }
        let p = (bin.w[POSITIVE] / weight).clamp(0.0, 1.0);
        // The group's ratio of effective to actual rows stands for the bin's.
        let n = bin.n as f64 * rows.effective() / rows.n as f64;
        let (lower, upper) = wilson(Proportion { p, n }, intervals::z(confidence));
        curve.push(ReliabilityBin {
            lower: index as f64 / bins.len() as f64,
            upper: (index + 1) as f64 / bins.len() as f64,
            n: bin.n,
            mean_score: bin.score / weight,
            positive_rate: p,
            interval: Some(Interval { lower, upper, confidence, method: IntervalMethod::Wilson }),
        });
    }
    curve
}
