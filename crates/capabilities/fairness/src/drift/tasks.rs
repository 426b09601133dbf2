//! Drift of performance and fairness of other tasks than yes or no.

use std::collections::BTreeMap;

use super::{
    METRIC_THRESHOLD, MetricDrift,
    metrics::{Known, of_gaps, of_values},
};
use crate::{
    catalogue,
    frame::{About, Comparison, Line},
    metrics::Better,
    task::{Task, TaskResult},
};

/// Compares two analyses of one task other than yes or no: every metric of everybody, the judged ones of each group of an
/// attribute, and every judged disparity, those of single classes too.
///
/// `thresholds` says by metric or disparity how much worse it may be. Without one, metrics and disparities that reach from 0 to
/// 1 are judged by [`METRIC_THRESHOLD`]: metrics of which more or less is better, and disparities that the analysis judges.
/// What has a unit is judged only if it is named. Verdicts are those of [`metric_drift`](super::metric_drift). Empty for
/// analyses of yes or no, and of two tasks.
pub fn task_drift(
    reference: &TaskResult,
    current: &TaskResult,
    thresholds: &BTreeMap<String, f64>,
) -> Vec<MetricDrift> {
    let task = current.task();
    let (Some(before), Some(now)) = (reference.findings(), current.findings()) else {
        return Vec::new();
    };
    if reference.task() != task {
        return Vec::new();
    }
    let mut found = lines(task, None, &before.overall, &now.overall, thresholds);
    for (was, is) in pairs(&before.comparisons, &now.comparisons) {
        if is.attributes.len() > 1 {
            continue;
        }
        for group in is.groups.iter().filter(|group| !group.small) {
            let Some(old) = was.group(&group.name).filter(|old| !old.small) else { continue };
            let judged = lines(task, Some(&is.name), old, group, thresholds);
            found.extend(judged.into_iter().filter(|one| one.threshold.is_some()));
        }
    }
    found.extend(disparities(task, None, &before.comparisons, &now.comparisons, thresholds));
    if let (TaskResult::Multiclass(before), TaskResult::Multiclass(now)) = (reference, current) {
        for is in &now.against_rest {
            let same = before.against_rest.iter().find(|was| was.class == is.class);
            let was = same.map(|was| was.comparisons.as_slice()).unwrap_or_default();
            found.extend(disparities(task, Some(&is.class), was, &is.comparisons, thresholds));
        }
    }
    found
}

/// What both analyses compare, by the same attributes.
fn pairs<'a>(
    reference: &'a [Comparison],
    current: &'a [Comparison],
) -> impl Iterator<Item = (&'a Comparison, &'a Comparison)> {
    reference
        .iter()
        .filter_map(|before| Some((before, current.iter().find(|now| now.name == before.name)?)))
}

/// Every metric of everybody, or of a group of an attribute.
fn lines(
    task: Task,
    attribute: Option<&str>,
    before: &Line,
    now: &Line,
    thresholds: &BTreeMap<String, f64>,
) -> Vec<MetricDrift> {
    let of = |about: &'static About| {
        let known = Known { id: about.id, title: about.title, better: about.better };
        let whose = attribute.map(|attribute| (attribute, now.name.as_str()));
        let usual = || {
            let is_share = about.range == (0.0, 1.0) && about.better != Better::Neither;
            is_share.then_some(METRIC_THRESHOLD)
        };
        let threshold = thresholds.get(about.id).copied().or_else(usual);
        Some(of_values(known, whose, before.metric(about.id)?, now.metric(about.id)?, threshold))
    };
    catalogue::abouts(task).into_iter().filter_map(of).collect()
}

/// The disparities that are named, and those that the analysis judges.
fn disparities(
    task: Task,
    class: Option<&str>,
    reference: &[Comparison],
    current: &[Comparison],
    thresholds: &BTreeMap<String, f64>,
) -> Vec<MetricDrift> {
    let mut found = Vec::new();
    for (was, is) in pairs(reference, current) {
        for now in &is.disparities {
            let usual = || {
                let is_share = catalogue::greatest_gap(task, &now.id) == Some(1.0);
                (now.threshold.is_some() && is_share).then_some(METRIC_THRESHOLD)
            };
            let Some(threshold) = thresholds.get(&now.id).copied().or_else(usual) else { continue };
            let Some(before) = was.disparity(&now.id) else { continue };
            found.push(of_gaps(&is.name, class, before, now, threshold));
        }
    }
    found
}
