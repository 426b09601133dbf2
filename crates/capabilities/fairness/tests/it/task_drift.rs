//! Drift of performance and fairness of other tasks than yes or no.

use std::{collections::BTreeMap, sync::Arc};

use arrow::array::{ArrayRef, Float64Array, StringArray};
use ephor_fairness::{
    CancellationToken, Status, catalogue,
    drift::{
        METRIC_THRESHOLD, MetricDrift, MetricKind, judges_disparity, judges_metric, task_drift,
        task_notes,
    },
    task::{self, Task, TaskResult, TaskSpec},
};
use serde_json::{Value, json};

use crate::{
    comparison::classes,
    support::{batch, table},
};

const BOTH: [(&str, usize); 2] = [("f", 600), ("m", 600)];

fn named(thresholds: &[(&str, f64)]) -> BTreeMap<String, f64> {
    thresholds.iter().map(|(id, threshold)| ((*id).to_owned(), *threshold)).collect()
}

/// Of everybody, without an attribute, and of groups, with one.
fn find<'a>(found: &'a [MetricDrift], metric: &str, group: Option<&str>) -> &'a MetricDrift {
    found
        .iter()
        .find(|one| one.metric == metric && one.group.as_deref() == group)
        .unwrap_or_else(|| panic!("no {metric} of {group:?}"))
}

/// Predicted numbers of both sexes; those of women are off by so much, and weigh so much. Without `spread` all are one number.
async fn numbers(off: f64, weight: f64, spread: bool, more: Value) -> TaskResult {
    let rows = 0..400_u32;
    let is_woman = |row: u32| row.is_multiple_of(2);
    let truth = |row: u32| if spread { f64::from(row * 7 % 50) } else { 20.0 };
    let predicted =
        |row: u32| truth(row) + f64::from(row % 5) - 2.0 + if is_woman(row) { off } else { 0.0 };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("y", Arc::new(Float64Array::from_iter_values(rows.clone().map(truth)))),
        ("p", Arc::new(Float64Array::from_iter_values(rows.clone().map(predicted)))),
        (
            "w",
            Arc::new(Float64Array::from_iter_values(
                rows.clone().map(|row| if is_woman(row) { weight } else { 1.0 }),
            )),
        ),
        (
            "sex",
            Arc::new(StringArray::from_iter_values(
                rows.map(|row| if is_woman(row) { "f" } else { "m" }),
            )),
        ),
    ];
    let mut asked =
        json!({ "task": "regression", "target": "y", "prediction": "p", "protected": ["sex"] });
    for (name, value) in more.as_object().unwrap() {
        asked[name] = value.clone();
    }
    let spec = TaskSpec::read(&asked).unwrap();
    let frame = table(vec![batch(columns)]);
    task::analyze(frame, &spec, &(), &CancellationToken::new()).await.unwrap()
}

#[tokio::test]
async fn shares_are_judged_unless_named_and_what_has_a_unit_only_if_it_is() {
    let (was, is) = (classes(&BOTH, 1, None).await, classes(&BOTH, 3, None).await);
    let found = task_drift(&was, &is, &BTreeMap::new());
    let macro_f1 = find(&found, "macro_f1", None);
    assert_eq!(
        (macro_f1.threshold, macro_f1.status),
        (Some(METRIC_THRESHOLD), Some(Status::Fail)),
        "{macro_f1:?}"
    );
    assert_eq!(find(&found, "accuracy", Some("f")).status, Some(Status::Fail));
    let found = task_drift(&was, &is, &named(&[("macro_f1", 0.9)]));
    assert_eq!(find(&found, "macro_f1", None).status, Some(Status::Pass));

    let none = json!({});
    let (was, is) =
        (numbers(0.0, 1.0, true, none.clone()).await, numbers(9.0, 1.0, true, none).await);
    let found = task_drift(&was, &is, &BTreeMap::new());
    assert_eq!(
        (find(&found, "mae", None).threshold, find(&found, "mae", None).status),
        (None, None)
    );
    assert!(found.iter().all(|one| one.metric != "mae_difference"), "{found:?}");
    let found = task_drift(&was, &is, &named(&[("mae", 2.0), ("mae_difference", 3.0)]));
    assert_eq!(find(&found, "mae", Some("f")).status, Some(Status::Fail));
    assert_eq!(find(&found, "mae", Some("m")).status, Some(Status::Pass));
    assert_eq!(find(&found, "mae_difference", None).status, Some(Status::Fail));
}

#[tokio::test]
async fn a_threshold_of_the_analysis_judges_what_has_a_unit() {
    let own = json!({ "thresholds": { "mae_difference": 0.5 } });
    let (was, is) =
        (numbers(0.0, 1.0, true, own.clone()).await, numbers(9.0, 1.0, true, own).await);
    let found = task_drift(&was, &is, &BTreeMap::new());
    let mae = find(&found, "mae_difference", None);
    assert_eq!(
        (mae.kind, mae.threshold, mae.status),
        (MetricKind::Fairness, Some(0.5), Some(Status::Fail))
    );
    // What is named goes before it.
    let found = task_drift(&was, &is, &named(&[("mae_difference", 100.0)]));
    assert_eq!(find(&found, "mae_difference", None).status, Some(Status::Pass));
}

#[tokio::test]
async fn what_is_taken_over_other_classes_warns_and_the_classes_are_told() {
    let (was, is) = (classes(&BOTH, 1, None).await, classes(&BOTH, 3, Some("d")).await);
    let found = task_drift(&was, &is, &BTreeMap::new());
    let macro_f1 = find(&found, "macro_f1", None);
    assert_eq!(macro_f1.status, Some(Status::Warning), "{macro_f1:?}");
    assert!(macro_f1.sentence.contains("The classes are not the same"), "{}", macro_f1.sentence);
    let over = |one: &&MetricDrift| {
        one.metric.starts_with("macro_") || one.metric.starts_with("multiclass_")
    };
    assert!(found.iter().filter(over).all(|one| one.status != Some(Status::Fail)), "{found:?}");
    assert_eq!(find(&found, "accuracy", None).status, Some(Status::Fail));
    // Of the class that is new there is nothing to compare.
    assert!(found.iter().all(|one| one.group.as_deref() != Some("d")), "{found:?}");
    let notes = task_notes(("reference", &was), ("current window", &is));
    let [note] = notes.as_slice() else { panic!("{notes:?}") };
    assert!(note.starts_with("Only the current window has these classes: d. "), "{note}");
    let notes = task_notes(("reference", &is), ("current window", &was));
    assert!(notes[0].starts_with("Only the reference has these classes: d. "), "{notes:?}");
}

#[tokio::test]
async fn groups_of_one_side_are_told_and_small_ones_are_not_judged() {
    let was = classes(&[("f", 600), ("m", 600), ("x", 600), ("y", 6)], 1, None).await;
    let is = classes(&[("f", 600), ("m", 600), ("y", 600), ("z", 600)], 3, None).await;
    let found = task_drift(&was, &is, &BTreeMap::new());
    let mut groups: Vec<&str> = found
        .iter()
        .filter(|one| one.kind == MetricKind::Performance)
        .filter_map(|one| one.group.as_deref())
        .collect();
    groups.dedup();
    assert_eq!(groups, ["f", "m"]);
    assert_eq!(
        task_notes(("reference", &was), ("current table", &is)),
        [
            "Only the current table has these groups: sex: z.",
            "Only the reference has these groups: sex: x."
        ]
    );
}

#[tokio::test]
async fn weights_count_and_what_is_undefined_is_not_judged() {
    let drift = async |weight: f64| {
        let weighted = json!({ "weight": "w" });
        let was = numbers(0.0, weight, true, weighted.clone()).await;
        let is = numbers(9.0, weight, true, weighted).await;
        let found = task_drift(&was, &is, &BTreeMap::new());
        find(&found, "mae", None).difference.unwrap()
    };
    let (even, heavy) = (drift(1.0).await, drift(3.0).await);
    // Women are half of it, then three quarters.
    assert!((heavy / even - 1.5).abs() < 1e-9, "{even} {heavy}");

    let none = json!({});
    let was = numbers(0.0, 1.0, true, none.clone()).await;
    // What is always one number leaves nothing to explain.
    let is = numbers(0.0, 1.0, false, none).await;
    let found = task_drift(&was, &is, &named(&[("r2", 0.1)]));
    let r2 = find(&found, "r2", None);
    assert_eq!((r2.current, r2.status, r2.threshold), (None, None, Some(0.1)), "{r2:?}");
    assert!(r2.sentence.contains("cannot be compared"), "{}", r2.sentence);
}

#[tokio::test]
async fn two_tasks_have_nothing_in_common() {
    let (one, other) = (classes(&BOTH, 1, None).await, numbers(0.0, 1.0, true, json!({})).await);
    assert!(task_drift(&one, &other, &BTreeMap::new()).is_empty());
    assert!(task_notes(("reference", &one), ("current table", &other)).is_empty());
}

#[test]
fn a_ratio_falls_short_of_1_by_1_at_most_and_a_difference_by_the_range() {
    let gap = catalogue::greatest_gap;
    assert_eq!(gap(Task::Regression, "rmse_ratio"), Some(1.0));
    assert_eq!(gap(Task::Regression, "mean_residual_ratio_to_reference"), Some(1.0));
    assert_eq!(gap(Task::Regression, "rmse_difference"), None);
    assert_eq!(gap(Task::Ranking, "relative_exposure_ratio"), Some(1.0));
    assert_eq!(gap(Task::Ranking, "ndkl"), None);
    assert_eq!(gap(Task::Multiclass, "macro_f1_difference"), Some(1.0));
    assert_eq!(gap(Task::Multiclass, "nothing"), None);
}

#[test]
fn what_is_judged_without_a_threshold_is_known_before() {
    assert!(judges_metric(Task::Multiclass, "macro_f1") && !judges_metric(Task::Regression, "mae"));
    assert!(!judges_metric(Task::Ranking, "exposure"));
    assert!(judges_disparity(Task::Multiclass, "multiclass_equalized_odds_difference"));
    assert!(judges_disparity(Task::Ranking, "exposure_ratio"));
    for (task, id) in [
        (Task::Multiclass, "tpr_difference"),
        (Task::Regression, "mae_difference"),
        (Task::Ranking, "ndkl"),
    ] {
        assert!(!judges_disparity(task, id), "{id}");
    }
}
