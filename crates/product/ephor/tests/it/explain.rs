//! `ephor explain`, as somebody at a terminal runs it.

use std::{
    io::Read as _,
    path::PathBuf,
    process::{Output, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::support::ephor;

fn data(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../capabilities/explain/tests/data/xgb_binary")
        .join(file)
}

fn explain(arguments: &[&str]) -> Output {
    ephor()
        .arg("explain")
        .args([data("model.json"), data("X.csv")])
        .args(arguments)
        .output()
        .unwrap()
}

/// A model of another folder on rows of its own, as JSON.
fn of(folder: &str, model: &str, arguments: &[&str]) -> Value {
    let data = |file: &str| data("..").join(folder).join(file);
    let output = ephor()
        .arg("explain")
        .args([data(model), data("X.csv")])
        .args(["--format", "json", "--rows", "3", "--background"])
        .arg(data("background.csv"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_table_says_what_matters_most() {
    let output = explain(&[]);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(said.contains("200 rows, 60 trees, 11 features; values in log-odds"), "{said}");
    assert!(said.contains("Base -1.223949"), "{said}");
}

#[test]
fn values_and_base_make_the_margin() {
    for arguments in [
        &["--format", "json", "--rows", "3"][..],
        &["--format", "json", "--rows", "3", "--interactions"],
        &[
            "--format",
            "json",
            "--rows",
            "3",
            "--background",
            data("background.csv").to_str().unwrap(),
        ],
    ] {
        let output = explain(arguments);
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let rows = found["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 3);
        for row in rows {
            let sum: f64 =
                row["values"][0].as_array().unwrap().iter().filter_map(Value::as_f64).sum();
            let margin = row["margin"][0].as_f64().unwrap();
            let base = found["base"][0].as_f64().unwrap();
            assert!((base + sum - margin).abs() < 1e-9, "{arguments:?}");
        }
    }
}

#[test]
fn lines_of_csv_have_all_columns() {
    let said = text(&explain(&["--format", "csv", "--rows", "2"]).stdout);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("row,output,base,margin,prediction,age,"), "{said}");
    assert!(lines.iter().all(|line| line.split(',').count() == 16), "{said}");
}

#[test]
fn what_does_not_fit_is_refused_all_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let rows = folder.path().join("rows.csv");
    std::fs::write(&rows, "age,sex\n1,male\n").unwrap();
    let output = ephor().arg("explain").arg(data("model.json")).arg(&rows).output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("no column `education_num`"), "{said}");
    assert!(said.contains("`sex` is no column of numbers"), "{said}");
    let output = ephor().arg("explain").args([&rows, &rows]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("no model that can be read"));
    let output = explain(&["--memory", "0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--memory"));
}

fn explained(arguments: &[&str]) -> Value {
    let output = explain(&[arguments, &["--format", "json"]].concat());
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_method_prints_a_table_lines_and_json() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.csv");
    let rows = std::fs::read_to_string(data("X.csv")).unwrap();
    let labels = std::fs::read_to_string(data("y.csv")).unwrap();
    let lines = rows.lines().zip(labels.lines()).filter(|(row, _)| !row.contains(",,"));
    let joined: Vec<String> = lines.map(|(row, label)| format!("{row},{label}\n")).collect();
    std::fs::write(&whole, joined.concat()).unwrap();
    for (method, arguments) in [
        ("kernel", &["--rows", "2", "--samples", "60"][..]),
        ("lime", &["--rows", "2", "--samples", "200", "--categorical", "sex,race", "--top", "3"]),
        ("permutation", &["--target", "y", "--metric", "roc-auc", "--repeats", "2"]),
        ("pdp", &["--feature", "age", "--points", "5", "--grid", "even"]),
        ("pdp", &["--feature", "age,sex", "--points", "3"]),
        ("ice", &["--feature", "age", "--points", "4", "--rows", "3", "--centred"]),
        ("ale", &["--feature", "hours_per_week", "--bins", "6"]),
        ("ale", &["--feature", "workclass", "--categorical", "workclass,sex"]),
        ("counterfactual", &["--rows", "2", "--immutable", "sex,race", "--increase-only", "age"]),
        ("groups", &["--group", "sex", "--resamples", "50"]),
    ] {
        let run = |format: &str| {
            let output = ephor()
                .arg("explain")
                .args([&data("model.json"), &whole])
                .args(["--method", method, "--format", format])
                .args(arguments)
                .output()
                .unwrap();
            let said = text(&output.stdout);
            assert!(output.status.success(), "{method} {}", text(&output.stderr));
            assert!(!said.contains("NaN") && !said.contains("inf"), "{said}");
            said
        };
        let table = run("table");
        assert!(table.starts_with(&whole.display().to_string()), "{table}");
        let document: Value = serde_json::from_str(&run("json")).unwrap();
        assert_eq!(document["method"], method);
        let lines = run("csv");
        let width = lines.lines().next().unwrap().split(',').count();
        assert!(lines.lines().count() > 1 && width > 1, "{lines}");
        assert!(lines.lines().all(|line| line.split(',').count() == width), "{lines}");
        assert_eq!(lines, run("csv"), "the same question has the same answer");
    }
}

#[test]
fn counterfactuals_keep_what_is_said() {
    let found = explained(&[
        "--method",
        "counterfactual",
        "--rows",
        "5",
        "--immutable",
        "sex,race,age",
        "--range",
        "hours_per_week=0..45",
    ]);
    let mut ways = 0;
    for row in found["rows"].as_array().unwrap() {
        let was = row["prediction"][0].as_f64().unwrap() >= 0.5;
        for way in row["counterfactuals"].as_array().unwrap() {
            ways += 1;
            assert_ne!(way["prediction"][0].as_f64().unwrap() >= 0.5, was);
            for change in way["changes"].as_array().unwrap() {
                let feature = change["feature"].as_str().unwrap();
                assert!(!["sex", "race", "age"].contains(&feature), "{way}");
                if feature == "hours_per_week" {
                    assert!(change["to"].as_f64().unwrap() <= 45.0, "{way}");
                }
            }
        }
    }
    assert!(ways > 0, "{found}");
}

#[test]
fn what_a_method_does_not_take_is_refused_all_at_once() {
    for (arguments, words) in [
        (
            &["--bins", "3", "--threshold", "1"][..],
            &["--bins is for --method ale", "--threshold"][..],
        ),
        (&["--method", "permutation", "--feature", "age"], &["needs --target", "--feature is for"]),
        (&["--method", "ale", "--feature", "agee"], &["no feature `agee`; is it `age`?"]),
        (&["--method", "groups", "--group", "nobody"], &["no column `nobody`"]),
        (
            &[
                "--method",
                "counterfactual",
                "--immutable",
                "x",
                "--range",
                "age=1",
                "--step",
                "age=a",
            ],
            &["no feature `x`", "LEAST..GREATEST", "not a number"],
        ),
        (&["--method", "kernel", "--samples", "0", "--precision", "0"], &["samples", "precision"]),
        (&["--method", "lime", "--rows", "3", "--class", "4"], &["no output 4"]),
        (
            &["--method", "pdp", "--background", "X.csv"],
            &["--background is for --method shap, kernel", "pdp looks at the rows", "--feature"],
        ),
    ] {
        let output = explain(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        for word in words {
            assert!(said.contains(word), "{arguments:?}: {said}");
        }
    }
}

#[test]
fn groups_say_when_shuffles_are_too_few() {
    let groups = |resamples: &str| {
        explained(&["--method", "groups", "--group", "sex", "--resamples", resamples])
    };
    let found = groups("50");
    let note = found["notes"][0].as_str().unwrap();
    assert!(note.starts_with("22 tests need more than 439 shuffles"), "{note}");
    assert!((found["least_p_adjusted"].as_f64().unwrap() - 22.0 / 51.0).abs() < 1e-12);
    assert!(groups("440")["notes"].as_array().unwrap().is_empty());
    let table = explain(&["--method", "groups", "--group", "sex", "--resamples", "50"]);
    assert!(text(&table.stdout).contains("nothing is called a difference here"));
}

/// A linear model's values are exact: over all rows they add up to nothing.
#[test]
fn groups_of_a_linear_model_are_explained_exactly() {
    let data = |file: &str| data("..").join("logistic").join(file);
    let groups = |arguments: &[&str]| {
        let output = ephor()
            .arg("explain")
            .args([data("model.json"), data("X.csv")])
            .args(["--method", "groups", "--group", "sex", "--resamples", "20"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    assert!(groups(&[]).contains("Linear SHAP values of the margin"));
    let found: Value = serde_json::from_str(&groups(&["--format", "json"])).unwrap();
    let all = found["groups"].as_array().unwrap();
    assert!(all.len() > 1);
    for feature in 0..found["features"].as_array().unwrap().len() {
        let sum = |group: &Value| {
            let mean = group["features"][feature]["mean_value"].as_f64().unwrap();
            mean * group["rows"].as_f64().unwrap()
        };
        assert!(all.iter().map(sum).sum::<f64>().abs() < 1e-6, "feature {feature}");
    }
}

#[test]
fn what_is_made_ready_counts_as_memory() {
    let background = data("background.csv");
    let output = explain(&["--memory", "1", "--background", background.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("--memory: making the model ready takes"), "{said}");
}

#[test]
fn a_neural_network_is_explained_by_what_asks() {
    let data = |file: &str| data("..").join("graphs").join(file);
    let folder = tempfile::tempdir().unwrap();
    let rows = folder.path().join("rows.csv");
    let lines: String =
        (0..30).flat_map(|at| [(at % 7).to_string(), format!(",{},1,0.5\n", at % 4)]).collect();
    std::fs::write(&rows, format!("a,b,c,d\n{lines}")).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = ephor();
        command.arg("explain").args([&data("network_two.onnx"), &rows]);
        command.args(["--feature-names", "a,b,c,d"]).args(arguments).output().unwrap()
    };
    let refused = run(&[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("ask for --method kernel"));
    let output = run(&["--method", "kernel", "--rows", "2", "--format", "json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["output"], 1, "of two classes the second is explained");
    for row in found["rows"].as_array().unwrap() {
        let sum: f64 = row["values"].as_array().unwrap().iter().filter_map(Value::as_f64).sum();
        let all = found["base"].as_f64().unwrap() + sum;
        assert!((all - row["prediction"].as_f64().unwrap()).abs() < 1e-6);
    }
    for arguments in [
        &["--method", "lime", "--rows", "1", "--samples", "200"][..],
        &["--method", "pdp", "--feature", "a"],
        &["--method", "ice", "--feature", "a", "--rows", "3"],
        &["--method", "ale", "--feature", "a", "--bins", "4"],
        &["--method", "permutation", "--target", "c"],
        &["--method", "counterfactual", "--rows", "2", "--budget", "2000"],
        &["--method", "groups", "--group", "b", "--resamples", "20", "--rows", "30"],
    ] {
        let output = run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn models_of_every_origin_are_explained() {
    const NAMES: &str = "age,education_num,capital_gain,capital_loss,hours_per_week,workclass,marital_status,occupation,\
        relationship,race,sex";
    for (folder, model, format, arguments) in [
        ("xgb_binary", "model.ubj", "xgboost_ubjson", &[][..]),
        ("xgb_binary", "model.onnx", "onnx", &["--feature-names", NAMES]),
        ("xgb_binary", "model.json", "xgboost_json", &["--probability"]),
        ("rf_binary", "model.json", "sklearn_json", &["--feature-names", NAMES]),
        ("logistic", "model.json", "sklearn_json", &[]),
        ("logistic", "model.json", "sklearn_json", &["--probability"]),
        ("logistic", "model.onnx", "onnx", &["--feature-names", NAMES]),
    ] {
        let found = of(folder, model, arguments);
        assert_eq!(found["model"]["format"], format);
        let goal = if arguments.contains(&"--probability") { "prediction" } else { "margin" };
        for row in found["rows"].as_array().unwrap() {
            let values = row["values"][0].as_array().unwrap();
            let sum: f64 = values.iter().filter_map(Value::as_f64).sum();
            let all = found["base"][0].as_f64().unwrap() + sum;
            assert!((all - row[goal][0].as_f64().unwrap()).abs() < 1e-9, "{folder}/{model}");
        }
    }
}

#[test]
fn a_linear_model_needs_a_background() {
    let data = |file: &str| data("..").join("logistic").join(file);
    let output = ephor().arg("explain").args([data("model.json"), data("X.csv")]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("by --background FILE"));
    let names = ["--feature-names", "a,b"];
    let output = explain(&names);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("11 features, and 2 names are given"));
}

/// Rows that would not fit into the memory are explained a piece at a time, and as in any other piece.
#[test]
fn memory_does_not_grow_with_the_rows() {
    const TIMES: usize = 50;
    let folder = tempfile::tempdir().unwrap();
    let rows = std::fs::read_to_string(data("X.csv")).unwrap();
    let (head, body) = rows.split_once('\n').unwrap();
    let body = body.trim_end();
    let many = folder.path().join("many.csv");
    std::fs::write(&many, format!("{head}\n{}", format!("{body}\n").repeat(TIMES))).unwrap();

    // What the model takes itself, and too little beside it for all rows and pairs: 11 x 11 values and 11 features each.
    let refused = explain(&["--interactions", "--memory", "0"]);
    let said = text(&refused.stderr);
    let takes = said.split_once("takes ").and_then(|(_, rest)| rest.split_once(" MiB"));
    let takes: usize = takes.unwrap_or_else(|| panic!("{said}")).0.parse().unwrap();
    let count = TIMES * body.lines().count();
    assert!(count * 132 * 8 > 4 << 20, "they would fit");
    let run = |file: &PathBuf, memory: usize, more: &[&str]| {
        let mut command = ephor();
        command.arg("explain").arg(data("model.json")).arg(file).args(["--interactions"]);
        let memory = memory.to_string();
        let output = command.args(["--memory", &memory]).args(more).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let values = |lines: &str| {
        let behind = |line: &str| line.split_once(',').unwrap().1.to_owned();
        lines.lines().skip(1).map(behind).collect::<Vec<_>>()
    };
    let few = values(&run(&data("X.csv"), 2048, &["--format", "csv"]));
    let out = folder.path().join("values.csv");
    let told = run(&many, takes + 4, &["--format", "csv", "--out", out.to_str().unwrap()]);
    assert_eq!(told, "");
    let lines = std::fs::read_to_string(&out).unwrap();
    assert!(lines.lines().last().unwrap().starts_with(&format!("{},", count - 1)));
    let found = values(&lines);
    assert_eq!(found.len(), count);
    assert!(found.iter().eq(few.iter().cycle().take(count)), "pieces change values");
    let table = run(&many, takes + 4, &[]);
    assert!(table.contains(&format!("{count} rows")), "{table}");
}

#[test]
fn ctrl_c_ends_a_command_whose_result_is_not_read() {
    let mut child = ephor()
        .arg("explain")
        .args([data("model.json"), data("X.csv")])
        .args(["--interactions", "--format", "csv"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It writes from now on, and more than fits into the pipe.
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0]).unwrap();
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
