//! What can be asked has no fault, and all faults are told at once.

use datafusion::arrow::datatypes::Field;
use serde_json::json;

use super::*;

fn known() -> Known {
    Known {
        features: vec!["age".into(), "income".into()],
        outputs: 1,
        has_trees: true,
        is_exact: Some(true),
        has_covers: Some(true),
        link: "identity".into(),
        may_be_shares: false,
    }
}

fn schema() -> Schema {
    let number = |name| Field::new(name, DataType::Float64, true);
    Schema::new(vec![
        number("age"),
        number("income"),
        Field::new("sex", DataType::Utf8, true),
        Field::new("y", DataType::Boolean, true),
    ])
}

fn faults(kind: Kind, spec: serde_json::Value) -> Vec<(String, String)> {
    let spec: ExplanationSpec = serde_json::from_value(spec).unwrap();
    let found = spec.faults(kind, &known(), &schema());
    found.into_iter().map(|fault| (fault.pointer.to_string(), fault.code.to_string())).collect()
}

fn pair(place: &str, code: &str) -> (String, String) {
    (format!("/parameters/{place}"), code.to_owned())
}

#[test]
fn what_can_be_done_has_no_fault() {
    for (kind, spec) in [
        (Kind::Shap, json!({})),
        (Kind::Shap, json!({ "group": "sex", "interactions": true, "columns": ["income", "y"] })),
        (Kind::Lime, json!({ "rows": 3, "categorical": ["age"] })),
        (Kind::Permutation, json!({ "target": "y", "metric": "roc_auc" })),
        (Kind::Global, json!({ "features": ["age"], "effect": "accumulated" })),
    ] {
        assert_eq!(faults(kind, spec.clone()), [], "{spec}");
    }
}

#[test]
fn every_fault_is_told_at_once() {
    let spec = json!({
        "target": "sex", "scale": "probability", "output": 1, "rows": 0, "reference": "f",
        "columns": ["age", "age", "nothing"], "features": [], "background": 20_000,
    });
    let found = faults(Kind::Shap, spec);
    for wanted in [
        pair("target", "of_another_type"),
        pair("target", "not_numeric"),
        pair("features", "of_another_type"),
        pair("features", "range"),
        pair("scale", "no_probability"),
        pair("output", "range"),
        pair("rows", "range"),
        pair("background", "range"),
        pair("columns", "length"),
        pair("columns", "repeated"),
        pair("columns", "unknown_column"),
        pair("group", "required"),
    ] {
        assert!(found.contains(&wanted), "{wanted:?} is not among {found:?}");
    }
    assert_eq!(faults(Kind::Permutation, json!({})), [pair("target", "required")]);
}

#[test]
fn more_outputs_than_memory_holds_are_refused() {
    let found = |features: usize, outputs| {
        let features = (0..features).map(|number| number.to_string()).collect();
        let known = Known { features, outputs, has_trees: true, ..known() };
        let spec = ExplanationSpec { interactions: true, ..ExplanationSpec::default() };
        let found = spec.faults(Kind::Shap, &known, &schema());
        let found = found.into_iter().filter(|fault| fault.code == "too_many_outputs");
        found.map(|fault| fault.pointer.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(found(2, 1_000), Vec::<String>::new());
    assert_eq!(found(2, 1_001), ["/artifact_id"]);
    assert_eq!(found(2_000, 132), ["/artifact_id"]);
    assert_eq!(found(200, 105), ["/parameters/interactions"]);
}

fn codes(kind: Kind, spec: serde_json::Value, known: &Known) -> Vec<String> {
    let spec: ExplanationSpec = serde_json::from_value(spec).unwrap();
    let found = spec.faults(kind, known, &schema());
    found.into_iter().map(|fault| fault.code.to_string()).collect()
}

#[test]
fn what_the_file_does_not_hold_is_refused() {
    let pairs = || json!({ "interactions": true });
    let of = |has_covers| Known { has_covers, ..known() };
    assert_eq!(codes(Kind::Shap, pairs(), &of(Some(false))), ["no_covers"]);
    // Then the job tells.
    assert_eq!(codes(Kind::Shap, pairs(), &of(None)), Vec::<String>::new());
    let linear = Known { has_trees: false, ..of(Some(false)) };
    assert_eq!(codes(Kind::Shap, pairs(), &linear), ["no_trees"]);
    assert_eq!(codes(Kind::Shap, json!({}), &of(Some(false))), Vec::<String>::new());
}

#[test]
fn what_is_asked_of_estimates_is_refused_for_exact_values() {
    let estimates = || json!({ "samples": 200, "precision": 0.01 });
    assert_eq!(codes(Kind::Shap, estimates(), &known()), ["exact", "exact"]);
    let linear = Known { has_trees: false, ..known() };
    assert_eq!(codes(Kind::Shap, estimates(), &linear), ["exact", "exact"]);
    assert_eq!(codes(Kind::Lime, json!({ "samples": 200 }), &linear), Vec::<String>::new());
    // Of some files only the job tells.
    let only_answers = Known { has_trees: false, is_exact: None, ..known() };
    assert_eq!(codes(Kind::Shap, estimates(), &only_answers), Vec::<String>::new());
    assert_eq!(codes(Kind::Shap, json!({ "precision": 0.0 }), &only_answers), ["range"]);
    assert_eq!(codes(Kind::Shap, json!({ "resamples": 100 }), &known()), ["required"]);
    let grouped = json!({ "resamples": 10, "group": "sex" });
    assert!(codes(Kind::Shap, grouped, &known()).contains(&"range".to_owned()));
    // The more features, the fewer shuffles are kept.
    let often = || json!({ "resamples": 10_000, "group": "sex", "columns": ["age", "income"] });
    assert_eq!(codes(Kind::Shap, often(), &known()), Vec::<String>::new());
    let many = Known { features: (0..2_000).map(|at| format!("f{at}")).collect(), ..known() };
    let found: ExplanationSpec = serde_json::from_value(often()).unwrap();
    let found = found.faults(Kind::Shap, &many, &schema());
    let fault = found.iter().find(|fault| fault.pointer == "/parameters/resamples").unwrap();
    assert!(fault.code == "range" && fault.message.contains("8388"), "{}", fault.message);
}

#[test]
fn what_several_outputs_do_not_have_is_refused() {
    let several = |outputs| Known { outputs, link: "logistic".into(), ..known() };
    let probability = || json!({ "scale": "probability" });
    assert_eq!(codes(Kind::Shap, probability(), &several(1)), Vec::<String>::new());
    assert_eq!(codes(Kind::Shap, probability(), &several(3)), ["no_probability"]);
    // Then the job tells.
    let shares = Known { outputs: 3, may_be_shares: true, ..known() };
    assert_eq!(codes(Kind::Shap, probability(), &shares), Vec::<String>::new());
    let by = |metric: &str| json!({ "target": "y", "metric": metric });
    for (metric, outputs, refused) in [
        ("r2", 1, false),
        ("r2", 2, true),
        ("mean_squared_error", 3, true),
        ("mean_absolute_error", 3, true),
        ("roc_auc", 2, false),
        ("roc_auc", 3, true),
        ("log_loss", 3, false),
        ("accuracy", 3, false),
    ] {
        let found = codes(Kind::Permutation, by(metric), &several(outputs));
        let expected: &[&str] = if refused { &["of_other_outputs"] } else { &[] };
        assert_eq!(found, expected, "{metric} of {outputs}");
    }
}

#[test]
fn a_background_has_all_features_as_numbers() {
    let found = |kind, spec, rows| {
        let spec: ExplanationSpec = serde_json::from_value(spec).unwrap();
        let found = spec.background_faults(kind, &known().features, rows, &schema());
        assert!(found.iter().all(|fault| fault.pointer == "/background_dataset_id"));
        found.into_iter().map(|fault| fault.code.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(found(Kind::Shap, json!({}), 9), Vec::<String>::new());
    assert_eq!(found(Kind::Lime, json!({ "columns": ["income", "y"] }), 9), Vec::<String>::new());
    let wrong = json!({ "columns": ["sex", "nothing"] });
    assert_eq!(
        found(Kind::Permutation, wrong, 0),
        ["of_another_type", "no_rows", "unknown_column", "not_numeric"]
    );
}

#[test]
fn unknown_words_are_refused() {
    let parse = |body| serde_json::from_value::<ExplanationSpec>(body);
    assert!(parse(json!({ "sead": 1 })).is_err());
    assert!(parse(json!({ "metric": "magic" })).is_err());
}
