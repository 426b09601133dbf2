//! Definitions that hold, and all that is wrong with others.

use serde_json::json;

use super::*;

fn found(row: Value) -> Vec<(String, String)> {
    faults(&row, None)
        .into_iter()
        .map(|fault| (fault.pointer.into_owned(), fault.code.into_owned()))
        .collect()
}

fn all(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(at, code)| ((*at).to_owned(), (*code).to_owned())).collect()
}

#[test]
fn what_runs_by_itself_is_complete_and_what_does_not_may_be_a_draft() {
    assert_eq!(found(json!({ "name": "draft", "kind": "performance_degradation" })), []);
    assert_eq!(
        found(json!({
            "kind": "performance_degradation", "schedule": "0 25 * * *", "window_seconds": 60
        })),
        all(&[
            ("/schedule", "schedule"),
            ("/current_dataset_id", "required"),
            ("/reference_dataset_id", "required"),
            ("/parameters/analysis", "required"),
            ("/parameters/time_column", "required"),
        ])
    );
    let set = "0191f1f0-0000-7000-8000-000000000001";
    let whole = json!({
        "kind": "data_quality", "schedule": "*/5 * * * *", "current_dataset_id": set,
        "reference_dataset_id": set, "metric": "psi", "threshold": 0.2,
    });
    assert_eq!(found(whole), []);
}

#[test]
fn parameters_are_those_of_the_engine() {
    assert_eq!(
        found(json!({ "kind": "bias_drift", "parameters": { "colums": [] } })),
        all(&[("/parameters", "type")])
    );
    let analysis = json!({ "target": "", "protected": ["sex"], "prediction": "p" });
    assert_eq!(
        found(json!({
            "kind": "compliance_violation", "threshold": 80.0, "parameters": { "analysis": analysis }
        })),
        all(&[("/parameters/analysis/target", "required")])
    );
    // Predictions and scores are watched without labels too.
    for (kind, more) in [("compliance_violation", "prediction"), ("bias_drift", "score")] {
        let analysis = json!({ "protected": ["sex"], more: "s" });
        assert_eq!(
            found(json!({
                "kind": kind, "metric": "demographic_parity_difference", "threshold": 0.2,
                "parameters": { "analysis": analysis }
            })),
            [],
            "{kind}"
        );
    }
    assert_eq!(
        found(json!({
            "kind": "performance_degradation", "metric": "accuracy", "threshold": 0.1,
            "parameters": { "analysis": { "protected": ["sex"], "score": "s" } }
        })),
        all(&[("/metric", "no_labels")])
    );
    assert_eq!(
        found(
            json!({ "kind": "data_quality", "threshold": 1.0, "parameters": { "confidence": 2.0 } })
        ),
        all(&[("/parameters/confidence", "out_of_range"), ("/threshold", "no_metric")])
    );
    assert_eq!(
        found(json!({ "kind": "data_quality", "metric": "psy" })),
        all(&[("/metric", "unknown_metric")])
    );
}

fn of_numbers(more: &Value) -> Vec<(String, String)> {
    let mut row = json!({
        "kind": "bias_drift",
        "parameters": { "analysis": {
            "task": "regression", "target": "price", "prediction": "estimate", "protected": ["sex"],
        } },
    });
    for (name, value) in more.as_object().unwrap() {
        if name == "parameters" {
            for (name, value) in value.as_object().unwrap() {
                row["parameters"][name] = value.clone();
            }
        } else {
            row[name] = value.clone();
        }
    }
    found(row)
}

#[test]
fn a_metric_is_one_of_the_task_and_its_threshold_fits_it() {
    let of = of_numbers;
    assert_eq!(of(&json!({ "metric": "mae_difference", "threshold": 500.0 })), []);
    // Of yes or no there is such a disparity, of numbers there is none.
    let unknown = all(&[("/metric", "unknown_metric")]);
    assert_eq!(of(&json!({ "metric": "demographic_parity_difference" })), unknown);
    // A metric of one group is no disparity, and the other way round.
    assert_eq!(of(&json!({ "metric": "mae", "threshold": 1.0 })), unknown);
    let performance = |metric: &str| {
        of(&json!({ "kind": "performance_degradation", "metric": metric, "threshold": 1.0 }))
    };
    assert_eq!(performance("mae"), []);
    assert_eq!(performance("mae_difference"), unknown);
    // What can never be reached is no threshold.
    let wrong = all(&[("/threshold", "out_of_range")]);
    for threshold in [-1.0, 1.0] {
        let row = json!({ "metric": "prediction_distance", "threshold": threshold });
        assert_eq!(of(&row), wrong, "{threshold}");
    }
    assert_eq!(
        of(&json!({
            "kind": "compliance_violation", "threshold": 80.0,
            "parameters": { "confidence": 2.0, "thresholds": { "mse_diference": 1.0, "rmse_ratio": 1.5 } },
        })),
        all(&[
            ("/parameters/thresholds/mse_diference", "unknown_metric"),
            ("/parameters/thresholds/rmse_ratio", "out_of_range"),
            ("/parameters/confidence", "out_of_range"),
            ("/threshold", "no_metric"),
        ])
    );
}

#[test]
fn every_fault_of_an_analysis_is_told_where_it_stands() {
    let analysis = json!({ "task": "ranking", "target": "y", "protected": [], "top": "x" });
    // What is watched is told of too, by the task that it names.
    let faults = of_numbers(&json!({ "metric": "mae", "parameters": { "analysis": analysis } }));
    for (at, code) in [
        ("/metric", "unknown_metric"),
        ("/parameters/analysis/target", "misplaced"),
        ("/parameters/analysis/top", "type"),
        ("/parameters/analysis/protected", "required"),
    ] {
        let wanted = (at.to_owned(), code.to_owned());
        assert!(faults.contains(&wanted), "{wanted:?} is not in {faults:?}");
    }
    let set = "0191f1f0-0000-7000-8000-000000000001";
    let runs = json!({
        "kind": "performance_degradation", "on_arrival": true, "current_dataset_id": set,
        "reference_dataset_id": set,
    });
    // Numbers have units: how much worse is too much, only the monitor can say.
    assert_eq!(of_numbers(&runs), all(&[("/threshold", "required")]));
}
/// A monitor of numbers that runs by itself, over two data sets.
fn running(more: &Value) -> Vec<(String, String)> {
    let set = "0191f1f0-0000-7000-8000-000000000001";
    let mut row =
        json!({ "on_arrival": true, "current_dataset_id": set, "reference_dataset_id": set });
    for (name, value) in more.as_object().unwrap() {
        row[name] = value.clone();
    }
    of_numbers(&row)
}

#[test]
fn what_would_never_be_judged_needs_a_threshold() {
    let needed = all(&[("/threshold", "required")]);
    let (numbers, classes, lists) = (
        json!({ "task": "regression", "target": "y", "prediction": "p", "protected": ["sex"] }),
        json!({ "task": "multiclass", "target": "y", "prediction": "p", "protected": ["sex"] }),
        json!({ "task": "ranking", "list": "q", "score": "s", "protected": ["sex"] }),
    );
    let of = |kind: &str, metric: &str, analysis: &Value, thresholds: Value| {
        running(&json!({
            "kind": kind, "metric": metric,
            "parameters": { "analysis": analysis, "thresholds": thresholds },
        }))
    };
    let none = || json!({});
    for (kind, metric, analysis) in [
        ("bias_drift", "mae_difference", &numbers),
        ("bias_drift", "bounded_group_loss", &numbers),
        ("bias_drift", "tpr_difference", &classes),
        ("compliance_violation", "ndkl", &lists),
        ("performance_degradation", "mae", &numbers),
    ] {
        assert_eq!(of(kind, metric, analysis, none()), needed, "{kind} {metric}");
        let mut thresholds = none();
        thresholds[metric] = json!(0.3);
        assert_eq!(of(kind, metric, analysis, thresholds), [], "{kind} {metric}");
    }
    // That of another metric is none of this one.
    let other = json!({ "rmse": 5.0 });
    assert_eq!(of("performance_degradation", "mae", &numbers, other), needed);
    // The analysis itself may say it.
    let mut own = numbers.clone();
    own["thresholds"] = json!({ "mae_difference": 0.5 });
    assert_eq!(of("bias_drift", "mae_difference", &own, none()), []);
    own["loss_bound"] = json!(4.0);
    assert_eq!(of("bias_drift", "bounded_group_loss", &own, none()), []);
    // These are judged by themselves.
    for (kind, metric, analysis) in [
        ("bias_drift", "prediction_distance", &numbers),
        ("bias_drift", "exposure_ratio", &lists),
        ("compliance_violation", "multiclass_equalized_odds_difference", &classes),
        ("performance_degradation", "macro_f1", &classes),
    ] {
        assert_eq!(of(kind, metric, analysis, none()), [], "{kind} {metric}");
    }
}

#[test]
fn an_analysis_that_cannot_be_read_hides_nothing_else() {
    let wrong = json!({ "target": "y", "prediction": "p", "protected": ["sex"], "top": 3 });
    let misplaced = ("/parameters/analysis/top", "misplaced");
    let row = json!({
        "kind": "performance_degradation", "metric": "nothing",
        "parameters": { "analysis": wrong, "confidence": 2.0, "thresholds": { "accuracy": 0.1 } },
    });
    assert_eq!(
        found(row.clone()),
        all(&[
            misplaced,
            ("/parameters/confidence", "out_of_range"),
            ("/metric", "unknown_metric"),
        ])
    );
    let row_of_compliance = json!({
        "kind": "compliance_violation",
        "parameters": { "analysis": wrong, "thresholds": { "nothing": 0.1 } },
    });
    assert_eq!(
        found(row_of_compliance),
        all(&[misplaced, ("/parameters/analysis/thresholds/nothing", "unknown_disparity")])
    );
    // Of a task that is none nobody knows what it has.
    let none = json!({
        "kind": "performance_degradation", "metric": "mae",
        "parameters": { "analysis": { "task": "regresion", "target": "y", "prediction": "p", "protected": ["sex"] } },
    });
    assert_eq!(found(none), all(&[("/parameters/analysis/task", "vocabulary")]));

    // A monitor that is stored is told the same when it runs.
    let monitor = Monitor {
        id: ephor_kernel::MonitorId::new(),
        name: "m".to_owned(),
        kind: "performance_degradation".to_owned(),
        status: "active".to_owned(),
        model_id: None,
        reference_dataset_id: None,
        current_dataset_id: None,
        reference_from: None,
        reference_until: None,
        window_seconds: None,
        minimum_rows: 1,
        metric: Some("nothing".to_owned()),
        threshold: None,
        severity: "low".to_owned(),
        parameters: row["parameters"].clone(),
    };
    let faults = Definition::of(&monitor).unwrap_err();
    let places: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_ref()).collect();
    assert_eq!(
        places,
        [
            "/parameters/analysis/top",
            "/parameters/confidence",
            "/metric",
            "/current_dataset_id",
            "/reference_dataset_id",
        ]
    );
}
