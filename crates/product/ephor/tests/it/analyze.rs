//! `ephor analyze`, as somebody at a terminal or a CI job runs it.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

use crate::support::{adult, ephor};

fn analyze(file: &Path, arguments: &[&str]) -> Output {
    ephor().arg("analyze").arg(file).args(arguments).output().unwrap()
}

fn adult_with(arguments: &[&str]) -> Output {
    let usual = [
        "--target",
        "y_true",
        "--prediction",
        "y_pred",
        "--score",
        "score",
        "--protected",
        "sex,race",
    ];
    analyze(&adult(), &[&usual, arguments].concat())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_failing_metric_is_exit_code_1_and_a_table_says_which() {
    let output = adult_with(&[]);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{out}{err}");
    for part in [
        "16 281 rows",
        "FAIL",
        "demographic_parity_difference",
        "selection rate",
        "Female",
        "What to do",
    ] {
        assert!(out.contains(part), "{part} is missing in\n{out}");
    }
    assert!(!out.contains('\u{1b}'), "no colours when nobody looks");
}

#[test]
fn json_holds_what_fairlearn_says() {
    let output = adult_with(&["--format", "json", "--fail-on", "never"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    let race =
        result["attributes"].as_array().unwrap().iter().find(|one| one["name"] == "race").unwrap();
    let parity = race["disparities"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["id"] == "demographic_parity_difference")
        .unwrap();
    // fairlearn 0.15.0 on the same file.
    assert!(
        (parity["value"].as_f64().unwrap() - 0.143_199_685_534_591_23).abs() < 1e-9,
        "{parity}"
    );
    assert_eq!(result["rows"]["read"], 16_281);
}

#[test]
fn local_law_144_has_no_pass_line() {
    let output = adult_with(&["--report", "ll144"]);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    for part in [
        "Local Law 144",
        "Selection by sex and race",
        "Scoring by race",
        "EEOC guidance",
        "no pass line",
        "below 0.8",
    ] {
        assert!(out.contains(part), "{part} is missing in\n{out}");
    }
    let output = adult_with(&["--report", "ll144", "--format", "json", "--intersections", "1"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["report"], "ll144");
    let women = &report["selection"]["tables"][0]["categories"][0];
    assert!((women["impact_ratio"].as_f64().unwrap() - 0.318_895_903_685_215_1).abs() < 1e-9);
    assert!((report["scoring"]["median"].as_f64().unwrap() - 0.104_568).abs() < 1e-9);
}

#[test]
fn leaving_out_needs_a_reason_by_local_law_144() {
    let output = adult_with(&["--report", "ll144", "--exclude-below", "0.02"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("justification"));
    let output =
        adult_with(&["--report", "ll144", "--exclude-below", "0.3", "--exclude-reason", "few"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("2 %"));
    let reason = "fewer than 2 % of the sample";
    let output =
        adult_with(&["--report", "ll144", "--exclude-below", "0.02", "--exclude-reason", reason]);
    let out = text(&output.stdout);
    assert!(out.contains(&format!("Other is left out of the impact ratios: {reason}")), "{out}");
}

#[test]
fn the_uniform_guidelines_find_adverse_impact() {
    let output = adult_with(&["--report", "eeoc", "--intersections", "1", "--strata", "age_band"]);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{out}{err}");
    for part in ["four-fifths", "rate and significance", "within strata: p", "< 0.0001", "-25.81"] {
        assert!(out.contains(part), "{part} is missing in\n{out}");
    }
    assert!(!out.contains("Selection by age_band"), "strata are no groups");
    let never = adult_with(&["--report", "eeoc", "--fail-on", "never", "--format", "html"]);
    assert_eq!(never.status.code(), Some(0));
    let page = text(&never.stdout);
    assert!(page.contains("default-src &#39;none&#39;") || page.contains("default-src 'none'"));
    assert!(!page.contains("<script") && page.contains("Adverse impact"));
}

#[test]
fn within_strata_groups_are_compared_and_tested() {
    let output = adult_with(&["--strata", "age_band", "--fail-on", "never"]);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    for part in [
        "conditional_demographic_parity_difference",
        "within age_band: ",
        "within strata",
        "shown from",
        "< 0.0001",
    ] {
        assert!(out.contains(part), "{part} is missing in\n{out}");
    }
    let output = adult_with(&["--strata", "age_band", "--format", "html", "--fail-on", "never"]);
    let page = text(&output.stdout);
    assert!(page.contains("Within strata") && page.contains("Rates in each stratum"));
    let wrong = adult_with(&["--strata", "sex"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("/protected/0"), "{}", text(&wrong.stderr));
}

#[test]
fn the_data_alone_are_described() {
    let arguments = ["--report", "data", "--feature", "age_band,score", "--population"];
    let output = adult_with(&[&arguments[..], &["sex=Female:0.5,Male:0.5"]].concat());
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    for part in ["Representation by sex", "Cramér's V", "age_band", "33.3 %", "50.0 %"] {
        assert!(out.contains(part), "{part} is missing in\n{out}");
    }
    let wrong = adult_with(&[&arguments[..], &["sex=Female:0.5,Male:much"]].concat());
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("not a number"));
}

#[test]
fn what_is_missing_of_whom_is_told_by_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    std::fs::write(&path, "y,sex,income\n1,f,\n0,f,3\n1,m,4\n0,m,5\n").unwrap();
    let output = analyze(&path, &["--target", "y", "--protected", "sex", "--report", "data"]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}");
    for part in ["Completeness by sex", "income", "0.500 [", "No population is given"] {
        assert!(out.contains(part), "{part} is missing in\n{out}");
    }
}

#[test]
fn labels_of_the_data_alone_are_asked_for_and_not_guessed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    std::fs::write(&path, "y,sex\nyes,f\nno,f\nyes,m\nno,m\n").unwrap();
    let usual = ["--target", "y", "--protected", "sex", "--report", "data"];
    let output = analyze(&path, &usual);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("/positive_label"), "{}", text(&output.stderr));
    let output = analyze(&path, &[&usual[..], &["--positive", "yes"]].concat());
    assert!(text(&output.stdout).contains("0.500"), "{}", text(&output.stdout));
}

#[test]
fn an_option_of_another_report_is_a_fault() {
    let output = adult_with(&[
        "--report",
        "data",
        "--strata",
        "age_band",
        "--exclude-below",
        "0.01",
        "--unknown",
        "?",
    ]);
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    for part in [
        "--strata goes with --report eeoc,",
        "--exclude-below goes with --report ll144 or eeoc,",
        "--unknown goes with --report ll144 or eeoc,",
    ] {
        assert!(err.contains(part), "{part} is missing in\n{err}");
    }
    let output = adult_with(&["--report", "ll144", "--strata", "age_band", "--feature", "score"]);
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("--strata") && err.contains("--feature"), "{err}");
}

#[test]
fn by_the_guidelines_combinations_are_shown_and_decide_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let mut rows = "hired,sex,race\n".to_owned();
    // By sex and by race all rates are equal; by both, they are not.
    for (sex, race, hired) in [("f", "a", 10), ("f", "b", 90), ("m", "a", 90), ("m", "b", 10)] {
        (0..100)
            .for_each(|row| rows.push_str(&format!("{},{sex},{race}\n", u8::from(row < hired))));
    }
    std::fs::write(&path, rows).unwrap();
    let arguments = ["--target", "hired", "--protected", "sex,race", "--report", "eeoc"];
    let output = analyze(&path, &[&arguments[..], &["--fail-on", "warning"]].concat());
    let out = text(&output.stdout);
    assert!(out.contains("rate and significance"), "{out}");
    assert_eq!(output.status.code(), Some(0), "{out}{}", text(&output.stderr));
}

#[test]
fn names_from_the_file_do_not_steer_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let mut rows = "y,p,s\u{1b}[31m\n".to_owned();
    for row in 0..400 {
        let (name, predicted) = [("a\u{1b}[2J", row % 3), ("b\u{9b}2J", row % 7)][row % 2];
        rows.push_str(&format!("{},{},{name}\n", row % 5 % 2, u8::from(predicted == 0)));
    }
    rows.push_str("1,1,c\u{7}\n");
    std::fs::write(&path, rows).unwrap();
    let usual = ["--target", "y", "--prediction", "p", "--protected", "s\u{1b}[31m"];
    let reports: [&[&str]; 4] =
        [&[], &["--report", "ll144"], &["--report", "eeoc"], &["--report", "data"]];
    for report in reports {
        let output = analyze(&path, &[&usual[..], report].concat());
        let out = text(&output.stdout);
        assert!(out.contains("a\u{fffd}[2J"), "{report:?}: {out}{}", text(&output.stderr));
        assert!(!out.chars().any(|c| c.is_control() && c != '\n'), "{report:?}: {out:?}");
    }
}

#[test]
fn values_counted_together_are_not_called_small() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let mut rows = "y,p,g,h\n".to_owned();
    // More values than there are codes, of one row each, beside two of many.
    for row in 0..66_000 {
        rows.push_str(&format!("{},{},rare {row},x\n", row % 2, row % 3 % 2));
    }
    for row in 0..400 {
        rows.push_str(&format!("{},{},often {},y\n", row % 5 % 2, row % 7 % 2, row % 2));
    }
    rows.push_str("1,1,often 1,few\n");
    std::fs::write(&path, rows).unwrap();
    let arguments = ["--target", "y", "--prediction", "p", "--protected", "g,h"];
    let more = ["--intersections", "1", "--fail-on", "never"];
    let output = analyze(&path, &[&arguments[..], &more].concat());
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    assert!(out.contains("(other) (values counted together, not compared)"), "{out}");
    assert!(out.contains("few (too small to be compared)"), "{out}");
    assert_eq!(out.matches("too small to be compared").count(), 1, "{out}");
}

#[test]
fn metrics_explain_themselves() {
    let run = |arguments: &[&str]| ephor().arg("metrics").args(arguments).output().unwrap();
    let all: Value = serde_json::from_slice(&run(&["--json"]).stdout).unwrap();
    assert!(all["metrics"].as_array().unwrap().len() > 30);
    assert!(all["disparities"].as_array().unwrap().len() > 100);
    assert_eq!(all["metrics"][0]["range"], serde_json::json!([0.0, null]));
    let list = text(&run(&[]).stdout);
    assert!(list.contains("selection_rate") && list.contains("equalized_odds_difference"));
    let one = text(&run(&["recall"]).stdout);
    assert!(one.contains("TP / (TP + FN)") && one.contains("Hardt"), "{one}");
    let both = text(&run(&["accuracy"]).stdout);
    assert!(both.contains("--task multiclass") && both.matches("formula").count() == 2, "{both}");
    let both: Value = serde_json::from_slice(&run(&["accuracy", "--json"]).stdout).unwrap();
    assert_eq!(
        (&both["kind"], &both["others"][0]["analysis"]),
        (&"metric".into(), &"multiclass".into())
    );
    for (name, words) in [
        ("r2_ratio", "--task regression"),
        ("ndkl", "--task ranking"),
        ("consistency", "--type individual_fairness"),
        ("greatest_flip_rate", "--flipped COLUMN"),
        ("wasserstein", "standard deviation of the reference"),
    ] {
        let one = text(&run(&[name]).stdout);
        assert!(one.contains(words), "{words} is missing in\n{one}");
    }
    let wrong = run(&["consistence"]);
    assert!(text(&wrong.stderr).contains("`consistency`"));
    let wrong = run(&["equal_opportunity_diference"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("`equal_opportunity_difference`"));
}

#[test]
fn the_page_fetches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("report.html");
    let output = adult_with(&["--format", "html", "--out", page.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let html = std::fs::read_to_string(page).unwrap();
    assert!(html.to_lowercase().contains("content-security-policy"));
    assert!(html.contains("default-src 'none'") || html.contains("default-src &#39;none&#39;"));
    for word in ["src=\"http", "href=\"http", "@import"] {
        assert!(!html.contains(word), "{word}");
    }
}

#[test]
fn paper_is_one_more_format() {
    let folder = tempfile::tempdir().unwrap();
    let paper = |name: &str| folder.path().join(name);
    let (main, also) = (paper("report.pdf"), paper("also.pdf"));
    let beside = format!("pdf={}", also.to_str().unwrap());
    let output =
        adult_with(&["--format", "pdf", "--out", main.to_str().unwrap(), "--also", &beside]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let law = paper("law.pdf");
    let output =
        adult_with(&["--report", "ll144", "--format", "pdf", "--out", law.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for path in [main, also, law] {
        let bytes = std::fs::read(path).unwrap();
        assert!(bytes.starts_with(b"%PDF-1.7") && bytes.trim_ascii_end().ends_with(b"%%EOF"));
    }
    // Where there is no terminal, it goes to standard output.
    assert!(adult_with(&["--format", "pdf"]).stdout.starts_with(b"%PDF-1.7"));
}

#[test]
fn standard_input_ndjson_json_and_parquet_say_the_same_as_csv() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<Value> = (0..400)
        .map(|i| {
            let sex = if i % 2 == 0 { "f" } else { "m" };
            serde_json::json!({ "y": i % 3 == 0, "p": i % 4 == 0, "sex": sex })
        })
        .collect();
    let csv: String = std::iter::once("y,p,sex\n".to_owned())
        .chain(
            rows.iter()
                .map(|row| format!("{},{},{}\n", row["y"], row["p"], row["sex"].as_str().unwrap())),
        )
        .collect();
    let ndjson = rows.iter().map(Value::to_string).collect::<Vec<_>>().join("\n") + "\n";
    let files =
        [("a.csv", csv.clone()), ("a.ndjson", ndjson), ("a.json", Value::Array(rows).to_string())];
    let arguments = [
        "--target",
        "y",
        "--prediction",
        "p",
        "--protected",
        "sex",
        "--format",
        "json",
        "--fail-on",
        "never",
    ];
    let attributes = |output: &Output| {
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["attributes"].clone()
    };
    let mut found = Vec::new();
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        found.push(attributes(&analyze(&path, &arguments)));
    }
    let mut child = ephor()
        .args(["analyze", "-"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(csv.as_bytes()).unwrap();
    found.push(attributes(&child.wait_with_output().unwrap()));
    assert!(found.iter().all(|one| *one == found[0]));
}

#[test]
fn a_wrong_question_is_exit_code_2_and_every_fault_is_told() {
    let output = analyze(
        &adult(),
        &[
            "--target",
            "y_tru",
            "--prediction",
            "y_pred",
            "--protected",
            "sexx,race",
            "--confidence",
            "0.95",
        ],
    );
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("y_tru") && err.contains("`y_true`"), "{err}");
    assert!(err.contains("sexx") && err.contains("`sex`"), "{err}");
}

#[test]
fn broken_files_are_exit_code_2_with_line_and_reason() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, &[u8], &str); 6] = [
        ("fields.csv", b"y,p,s\n1,0,a\n1,0\n", "line 3"),
        ("empty.csv", b"", "empty"),
        ("header.csv", b"y,p,s\n", "row"),
        ("utf8.csv", b"y,p,s\n1,0,\xff\xfe\n", "UTF-8"),
        ("line.ndjson", b"{\"y\":1,\"p\":0,\"s\":\"a\"}\n{\"y\":\n", "line 2"),
        ("cut.parquet", b"PAR1rubbish", "Parquet"),
    ];
    for (name, bytes, reason) in cases {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let output = analyze(&path, &["--target", "y", "--prediction", "p", "--protected", "s"]);
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {err}");
        assert!(
            err.to_lowercase().contains(&reason.to_lowercase()),
            "{name}: «{reason}» is missing in {err}"
        );
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let output = analyze(Path::new("/nowhere/at-all.csv"), &["--target", "y", "--protected", "s"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("/nowhere/at-all.csv"));
}

#[test]
fn whoever_reads_enough_ends_it_without_a_fault() {
    let mut child =
        ephor().arg("config").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_is_no_success() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = ephor()
        .arg("analyze")
        .arg(adult())
        .args(["--target", "y_true", "--prediction", "y_pred", "--protected", "sex"])
        .args(["--format", "json", "--fail-on", "never"])
        .stdout(Stdio::from(full))
        .output()
        .unwrap();
    let err = text(&output.stderr);
    // Neither success nor «a metric fails» nor a panic: CI tells them apart.
    assert!(![Some(0), Some(1), Some(101), None].contains(&output.status.code()), "{err}");
    assert!(err.contains("No space left"), "{err}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_larger_than_its_memory_is_read_to_the_end() {
    const BLOCK: u64 = 100_000;
    const BLOCKS: u64 = 250;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.csv");
    let mut block = String::new();
    for i in 0..BLOCK {
        block.push_str(&format!(
            "{},{},{}\n",
            i % 3 % 2,
            i % 2,
            ["women", "men"][(i % 5 % 2) as usize]
        ));
    }
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(b"y,p,group\n").unwrap();
    (0..BLOCKS).for_each(|_| file.write_all(block.as_bytes()).unwrap());
    let size = file.metadata().unwrap().len();

    // Kibibytes of data, in whatever way they are asked for.
    let limit = size / 1024 * 3 / 4;
    let output = Command::new("sh")
        .args([
            "-c",
            &format!("ulimit -d {limit}; exec \"$0\" \"$@\""),
            env!("CARGO_BIN_EXE_ephor"),
        ])
        .arg("analyze")
        .arg(&path)
        .args(["--target", "y", "--prediction", "p", "--protected", "group"])
        .args(["--format", "json", "--fail-on", "never"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{limit} KiB: {}", text(&output.stderr));
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["rows"]["used"], BLOCK * BLOCKS);
}

fn kinds() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../capabilities/fairness/tests/reference/kinds/input.csv")
}

#[test]
fn predicted_numbers_are_compared_and_a_bound_of_their_loss_is_judged() {
    let with = |more: &[&str]| {
        let usual = ["--target", "price", "--prediction", "guess", "--protected", "group,region"];
        analyze(&kinds(), &[&["--task", "regression"], &usual[..], more].concat())
    };
    let output = with(&["--fail-on", "never"]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}{}", text(&output.stderr));
    for part in [
        "Groups by group and region",
        "prediction_distance",
        "Mean absolute error",
        "shown from",
        "Welch",
    ] {
        assert!(out.contains(part), "{part} is missing in\n{out}");
    }
    assert_eq!(with(&["--loss-bound", "1"]).status.code(), Some(1));
    let output = with(&["--format", "json", "--fail-on", "never"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["comparisons"].as_array().unwrap().len(), 3);
    let tested = &report["comparisons"][0]["disparities"][0];
    assert_eq!(tested["significance"]["test"], "welch", "{tested}");
    assert!(tested["p_value"].as_f64() <= tested["p_adjusted"].as_f64(), "{tested}");
    let page = text(&with(&["--format", "html", "--fail-on", "never"]).stdout);
    assert!(page.starts_with("<!doctype html>") && page.contains("Root mean squared error"));
}

#[test]
fn predicted_classes_are_compared_one_against_the_rest() {
    let usual = ["--target", "grade", "--prediction", "given", "--protected", "group"];
    let output =
        analyze(&kinds(), &[&["--task", "multiclass", "--fail-on", "never"], &usual[..]].concat());
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}{}", text(&output.stderr));
    for part in [
        "multiclass_equalized_odds_difference",
        "Each class against the rest",
        "poor",
        "shown from",
    ] {
        assert!(out.contains(part), "{part} is missing in\n{out}");
    }
}

#[test]
fn ranked_lists_are_compared() {
    let usual = ["--task", "ranking", "--list", "query", "--score", "rating", "--top", "5"];
    let with = |more: &[&str]| analyze(&kinds(), &[&usual[..], more].concat());
    let output = with(&["--protected", "group", "--fail-on", "never"]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}{}", text(&output.stderr));
    for part in ["40 lists", "exposure_ratio", "ndkl", "Skew at k", "t-test over lists"] {
        assert!(out.contains(part), "{part} is missing in\n{out}");
    }
    let output = with(&["--protected", "group", "--position", "years", "--target", "hired"]);
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    for part in ["--task ranking needs either", "--target goes with --task classification or"] {
        assert!(err.contains(part), "{part} is missing in\n{err}");
    }
}

#[test]
fn other_tasks_are_held_against_a_baseline_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("main.json");
    let saved = saved.to_str().unwrap();
    let usual = ["--task", "regression", "--target", "price", "--protected", "group"];
    let with = |more: &[&str]| analyze(&kinds(), &[&usual[..], more].concat());
    let now = ["--prediction", "guess", "--threshold", "mae_difference=0.5"];
    let output =
        with(&[&now[..], &["--format", "json", "--out", saved, "--fail-on", "never"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));

    // As it was: whatever fails, it failed before.
    let gate = ["--baseline", saved, "--fail-on", "regression"];
    let output = with(&[&now[..], &gate].concat());
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}{}", text(&output.stderr));
    assert!(out.contains("Since the baseline") && out.contains("0 became worse"), "{out}");
    let output = with(&[&now[..], &gate, &["--format", "json"]].concat());
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["comparison"]["task"], "regression");
    assert_eq!(found["spec"]["target"], "price");
    // Income is far from any price, and further for some.
    let worse = ["--prediction", "income", "--threshold", "mae_difference=0.5"];
    let output = with(&[&worse[..], &["--baseline", saved, "--format", "json"]].concat());
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let overall = found["comparison"]["overall"].as_array().unwrap();
    let mae = overall.iter().find(|one| one["id"] == "mae").unwrap();
    assert_eq!(mae["verdict"], "worse", "{mae}");

    // Of another measure, of another task, and without any: nothing says what regressed.
    for (more, part) in [
        (["--prediction", "guess", "--weight", "weight"], "weight was none"),
        (["--prediction", "guess", "--confidence", "0.9"], "confidence was 0.95"),
    ] {
        let output = with(&[&more[..], &gate].concat());
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
        assert!(text(&output.stderr).contains(part), "{}", text(&output.stderr));
    }
    let lists =
        ["--task", "ranking", "--list", "query", "--score", "rating", "--protected", "group"];
    let output = analyze(&kinds(), &[&lists[..], &["--baseline", saved]].concat());
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("of the task regression") && err.contains("of the task ranking"), "{err}");
    // A page would say nothing of it.
    for format in ["html", "pdf"] {
        let output = with(&[&now[..], &["--baseline", saved, "--format", format]].concat());
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.contains(&format!("means nothing to --format {format}")), "{err}");
    }
    let output = with(&[&now[..], &["--fail-on", "regression"]].concat());
    assert!(text(&output.stderr).contains("give one with --baseline"));
}

#[test]
fn similar_people_are_compared() {
    let usual = ["--target", "hired", "--protected", "group", "--type", "individual_fairness"];
    let with = |more: &[&str]| analyze(&kinds(), &[&usual[..], more].concat());
    let output = with(&["--feature", "income,years", "--fail-on", "never"]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}{}", text(&output.stderr));
    assert!(out.contains("consistency_difference"), "{out}");
    // What was found of individuals stops a gate too.
    let strict = ["--threshold", "consistency_difference=0", "--fail-on", "warning"];
    let output = with(&[&["--feature", "income,years", "--format", "json"], &strict[..]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let page =
        text(&with(&["--feature", "income", "--format", "html", "--fail-on", "never"]).stdout);
    assert!(page.contains("consistency_difference"));
    let output = with(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("/features"), "{}", text(&output.stderr));
}

#[test]
fn decisions_under_a_changed_attribute_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("loans.csv");
    let mut rows = String::from("sex,granted,changed\n");
    for (sex, decisions, count) in
        [("f", "0,0", 40), ("f", "0,1", 40), ("f", "1,1", 20), ("m", "1,1", 60), ("m", "0,0", 40)]
    {
        rows.push_str(&format!("{sex},{decisions}\n").repeat(count));
    }
    std::fs::write(&file, rows).unwrap();
    let usual = ["--flipped", "changed", "--protected", "sex"];
    let with = |more: &[&str]| analyze(&file, &[&usual[..], more].concat());
    let output = with(&["--prediction", "granted"]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{out}{}", text(&output.stderr));
    for part in
        ["greatest_flip_rate", "flips_to_positive_ratio", "Which way decisions flip", "sex: f"]
    {
        assert!(out.contains(part), "{part} is missing in\n{out}");
    }
    let loose = ["--threshold", "greatest_flip_rate=1", "--threshold", "flip_rate_difference=1"];
    let output = with(&[&["--prediction", "granted", "--format", "json"], &loose[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["tests"][0]["to_positive"], 40);
    let page = text(&with(&["--score", "granted", "--format", "html"]).stdout);
    assert!(page.contains("greatest_flip_rate"), "{page}");
    let output = with(&["--target", "granted", "--strata", "sex", "--also", "sarif=x.sarif"]);
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    for part in [
        "--target means nothing to --flipped",
        "--strata means nothing to --flipped",
        "--flipped needs either --prediction or --score",
    ] {
        assert!(err.contains(part), "{part} is missing in\n{err}");
    }
}

#[test]
fn options_of_another_task_are_refused_in_sentences() {
    let output = adult_with(&["--task", "regression", "--neighbours", "3", "--report", "eeoc"]);
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    for part in [
        "--score goes with --task classification or ranking, and means nothing to regression",
        "--report goes with --task classification",
        "--neighbours goes with",
    ] {
        assert!(err.contains(part), "{part} is missing in\n{err}");
    }
    // A gate that is not judged must not look as if it held.
    let gated = ["--policy", "p.toml", "--also", "junit=a.xml", "--format", "sarif"];
    let output = adult_with(&[&["--flipped", "y_pred"][..], &gated].concat());
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    for option in ["--policy", "--also", "--format sarif"] {
        let part = format!("{option} is for analyses of a model, and means nothing to --flipped");
        assert!(err.contains(&part), "{part} is missing in\n{err}");
    }
    let output = adult_with(&["--task", "multiclass", "--strata", "age"]);
    let err = text(&output.stderr);
    assert!(err.contains("--strata goes with --task classification"), "{err}");
    let output = adult_with(&["--loss-bound", "3", "--feature", "age"]);
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    for part in ["--loss-bound goes with --task regression", "--feature goes with --type"] {
        assert!(err.contains(part), "{part} is missing in\n{err}");
    }
}
