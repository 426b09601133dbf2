//! Drift of performance and fairness of other tasks than yes or no.

use std::collections::BTreeMap;

use super::{
    Adjustment, METRIC_THRESHOLD, MetricDrift, columns,
    metrics::{Known, Named, of_gaps, of_values, only},
    settle::{Pending, settle},
};
use crate::{
    catalogue,
    frame::{About, Comparison, Findings, Line},
    metrics::Better,
    result::Status,
    task::{Task, TaskResult},
};

/// Compares two analyses of one task other than yes or no: every metric of everybody, the judged ones of each group of an
/// attribute, and every judged disparity, those of single classes too.
///
/// `thresholds` says by metric or disparity how much worse it may be. Without one, metrics and disparities that reach from 0 to
/// 1 are judged by [`METRIC_THRESHOLD`]: metrics of which more or less is better, and disparities that the analysis judges.
/// What has a unit is judged only if it is named, or by the threshold that the current analysis itself has for it. Verdicts are
/// those of [`metric_drift`](super::metric_drift), adjusted by Holm; where the two do not have the same classes, what is taken over
/// classes warns rather than fails. Empty for analyses of yes or no, and of two tasks.
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
            found.extend(judged.into_iter().filter(|one| one.found.threshold.is_some()));
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
    let mut found = settle(found, Adjustment::Holm);
    if classes(reference) != classes(current) {
        // Of single classes there is nothing by such a name.
        for one in found.iter_mut().filter(|one| catalogue::is_over_classes(task, &one.metric)) {
            if one.status == Some(Status::Fail) {
                one.status = Some(Status::Warning);
                one.sentence.push_str(" The classes are not the same: that may explain it.");
            }
        }
    }
    found
}

/// What the reader of [`task_drift`] must know: groups and classes that only one of the two has. `reference` and `current` are
/// called so. Empty for analyses of yes or no, and of two tasks.
pub fn task_notes(
    (reference, before): (&str, &TaskResult),
    (current, now): (&str, &TaskResult),
) -> Vec<String> {
    let (Some(was), Some(is)) = (before.findings(), now.findings()) else { return Vec::new() };
    if before.task() != now.task() {
        return Vec::new();
    }
    let mut notes = Vec::new();
    let (was, is) = (named(was), named(is));
    for (groups, table) in [(only(&is, &was), current), (only(&was, &is), reference)] {
        if !groups.is_empty() {
            let listed = columns::listed(&groups);
            notes.push(format!("Only the {table} has these groups: {listed}."));
        }
    }
    let own = |these: &[String], there: &[String]| -> Vec<String> {
        these.iter().filter(|class| !there.contains(class)).cloned().collect()
    };
    let (was, is) = (classes(before), classes(now));
    for (classes, table) in [(own(is, was), current), (own(was, is), reference)] {
        if !classes.is_empty() {
            let listed = columns::listed(&classes);
            notes.push(format!(
                "Only the {table} has these classes: {listed}. What is taken over all classes warns at most."
            ));
        }
    }
    notes
}

/// Is a metric of one group of a task other than yes or no judged by [`task_drift`] without a threshold of its own?
pub fn judges_metric(task: Task, id: &str) -> bool {
    catalogue::abouts(task).into_iter().any(|about| about.id == id && is_judged(about))
}

/// Is a disparity of a task other than yes or no judged by [`task_drift`] without any threshold of its own, neither here nor in
/// the analyses?
pub fn judges_disparity(task: Task, id: &str) -> bool {
    catalogue::greatest_gap(task, id) == Some(1.0)
        && catalogue::judged(task).iter().any(|(judged, ..)| judged == id)
}

fn is_judged(about: &About) -> bool {
    about.range == (0.0, 1.0) && about.better != Better::Neither
}

/// Each attribute with its groups; where several meet is not told.
fn named(findings: &Findings) -> Vec<Named> {
    let single = findings.comparisons.iter().filter(|one| one.attributes.len() == 1);
    let of = |one: &Comparison| -> Named {
        (one.name.clone(), one.groups.iter().map(|group| group.name.clone()).collect())
    };
    single.map(of).collect()
}

/// The classes, where there are any.
fn classes(result: &TaskResult) -> &[String] {
    match result {
        TaskResult::Multiclass(report) => &report.classes,
        TaskResult::Binary(_) | TaskResult::Regression(_) | TaskResult::Ranking(_) => &[],
    }
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
) -> Vec<Pending> {
    let of = |about: &'static About| {
        let known = Known { id: about.id, title: about.title, better: about.better };
        let whose = attribute.map(|attribute| (attribute, now.name.as_str()));
        let usual = || is_judged(about).then_some(METRIC_THRESHOLD);
        let threshold = thresholds.get(about.id).copied().or_else(usual);
        Some(of_values(known, whose, before.metric(about.id)?, now.metric(about.id)?, threshold))
    };
    catalogue::abouts(task).into_iter().filter_map(of).collect()
}

/// The disparities that are named, and those that the analyses judge.
fn disparities(
    task: Task,
    class: Option<&str>,
    reference: &[Comparison],
    current: &[Comparison],
    thresholds: &BTreeMap<String, f64>,
) -> Vec<Pending> {
    let mut found = Vec::new();
    for (was, is) in pairs(reference, current) {
        for now in &is.disparities {
            let usual = || {
                let is_share = catalogue::greatest_gap(task, &now.id) == Some(1.0);
                // Of what has a unit only the analysis knows how far is far.
                now.threshold.map(|own| if is_share { METRIC_THRESHOLD } else { own })
            };
            let Some(threshold) = thresholds.get(&now.id).copied().or_else(usual) else { continue };
            let Some(before) = was.disparity(&now.id) else { continue };
            found.push(of_gaps(&is.name, class, before, now, threshold));
        }
    }
    found
}
