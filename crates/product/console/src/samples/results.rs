//! What analyses find.

use ephor_assurance::analysis::{Analysis, Completed};
use ephor_fairness::{
    AnalysisResult, Exclusion, SmallGroup,
    task::{Task, TaskResult},
};

use super::moment;

/// What the engine finds in UCI Adult; `tests/fixtures/README.md` says how it was made.
pub(crate) fn result() -> AnalysisResult {
    serde_json::from_str(include_str!("../../tests/fixtures/adult_result.json")).unwrap()
}

/// The same with an attribute of so many values that some are counted together, and one that is small.
pub(crate) fn pooled() -> AnalysisResult {
    let mut result = result();
    let attribute = &mut result.attributes[0];
    let mut left_out = attribute.groups[0].clone();
    left_out.small = true;
    for (name, n) in [("(other)", 4_000), ("few", 3)] {
        left_out.name = name.to_owned();
        left_out.values = vec![name.to_owned()];
        left_out.n = n;
        attribute.groups.push(left_out.clone());
        attribute.small_groups.push(SmallGroup { group: name.to_owned(), n });
    }
    result.excluded.push(Exclusion {
        reason: "pooled_values".to_owned(),
        column: attribute.name.clone(),
        rows: 4_000,
        sentence: "They are counted together.".to_owned(),
    });
    result
}

/// What is found of a task other than yes or no: `more` beside findings of `metrics` in two groups.
pub(super) fn task_result(task: Task, metrics: &[&str], more: serde_json::Value) -> TaskResult {
    use serde_json::json;
    let interval = json!({ "lower": 0.1, "upper": 0.4, "confidence": 0.95, "method": "normal" });
    let metric = |id: &&str| json!({ "id": id, "value": 0.25, "interval": interval, "n": 50, "undefined": null });
    let line = |name: &str| {
        json!({
            "name": name, "values": [name], "n": 50, "weight": 50.0, "small": false,
            "metrics": metrics.iter().map(metric).collect::<Vec<_>>(),
        })
    };
    let disparity = json!({
        "id": format!("{}_difference", metrics[0]), "title": "A <difference>", "value": 0.2, "ideal": 0.0,
        "interval": interval, "threshold": 0.1, "status": "warning", "worst_pair": null, "n": 100,
        "undefined": null, "left_out": [], "sentence": "Groups differ.",
    });
    let mut json = json!({
        "engine_version": "0.1.0",
        "rows": { "read": 100, "used": 100, "weight": 100.0, "effective": 100.0 },
        "excluded": [], "overall": line("all"),
        "comparisons": [{
            "attributes": ["sex"], "name": "sex", "comparable": true, "reason": null, "reference": null,
            "groups": [line("<f>"), line("m")], "disparities": [disparity], "status": "warning",
        }],
        "notes": ["A <note>."], "counts": { "pass": 0, "warning": 1, "fail": 0 }, "status": "warning",
    });
    for (name, value) in more.as_object().unwrap() {
        json[name] = value.clone();
    }
    TaskResult::read(task, json).unwrap()
}

/// What is found of predicted numbers.
pub(crate) fn regression() -> TaskResult {
    let more = serde_json::json!({
        "spec": { "target": "price", "prediction": "<estimate>", "protected": ["sex"] },
        "exact": true, "distance_error": 0.0,
    });
    task_result(Task::Regression, &["mae", "mean_residual"], more)
}

/// What is found of predicted classes.
pub(crate) fn multiclass() -> TaskResult {
    let more = serde_json::json!({
        "spec": { "target": "grade", "prediction": "given", "protected": ["sex"] },
        "classes": ["a", "<b>"], "confusion": [[40.0, 10.0], [5.0, 45.0]],
        "confusions": [{ "name": "sex", "groups": [["<f>", [[20.0, 5.0], [0.0, 25.0]]], ["m", [[20.0, 5.0], [5.0, 20.0]]]] }],
        "against_rest": [],
    });
    task_result(Task::Multiclass, &["accuracy", "macro_f1"], more)
}

/// What is found of ranked lists.
pub(crate) fn ranking() -> TaskResult {
    let more = serde_json::json!({
        "spec": { "list": "query", "score": "relevance", "protected": ["sex"] }, "lists": 12,
    });
    task_result(Task::Ranking, &["exposure", "relative_exposure"], more)
}

/// A completed analysis; `shift` changes what it found.
pub(crate) fn completed(name: &str, shift: f64) -> Completed {
    completed_of(name, shift, result())
}

/// A completed analysis that found this, but for `shift`.
pub(crate) fn completed_of(name: &str, shift: f64, mut result: AnalysisResult) -> Completed {
    for attribute in &mut result.attributes {
        for one in &mut attribute.disparities {
            one.value = one.value.map(|value| value + shift);
            if let Some(interval) = &mut one.interval {
                interval.lower += shift;
                interval.upper += shift;
            }
        }
    }
    Completed {
        analysis: Analysis {
            id: "01930b2e-7c1a-7def-8000-1b2c3d4e5f60".parse().unwrap(),
            name: name.into(),
            description: String::new(),
            dataset_id: None,
            model_id: None,
            model_version_id: None,
            task: "binary".into(),
            analysis_type: "comprehensive".into(),
            parameters: serde_json::json!({}),
            status: "completed".into(),
            job_id: None,
            progress: 1.0,
            progress_message: String::new(),
            outcome: Some("fail".into()),
            compliance_score: Some("78.42".parse().unwrap()),
            row_count: Some(16_281),
            failed_count: Some(3),
            warning_count: Some(1),
            metrics_sha256: None,
            failure: None,
            created_by: "01930b2e-7c1a-7def-8000-1b2c3d4e5f61".parse().unwrap(),
            created_at: moment(),
            started_at: Some(moment()),
            completed_at: Some(moment()),
        },
        result: result.into(),
        dataset: Some("adult <2026>".into()),
    }
}
