//! `ephor drift`, as somebody at a terminal or a CI job runs it.

use std::{
    path::{Path, PathBuf},
    process::Output,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{adult, ephor};

/// The demo's rows, every second one in each of two files; those of the second changed.
struct Files {
    folder: TempDir,
}

impl Files {
    fn new(change: impl Fn(&mut Vec<String>)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = std::fs::read_to_string(adult()).unwrap();
        let mut lines = text.lines();
        let head = lines.next().unwrap();
        let mut files = [format!("{head}\n"), format!("{head}\n")];
        for (row, line) in lines.enumerate() {
            let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            if row % 2 == 1 {
                change(&mut cells);
            }
            files[row % 2].push_str(&(cells.join(",") + "\n"));
        }
        for (name, text) in ["before.csv", "now.csv"].into_iter().zip(files) {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn drift(&self, arguments: &[&str]) -> Output {
        run(&self.path("before.csv"), &self.path("now.csv"), arguments)
    }
}

fn run(before: &Path, now: &Path, arguments: &[&str]) -> Output {
    ephor().arg("drift").arg(before).arg(now).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const COLUMNS: [&str; 2] = ["--column", "race,sex,age_band,score"];
const MODEL: [&str; 8] =
    ["--target", "y_true", "--prediction", "y_pred", "--score", "score", "--protected", "sex"];

#[test]
fn two_halves_of_one_file_have_not_drifted() {
    let output = Files::new(|_| ()).drift(&[&COLUMNS[..], &MODEL].concat());
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    for part in ["Drift", "8140 rows are compared with 8141", "Wasserstein", "Fairness", "Notes"] {
        assert!(out.contains(part), "{part} is missing in\n{out}");
    }
    assert!(!out.contains("may have drifted") && !out.contains('\u{1b}'), "{out}");
    // What needs no labels is compared without them.
    let output = Files::new(|_| ()).drift(&[&COLUMNS[..], &MODEL[2..]].concat());
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    assert!(out.contains("Fairness"), "{out}");
}

#[test]
fn a_column_that_drifted_is_exit_code_1_and_named() {
    let files = Files::new(|cells| {
        if cells[6] == "25-39" {
            cells[6] = "under\u{1b}40".to_owned();
        }
    });
    let output = files.drift(&COLUMNS);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{out}{err}");
    assert!(out.contains("`age_band` drifted") && out.contains("New and gone"), "{out}");
    assert!(!out.contains('\u{1b}'), "no control character of the file reaches the terminal");
    let output = files.drift(&["--column", "age_band", "--format", "json", "--fail-on", "never"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["status"], &report["current_rows"]), (&"fail".into(), &8_140.into()));
    assert_eq!(report["columns"][0]["gone_values"][0]["value"], "25-39");
    let patient = files.drift(&["--column", "age_band", "--threshold", "psi=100"]);
    assert_eq!(patient.status.code(), Some(0), "{}", text(&patient.stdout));
}

#[test]
fn fairness_that_drifted_is_exit_code_1_and_on_the_page() {
    // From now on no woman is selected.
    let files = Files::new(|cells| {
        if cells[5] == "Female" {
            cells[2] = "0".to_owned();
        }
    });
    let page = files.path("drift.html");
    let place = ["--format", "html", "--out", page.to_str().unwrap()];
    let output = files.drift(&[&["--column", "sex"][..], &MODEL, &place].concat());
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let page = std::fs::read_to_string(page).unwrap();
    for part in ["Fairness", "Distribution of sex", "equal_opportunity_difference", "tpr"] {
        assert!(page.contains(part), "{part} is missing");
    }
    assert!(!page.contains("<script") && page.contains("default-src"));
}

#[test]
fn all_faults_come_at_once_and_are_exit_code_2() {
    let files = Files::new(|_| ());
    let output =
        files.drift(&["--column", "agee_band,sex", "--confidence", "2", "--threshold", "psy=1"]);
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    for part in ["/columns/0", "Did you mean `age_band`?", "/confidence", "Did you mean `psi`?"] {
        assert!(err.contains(part), "{part} is missing in\n{err}");
    }
    for wrong in [&["--prediction", "y_pred"][..], &["--threshold", "psi=much"]] {
        assert_eq!(files.drift(wrong).status.code(), Some(2), "{wrong:?}");
    }
    let twice = run(Path::new("-"), Path::new("-"), &[]);
    assert_eq!(twice.status.code(), Some(2));
    assert!(text(&twice.stderr).contains("only one"), "{}", text(&twice.stderr));
}

#[test]
fn its_tests_are_looked_up_by_name() {
    let output = ephor().args(["metrics", "psi"]).output().unwrap();
    let out = text(&output.stdout);
    assert!(out.contains("ln(q / p)") && out.contains("0.2"), "{out}");
    let output = ephor().args(["metrics", "--json"]).output().unwrap();
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(all["drift"].as_array().unwrap().iter().any(|test| test["id"] == "wasserstein"));
}
