//! `ephor analyze --model FILE --flip COLUMN`: the model is asked again with one feature changed.

use std::{path::Path, process::Output};

use serde_json::{Value, json};

use crate::support::ephor;

/// Yes from a margin of 0 on: 4 sex + income - 3.
fn model() -> Value {
    json!({
        "kind": "LogisticRegression", "features": ["sex", "income"], "classes": [0, 1],
        "coef": [[4.0, 1.0]], "intercept": [-3.0],
    })
}

/// Those of little income are decided by their sex alone: 40 of 100 women, and 10 of 100 men.
fn rows() -> String {
    let mut text = String::from("who,sex,income\n");
    for (who, sex, poor) in [("f", 0, 40), ("m", 1, 10)] {
        for row in 0..100 {
            text.push_str(&format!("{who},{sex},{}\n", if row < poor { 0 } else { 3 }));
        }
    }
    // Of one it is not known: there is nothing to change.
    text + "f,,3\n"
}

fn written(folder: &Path, model: &Value, rows: &str) {
    std::fs::write(folder.join("model.json"), model.to_string()).unwrap();
    std::fs::write(folder.join("rows.csv"), rows).unwrap();
}

fn analyze(folder: &Path, arguments: &[&str]) -> Output {
    ephor()
        .arg("analyze")
        .arg(folder.join("rows.csv"))
        .arg("--model")
        .arg(folder.join("model.json"))
        .args(arguments)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)))
}

#[test]
fn the_model_decides_twice_about_every_row() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path(), &model(), &rows());
    let arguments = ["--flip", "sex", "--protected", "who", "--format", "json"];
    let output = analyze(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let found = json_of(&output);
    assert_eq!(found["overall"]["metrics"][0]["value"], 0.25, "{found}");
    let groups = found["comparisons"][0]["groups"].as_array().unwrap();
    let rates: Vec<&Value> = groups.iter().map(|group| &group["metrics"][0]["value"]).collect();
    assert_eq!(rates, [&json!(0.4), &json!(0.1)]);
    let all = &found["tests"][0];
    assert_eq!((&all["to_positive"], &all["to_negative"]), (&json!(40), &json!(10)));
    let excluded = found["excluded"].as_array().unwrap();
    let unknown = excluded.iter().find(|one| one["reason"] == "missing_flipped").unwrap();
    assert_eq!(unknown["rows"], 1);
    let note = found["notes"].as_array().unwrap().last().unwrap().as_str().unwrap();
    assert!(note.contains("other value that it has here (0, 1)"), "{note}");

    let table = analyze(folder.path(), &["--flip", "sex", "--protected", "who"]);
    let said = text(&table.stdout);
    for part in ["Which way decisions flip", "with sex changed", "positive from 0.5"] {
        assert!(said.contains(part), "{part} is missing in\n{said}");
    }
    // Of a feature that the model does not read, nothing flips.
    let deaf = json!({
        "kind": "LogisticRegression", "features": ["sex", "income"], "classes": [0, 1],
        "coef": [[0.0, 1.0]], "intercept": [-3.0],
    });
    written(folder.path(), &deaf, &rows());
    let output = analyze(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(json_of(&output)["overall"]["metrics"][0]["value"], 0.0);
}

#[test]
fn any_other_value_may_flip_a_decision() {
    let folder = tempfile::tempdir().unwrap();
    // Only region 2 is decided positively: from 0, a change to 1 alters nothing, one to 2 does.
    let model = json!({
        "kind": "LogisticRegression", "features": ["region"], "classes": [0, 1],
        "coef": [[1.0]], "intercept": [-1.5],
    });
    let mut rows = String::from("region,id\n");
    (0..90).for_each(|row| rows.push_str(&format!("{},{row}\n", row % 3)));
    written(folder.path(), &model, &rows);
    let output =
        analyze(folder.path(), &["--flip", "region", "--protected", "region", "--format", "json"]);
    let found = json_of(&output);
    assert_eq!(found["overall"]["metrics"][0]["value"], 1.0, "{found}");
    let all = &found["tests"][0];
    assert_eq!((&all["to_positive"], &all["to_negative"]), (&json!(60), &json!(30)));
}

#[test]
fn what_is_wrong_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path(), &model(), &rows());
    for (arguments, parts) in [
        (&["--flip", "sexx", "--protected", "who"][..], &["no such feature", "sex, income"][..]),
        (&["--protected", "who"], &["--flip"]),
        (
            &["--flip", "sex", "--protected", "who", "--target", "income", "--top", "3"],
            &["--target means nothing to --model", "--top means nothing to --model"],
        ),
        (
            &["--flip", "sex", "--protected", "whom", "--feature-names", "sex,who"],
            &["There is no column `whom`", "`who` cannot be a feature"],
        ),
        (&["--flip", "sex", "--protected", "who", "--feature-names", "sex"], &["--feature-names"]),
    ] {
        let output = analyze(folder.path(), arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        for part in parts {
            assert!(said.contains(part), "{part} is missing in\n{said}");
        }
    }
    written(folder.path(), &model(), "who,sex,income\nf,1,2\nf,1,3\n");
    let output = analyze(folder.path(), &["--flip", "sex", "--protected", "who"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("nothing to change it to"), "{}", text(&output.stderr));
}
