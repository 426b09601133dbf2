//! `ephor analyze` as the gate of a CI job: policy, baseline, and what it writes for others.

use std::{fs, path::Path, process::Output};

use serde_json::Value;

use crate::support::{adult, ephor};

const USUAL: [&str; 8] =
    ["--target", "y_true", "--prediction", "y_pred", "--score", "score", "--protected", "sex,race"];

fn analyze(arguments: &[&str]) -> Output {
    ephor().arg("analyze").arg(adult()).args(USUAL).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn written(folder: &Path, name: &str, content: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

fn id_and_attribute(finding: &Value) -> (String, String) {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    (word(&finding["id"]), word(&finding["subject"]))
}

#[test]
fn a_policy_decides_and_the_command_line_counts_more() {
    let folder = tempfile::tempdir().unwrap();
    // Accept what fails today, until a day far off.
    let first = written(folder.path(), "first.toml", "min_rows = 1000\n");
    let output = analyze(&["--policy", &first, "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut policy = "fail_on = 'fail'\nmin_rows = 1000\nrequired_attributes = ['sex']\n\
                      metrics = ['overall.accuracy >= 0.8']\n"
        .to_owned();
    for check in found["gate"]["checks"].as_array().unwrap() {
        if check["stops"] == true {
            let (id, attribute) = id_and_attribute(check);
            policy.push_str(&format!(
                "[[allow]]\nid = '{id}'\nattribute = '{attribute}'\nreason = 'known'\nexpires = 2999-12-31\n"
            ));
        }
    }
    let known = written(folder.path(), "known.toml", &policy);
    let output = analyze(&["--policy", &known]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}{}", text(&output.stderr));
    for part in
        ["Known findings", "until 2999-12-31: known", "Nothing stops it (on fail).", "3 of 3 hold"]
    {
        assert!(out.contains(part), "{part} is missing in\n{out}");
    }
    let expired = written(folder.path(), "expired.toml", &policy.replace("2999", "2020"));
    let output = analyze(&["--policy", &expired]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{out}");
    assert!(out.contains("expired on 2020-12-31"), "{out}");
    let output = analyze(&["--policy", &expired, "--fail-on", "never"]);
    assert_eq!(output.status.code(), Some(0));

    // A threshold of the policy, one of an attribute alone, and one of the command line.
    let thresholds = written(
        folder.path(),
        "thresholds.toml",
        "[thresholds]\ndemographic_parity_difference = 0.9\n\
         [attributes.race.thresholds]\ndemographic_parity_difference = 0.05\n",
    );
    let threshold = |arguments: &[&str], attribute: &str| {
        let usual = ["--policy", &thresholds, "--format", "json"];
        let output = analyze(&[&usual, arguments].concat());
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let one =
            found["attributes"].as_array().unwrap().iter().find(|one| one["name"] == attribute);
        let disparities = one.unwrap()["disparities"].as_array().unwrap();
        let parity = disparities.iter().find(|one| one["id"] == "demographic_parity_difference");
        parity.unwrap()["threshold"].as_f64().unwrap()
    };
    assert_eq!((threshold(&[], "sex"), threshold(&[], "race")), (0.9, 0.05));
    let given = ["--threshold", "demographic_parity_difference=0.3"];
    assert_eq!((threshold(&given, "sex"), threshold(&given, "race")), (0.3, 0.3));
}

#[test]
fn the_faults_of_policy_and_baseline_come_together() {
    let folder = tempfile::tempdir().unwrap();
    let policy = written(
        folder.path(),
        "policy.toml",
        "min_row = 1\n[thresholds]\ndemographic_parity_diference = 0.1\n",
    );
    let baseline = written(folder.path(), "baseline.json", "{\"report\": \"eeoc\"}");
    let output = analyze(&["--policy", &policy, "--baseline", &baseline]);
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    for part in [
        "line 1, /min_row: There is no field `min_row`. Did you mean `min_rows`?",
        "line 3, /thresholds/demographic_parity_diference",
        "`demographic_parity_difference`",
        "baseline.json",
        "report of figures",
    ] {
        assert!(err.contains(part), "{part} is missing in\n{err}");
    }
    let output = analyze(&["--policy", "/nowhere/policy.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("/nowhere/policy.toml"));
    let output = analyze(&["--fail-on", "regression"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--baseline"));
    let output = analyze(&["--report", "eeoc", "--baseline", &baseline, "--format", "sarif"]);
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(err.contains("--baseline is for analyses") && err.contains("--format sarif"), "{err}");
}

#[test]
fn on_regression_only_what_became_worse_fails() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let baseline = file("baseline.json");
    let output = analyze(&["--format", "json", "--fail-on", "never", "--out", &baseline]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let again = ["--baseline", &baseline, "--fail-on", "regression"];
    let output = analyze(&again);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}{}", text(&output.stderr));
    assert!(
        out.contains("0 became worse beyond noise") && out.contains("Nothing stops it"),
        "{out}"
    );

    // The same people, with half of the women who were selected rejected.
    let (mut rows, mut seen) = (String::new(), 0);
    let content = fs::read_to_string(adult()).unwrap();
    let heads: Vec<&str> = content.lines().next().unwrap().split(',').collect();
    let place = |name: &str| heads.iter().position(|head| *head == name).unwrap();
    let (predicted, sex) = (place("y_pred"), place("sex"));
    for line in content.lines() {
        let mut fields: Vec<&str> = line.split(',').collect();
        if fields[sex] == "Female" && fields[predicted] == "1" {
            seen += 1;
            fields[predicted] = if seen % 2 == 0 { "0" } else { "1" };
        }
        rows.push_str(&fields.join(","));
        rows.push('\n');
    }
    assert!(seen > 50, "{seen}");
    let worse = written(folder.path(), "worse.csv", &rows);
    let (sarif, junit, page) = (file("ephor.sarif"), file("ephor.xml"), file("summary.md"));
    let also = [format!("sarif={sarif}"), format!("junit={junit}"), format!("markdown={page}")];
    let output = ephor()
        .arg("analyze")
        .arg(&worse)
        .args(USUAL)
        .args(again)
        .args(["--also", &also[0], "--also", &also[1], "--also", &also[2]])
        .output()
        .unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{out}{err}");
    assert!(out.contains("Since the baseline") && out.contains("worse "), "{out}");

    let log: Value = serde_json::from_str(&fs::read_to_string(sarif).unwrap()).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert!(results.iter().any(|one| one["properties"]["stops"] == true));
    assert!(results.iter().all(|one| one["baselineState"].is_string()));
    let xml = fs::read_to_string(junit).unwrap();
    assert!(xml.contains("<failure type=") && xml.contains("<testsuite name=\"sex\""));
    assert!(fs::read_to_string(page).unwrap().contains("## Stopped"));

    // Another question has no baseline here.
    let other = ["--baseline", &baseline, "--fail-on", "regression", "--positive", "0"];
    let output = analyze(&other);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("does not measure the same"));
    // Beside intervals of another confidence nothing would ever be worse.
    let other = ["--baseline", &baseline, "--fail-on", "regression", "--confidence", "0.9"];
    let output = analyze(&other);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("confidence was 0.95 and is 0.9"));
}

#[test]
fn names_of_the_file_do_not_steer_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = "y,p,s<&\u{1b}\n".to_owned();
    for row in 0..400 {
        let (name, predicted) = [("a\u{1b}]]>", row % 3), ("b|`<i>", row % 7)][row % 2];
        rows.push_str(&format!("{},{},{name}\n", row % 5 % 2, u8::from(predicted == 0)));
    }
    let data = written(folder.path(), "a b.csv", &rows);
    for format in ["table", "sarif", "junit", "markdown"] {
        let policy = written(folder.path(), "p.toml", "min_group_rows = 1000\n");
        let output = ephor()
            .args(["analyze", &data, "--target", "y", "--prediction", "p"])
            .args(["--protected", "s<&\u{1b}", "--policy", &policy, "--format", format])
            .output()
            .unwrap();
        let out = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{format}: {out}{}", text(&output.stderr));
        assert!(!out.chars().any(|c| c.is_control() && c != '\n'), "{format}: {out:?}");
    }
}

#[test]
fn a_policy_without_its_columns_does_not_pass() {
    let folder = tempfile::tempdir().unwrap();
    let policy = written(
        folder.path(),
        "policy.toml",
        "[thresholds]\nequalized_odds_difference = 0.05\nbase_rate_difference = 1\n",
    );
    let [xml, log, page] = ["e.xml", "e.sarif", "e.md"].map(|name| folder.path().join(name));
    let labels = |arguments: &[&str]| {
        ephor()
            .arg("analyze")
            .arg(adult())
            .args(["--target", "y_true", "--protected", "sex"])
            .args(arguments)
            .output()
            .unwrap()
    };
    let also = [
        format!("junit={}", xml.display()),
        format!("sarif={}", log.display()),
        format!("markdown={}", page.display()),
    ];
    let output = labels(&[
        "--policy", &policy, "--format", "json", "--also", &also[0], "--also", &also[1], "--also",
        &also[2],
    ]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = found["gate"]["checks"].as_array().unwrap();
    let stops: Vec<&Value> = checks.iter().filter(|one| one["stops"] == true).collect();
    assert_eq!(stops.len(), 1, "{stops:?}");
    assert_eq!(stops[0]["id"], "equalized_odds_difference");
    assert!(stops[0]["unshown"].as_str().unwrap().contains("predictions"), "{}", stops[0]);
    let told = "cannot be shown";
    assert!(fs::read_to_string(xml).unwrap().contains("<failure type=\"fail\""));
    assert!(fs::read_to_string(log).unwrap().contains(told));
    assert!(fs::read_to_string(page).unwrap().contains(told));

    // The command line names a threshold as a policy does, and every printing says why it fails.
    let named =
        ["--threshold", "equalized_odds_difference=0.05", "--threshold", "base_rate_difference=1"];
    for format in ["table", "html", "json"] {
        let output = labels(&[&named[..], &["--format", format]].concat());
        let out = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{format}: {}", text(&output.stderr));
        assert!(out.contains(told), "{format}: {out}");
    }
    let output = labels(&["--threshold", "base_rate_difference=1"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
}

#[test]
fn other_tasks_have_policies_and_formats_too() {
    let folder = tempfile::tempdir().unwrap();
    let kinds = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../capabilities/fairness/tests/reference/kinds/input.csv");
    let numbers = |arguments: &[&str]| {
        ephor()
            .arg("analyze")
            .arg(&kinds)
            .args(["--task", "regression", "--target", "price", "--prediction", "guess"])
            .args(["--protected", "group"])
            .args(arguments)
            .output()
            .unwrap()
    };
    let strict = written(
        folder.path(),
        "strict.toml",
        "min_rows = 1000000\nmetrics = ['overall.mae <= 0']\n[thresholds]\nmae_difference = 1e9\n",
    );
    let (xml, saved) = (folder.path().join("e.xml"), folder.path().join("e.json"));
    let also = [format!("junit={}", xml.display()), format!("json={}", saved.display())];
    let output = numbers(&["--policy", &strict, "--also", &also[0], "--also", &also[1]]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{out}{}", text(&output.stderr));
    assert!(out.contains("Asked by name") && out.contains("stop it (on fail)"), "{out}");
    let junit = fs::read_to_string(&xml).unwrap();
    assert!(junit.contains("<testsuite name=\"group\"") && junit.contains("mae bound"), "{junit}");
    for format in ["sarif", "markdown"] {
        let output = numbers(&["--policy", &strict, "--format", format]);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains("1000000"), "{}", text(&output.stdout));
    }
    // What was saved beside a gate is a baseline.
    let saved = saved.to_str().unwrap();
    let output = numbers(&["--baseline", saved, "--fail-on", "regression", "--format", "markdown"]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}{}", text(&output.stderr));
    assert!(out.contains("Since the baseline"), "{out}");

    // Nothing is compared: what the command line names cannot be shown.
    let small = ["--min-group-size", "1000000", "--format", "html"];
    assert_eq!(numbers(&small).status.code(), Some(0));
    for named in [["--threshold", "mae_difference=5"], ["--loss-bound", "5"]] {
        let output = numbers(&[&small[..], &named].concat());
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains("cannot be shown does not hold"));
    }
    let wrong = written(
        folder.path(),
        "wrong.toml",
        "min_compliance_score = 80\n[thresholds]\ndemographic_parity_difference = 0.1\n",
    );
    let output = numbers(&["--policy", &wrong]);
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("Only analyses of yes and no") && err.contains("line 3"), "{err}");
}
