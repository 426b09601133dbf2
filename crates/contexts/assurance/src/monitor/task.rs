//! What a monitor may watch of another task than yes or no.

use std::collections::BTreeMap;

use ephor_fairness::{
    catalogue, drift,
    task::{Task, TaskSpec},
};
use ephor_kernel::Fault;

use super::definition::{Definition, Kind, within_analysis};

/// The disparity that the bound of an analysis' loss judges.
const LOSS: &str = "bounded_group_loss";

/// The thresholds of a specification of any task.
pub(super) fn thresholds_mut(spec: &mut TaskSpec) -> &mut BTreeMap<String, f64> {
    match spec {
        TaskSpec::Binary(spec) => &mut spec.thresholds,
        TaskSpec::Regression(spec) => &mut spec.groups.thresholds,
        TaskSpec::Multiclass(spec) => &mut spec.groups.thresholds,
        TaskSpec::Ranking(spec) => &mut spec.groups.thresholds,
    }
}

/// What draws at random, if the analysis says nothing else.
pub(super) fn seeded(mut spec: TaskSpec, seed: u64) -> TaskSpec {
    let own = match &mut spec {
        TaskSpec::Binary(spec) => &mut spec.seed,
        TaskSpec::Regression(spec) => &mut spec.groups.seed,
        TaskSpec::Multiclass(spec) => &mut spec.groups.seed,
        TaskSpec::Ranking(spec) => &mut spec.groups.seed,
    };
    if *own == 0 {
        *own = seed;
    }
    spec
}

/// Would a run judge what is watched, if its data allow it? What the task does not have is told elsewhere.
pub(super) fn judges(definition: &Definition, spec: &TaskSpec) -> bool {
    let task = spec.task();
    if definition.kind == Kind::Performance {
        let thresholds = definition.thresholds();
        return if let Some(metric) = &definition.metric {
            thresholds.contains_key(metric)
                || drift::judges_metric(task, metric)
                || catalogue::metric(task, metric).is_none()
        } else {
            let mut all = catalogue::abouts(task).into_iter();
            !thresholds.is_empty() || all.any(|about| drift::judges_metric(task, about.id))
        };
    }
    // Without one, all that an analysis judges is watched, and each judges something.
    let Some(metric) = &definition.metric else { return true };
    let has_bound = match spec {
        TaskSpec::Regression(spec) => spec.loss_bound.is_some() && metric == LOSS,
        TaskSpec::Binary(_) | TaskSpec::Multiclass(_) | TaskSpec::Ranking(_) => false,
    };
    // The monitor's thresholds, and those that the analysis itself has.
    let is_named = definition
        .analysis_spec()
        .is_some_and(|mut spec| thresholds_mut(&mut spec).contains_key(metric));
    has_bound
        || is_named
        || drift::judges_disparity(task, metric)
        || !catalogue::is_disparity(task, metric)
}

/// All that is wrong with what is there.
pub(super) fn faults(definition: &Definition, spec: &TaskSpec) -> Vec<Fault> {
    let analysis = spec.faults().into_iter().map(within_analysis);
    analysis.chain(watched(definition, spec.task())).collect()
}

/// All that is wrong with what is watched of a task, whatever the analysis says beside it.
pub(super) fn watched(definition: &Definition, task: Task) -> Vec<Fault> {
    let of_groups = definition.kind == Kind::Performance;
    let mut faults = Vec::new();
    for (id, threshold) in &definition.parameters.thresholds {
        let at = format!("/parameters/thresholds/{id}");
        faults.extend(named(&at, task, of_groups, id));
        faults.extend(fits(&at, task, of_groups, id, *threshold));
    }
    let confidence = definition.parameters.confidence;
    if !(0.5..1.0).contains(&confidence) {
        let message =
            format!("The confidence is {confidence}; it must be at least 0.5 and below 1");
        faults.push(Fault::new("/parameters/confidence", "out_of_range", message));
    }
    match (&definition.metric, definition.threshold) {
        (Some(metric), threshold) => {
            faults.extend(named("/metric", task, of_groups, metric));
            let threshold = threshold.map(|it| fits("/threshold", task, of_groups, metric, it));
            faults.extend(threshold.flatten());
        }
        (None, Some(_)) => {
            let message =
                "A threshold is that of a metric, and none is named; only yes or no has a score";
            faults.push(
                Fault::new("/threshold", "no_metric", message)
                    .hint("name the metric, or set several under parameters.thresholds"),
            );
        }
        (None, None) => {}
    }
    faults
}

/// Does the task have it: a metric of one group, or a disparity between them?
pub(super) fn has(task: Task, of_groups: bool, id: &str) -> bool {
    if of_groups {
        catalogue::metric(task, id).is_some()
    } else {
        catalogue::is_disparity(task, id)
    }
}

/// Whether the task has what is to be watched.
fn named(at: &str, task: Task, of_groups: bool, id: &str) -> Option<Fault> {
    if has(task, of_groups, id) {
        return None;
    }
    let is_metric = catalogue::metric(task, id).is_some();
    let is_disparity = catalogue::is_disparity(task, id);
    let word = task.as_str();
    let cut: String = id.chars().take(60).collect();
    let message = if is_metric {
        format!("`{cut}` is a metric of one group; a monitor of this kind watches disparities")
    } else if is_disparity {
        format!("`{cut}` is a disparity; a monitor of this kind watches metrics of one group")
    } else {
        format!("The task {word} has no metric `{cut}`")
    };
    let near = if of_groups {
        catalogue::nearest_metric(task, id)
    } else {
        catalogue::nearest_disparity(task, id)
    };
    let fault = Fault::new(at.to_owned(), "unknown_metric", message);
    Some(match near {
        Some(name) => fault.hint(format!("did you mean `{name}`?")),
        None => fault.hint("`ephor metrics` lists them"),
    })
}

/// How far two values of a metric of one group can be from one another; `None` without a bound.
fn width(task: Task, id: &str) -> Option<f64> {
    let about = catalogue::abouts(task).into_iter().find(|about| about.id == id)?;
    let (least, most) = about.range;
    (least.abs() < f64::MAX && most.abs() < f64::MAX).then_some(most - least)
}

/// Whether a threshold can be kept and missed: not below 0, and below what the metric can differ by.
fn fits(at: &str, task: Task, of_groups: bool, id: &str, threshold: f64) -> Option<Fault> {
    let wrong = |message: String| Some(Fault::new(at.to_owned(), "out_of_range", message));
    let cut: String = id.chars().take(60).collect();
    if !(0.0..=1e300).contains(&threshold) {
        return wrong(format!(
            "The threshold of `{cut}` is {threshold}; it says how far is too far, and is at least 0"
        ));
    }
    let most = if of_groups { width(task, id) } else { catalogue::greatest_gap(task, id) };
    let most = most.filter(|most| threshold >= *most)?;
    let what = if of_groups {
        format!("`{cut}` changes by {most} at most")
    } else {
        format!("`{cut}` is {most} from its ideal at most (a ratio r by 1 - min(r, 1/r))")
    };
    wrong(format!("{what}: with a threshold of {threshold} nothing would ever fail"))
}
