//! `ephor mitigate`, as somebody at a terminal runs it.

use std::{path::Path, process::Output};

use serde_json::Value;

use crate::support::{adult, ephor};

fn run(arguments: &[&str]) -> Output {
    ephor().arg("mitigate").args(arguments).output().unwrap()
}

fn fit(out: &Path, arguments: &[&str]) -> Output {
    let (file, out) = (adult(), out.to_str().unwrap().to_owned());
    let usual =
        ["fit", file.to_str().unwrap(), "--target", "y_true", "--protected", "sex", "--out", &out];
    run(&[&usual, arguments].concat())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Before and after of a measure in a report.
fn measured(report: &Value, id: &str) -> (f64, f64) {
    let all = report["measured"].as_array().unwrap();
    let found = all.iter().find(|one| one["id"] == id).unwrap();
    (found["before"].as_f64().unwrap(), found["after"].as_f64().unwrap())
}

#[test]
fn thresholds_are_fitted_applied_and_measured() {
    let folder = tempfile::tempdir().unwrap();
    let (artefact, decided) = (folder.path().join("a.json"), folder.path().join("decided.csv"));
    let output = fit(&artefact, &["--method", "threshold", "--score", "score"]);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    for part in ["16281 rows", "Female", "Expected", "Frontier", "disparate treatment"] {
        assert!(out.contains(part), "{part} is missing in\n{out}");
    }
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(&artefact).unwrap()).unwrap();
    assert_eq!(kept["format"], "ephor-mitigation/1");
    assert_eq!(kept["data"]["source"], "adult_predictions.csv");

    let file = adult();
    let (artefact, out) = (artefact.to_str().unwrap(), decided.to_str().unwrap());
    let arguments = ["apply", artefact, file.to_str().unwrap(), "--out", out];
    let output = run(&[&arguments[..], &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (before, after) = measured(&report, "demographic_parity_difference");
    assert!(before > 0.1 && after <= 0.01, "{before} {after}");
    let expected = kept["expected"]["after"]["demographic_parity_difference"].as_f64().unwrap();
    assert!((after - expected).abs() < 1e-9);
    let written = std::fs::read_to_string(&decided).unwrap();
    assert_eq!(written.lines().count(), 16_282);
    assert!(written.lines().next().unwrap().ends_with(",mitigated_prediction"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");

    // What was written is not mitigated again without a name for the new column.
    let again = folder.path().join("again.parquet");
    let again = ["apply", artefact, out, "--out", again.to_str().unwrap()];
    let output = run(&again);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("mitigated_prediction"));
    let output = run(&[&again[..], &["--column", "second"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("second"));
}

#[test]
fn weights_go_to_parquet_that_can_be_analysed() {
    let folder = tempfile::tempdir().unwrap();
    let (artefact, table) = (folder.path().join("w.json"), folder.path().join("w.parquet"));
    let output = fit(&artefact, &["--method", "reweighing", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let kept: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(kept["kind"], "reweighing");
    let (file, table) = (adult(), table.to_str().unwrap());
    let output =
        run(&["apply", artefact.to_str().unwrap(), file.to_str().unwrap(), "--out", table]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(out.contains("base_rate_difference") && out.contains("0.0000"), "{out}");
    let output = ephor()
        .args(["analyze", table, "--target", "y_true", "--protected", "sex"])
        .args(["--weight", "mitigated_weight", "--format", "json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["status"], "pass");
    assert!((result["rows"]["weight"].as_f64().unwrap() - 16_281.0).abs() < 1e-6);
}

#[test]
fn what_is_wrong_is_exit_code_2_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let artefact = folder.path().join("a.json");
    let output = fit(&artefact, &["--method", "threshold", "--tolerance", "7"]);
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("/score") && err.contains("/tolerance"), "all at once: {err}");
    let output = fit(
        &artefact,
        &["--method", "threshold", "--score", "scor", "--constraint", "equalized_odds"],
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("by draw"), "{}", text(&output.stderr));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    std::fs::write(&artefact, "{\"format\": 1}").unwrap();
    let (file, out) = (adult(), folder.path().join("out.csv"));
    let artefact = artefact.to_str().unwrap();
    let arguments = ["apply", artefact, file.to_str().unwrap(), "--out", out.to_str().unwrap()];
    let output = run(&arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("is no mitigation"));
}

#[test]
fn the_file_that_is_read_is_not_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let (artefact, mine) = (folder.path().join("a.json"), folder.path().join("mine.csv"));
    std::fs::copy(adult(), &mine).unwrap();
    assert_eq!(fit(&artefact, &["--method", "reweighing"]).status.code(), Some(0));
    let before = std::fs::read(&mine).unwrap();
    let (artefact, file) = (artefact.to_str().unwrap(), mine.to_str().unwrap());
    assert_eq!(run(&["apply", artefact, file, "--out", file]).status.code(), Some(2));
    let kept = std::fs::read(artefact).unwrap();
    assert_eq!(run(&["apply", artefact, file, "--out", artefact]).status.code(), Some(2));
    assert_eq!(std::fs::read(artefact).unwrap(), kept);
    let usual = ["--target", "y_true", "--protected", "sex", "--method", "reweighing"];
    let output = run(&[&["fit", file, "--out", file][..], &usual].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("is a file that is read"), "{}", text(&output.stderr));
    assert_eq!(std::fs::read(&mine).unwrap(), before);
}
