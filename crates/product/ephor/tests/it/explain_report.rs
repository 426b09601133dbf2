//! `ephor explain --report`: one page for every method; `--plots`: each plot as files of its own.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use crate::support::ephor;

fn data(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../capabilities/explain/tests/data")
        .join(file)
}

/// The report that is written beside the result.
fn report(folder: &Path, model: &Path, rows: &Path, arguments: &[&str]) -> String {
    let page = folder.join("report.html");
    let output = ephor()
        .arg("explain")
        .args([model, rows])
        .arg("--report")
        .arg(&page)
        .args(["--format", "csv", "--out"])
        .arg(folder.join("out.csv"))
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    assert!(folder.join("out.csv").metadata().unwrap().len() > 0);
    std::fs::read_to_string(page).unwrap()
}

/// It holds all that it needs, each id once, and nothing that is no number.
fn assert_whole(page: &str) {
    for outside in
        ["src=\"", "href=\"http", "url(", "@import", " style=\"", "<script", ">NaN", ">inf"]
    {
        assert!(!page.contains(outside), "the page holds `{outside}`");
    }
    let ids: Vec<&str> =
        page.split(" id=\"").skip(1).filter_map(|part| part.split('"').next()).collect();
    let distinct: BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len());
    assert!(page.contains("What was asked") && page.contains("Made by Ephor"));
}

#[test]
fn shap_is_reported_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let (model, rows) = (data("xgb_binary/model.json"), data("xgb_binary/X.csv"));
    let background = data("xgb_binary/background.csv");
    let background = background.to_str().unwrap();
    for (arguments, said) in [
        (&[][..], "Exact SHAP values, path-dependent"),
        (&["--interactions", "--rows", "50"], "What features add together"),
        (&["--background", background, "--rows", "50"], "Exact SHAP values, against"),
        (&["--background", background, "--rows", "20", "--probability"], "= probability"),
    ] {
        let page = report(folder.path(), &model, &rows, arguments);
        assert_whole(&page);
        for part in [
            said,
            "How much each feature counts",
            "row by row",
            "against what it adds",
            "row 1 is made",
        ] {
            assert!(page.contains(part), "{arguments:?}: `{part}` is missing");
        }
    }
}

#[test]
fn every_output_has_its_part() {
    let folder = tempfile::tempdir().unwrap();
    let model = data("small/boosted_three.json");
    let document = std::fs::read_to_string(&model).unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let names: Vec<&str> =
        document["features"].as_array().unwrap().iter().filter_map(|name| name.as_str()).collect();
    let rows = folder.path().join("rows.csv");
    let line = |row: usize| {
        let cells: Vec<String> =
            (0..names.len()).map(|at| ((row * 7 + at * 3) % 11).to_string()).collect();
        cells.join(",")
    };
    let lines: Vec<String> = (0..30).map(line).collect();
    std::fs::write(&rows, format!("{}\n{}\n", names.join(","), lines.join("\n"))).unwrap();
    let page = report(folder.path(), &model, &rows, &[]);
    assert_whole(&page);
    assert!(page.contains("Output 0: plots") && page.contains("Output 2: Features"));
}

#[test]
fn every_method_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.csv");
    let read = |file: &str| std::fs::read_to_string(data("xgb_binary").join(file)).unwrap();
    let (rows, labels) = (read("X.csv"), read("y.csv"));
    let lines = rows.lines().zip(labels.lines()).filter(|(row, _)| !row.contains(",,"));
    let joined: Vec<String> = lines.map(|(row, label)| format!("{row},{label}\n")).collect();
    std::fs::write(&whole, joined.concat()).unwrap();
    for (arguments, said) in [
        (&["--method", "kernel", "--rows", "2", "--samples", "60"][..], "Kernel SHAP"),
        (&["--method", "lime", "--rows", "2", "--samples", "200"], "A linear model near row 2"),
        (
            &["--method", "permutation", "--target", "y", "--repeats", "2"],
            "What the model loses without each feature",
        ),
        (&["--method", "pdp", "--feature", "age"], "Partial dependence of age"),
        (
            &["--method", "pdp", "--feature", "age,sex", "--points", "3"],
            "Partial dependence of age and sex",
        ),
        (
            &["--method", "ice", "--feature", "age", "--rows", "9"],
            "Single rows\u{2019} dependence of age",
        ),
        (
            &["--method", "ale", "--feature", "hours_per_week"],
            "Accumulated local effects of hours_per_week",
        ),
        (
            &["--method", "ale", "--feature", "sex", "--categorical", "sex"],
            "Accumulated local effects of sex",
        ),
        (&["--method", "counterfactual", "--rows", "2"], "None found\u{201d} does not mean"),
        (
            &["--method", "groups", "--group", "sex", "--resamples", "50"],
            "Which way features count in each group",
        ),
    ] {
        let page = report(folder.path(), &data("xgb_binary/model.json"), &whole, arguments);
        assert_whole(&page);
        assert!(page.contains(said), "{arguments:?}: `{said}` is missing");
    }
}

/// `ephor explain MODEL ROWS … --plots FOLDER`.
fn plotted(folder: &Path, arguments: &[&str]) -> std::process::Output {
    ephor()
        .arg("explain")
        .args([data("xgb_binary/model.json"), data("xgb_binary/X.csv")])
        .args(["--rows", "9", "--plots"])
        .arg(folder)
        .args(arguments)
        .output()
        .unwrap()
}

/// The number at a place of a PNG's head.
fn dots(picture: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(picture[at..at + 4].try_into().unwrap())
}

#[test]
fn plots_are_files_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let plots = folder.path().join("made/plots");
    // The second time, the files are there.
    for _ in 0..2 {
        let output = plotted(&plots, &["--method", "ice", "--feature", "age"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let names: BTreeSet<String> = std::fs::read_dir(&plots)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let name = "effect-individual-0";
    assert_eq!(names, BTreeSet::from([format!("{name}.png"), format!("{name}.svg")]));
    let svg = std::fs::read_to_string(plots.join(format!("{name}.svg"))).unwrap();
    let picture = std::fs::read(plots.join(format!("{name}.png"))).unwrap();
    assert!(svg.starts_with("<?xml") && picture.starts_with(b"\x89PNG\r\n\x1a\n"));
    // Two dots to each unit of the file.
    for (side, at) in [(" width=\"", 16), (" height=\"", 20)] {
        let units: u32 =
            svg.split(side).nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
        assert_eq!(dots(&picture, at), 2 * units, "{side}");
    }
}

#[test]
fn plots_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output = plotted(&folder.path().join("plots"), &["--method", "counterfactual"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("--plots: counterfactuals have none"), "{said}");
    assert!(!folder.path().join("plots").exists());
    // A file stands where the folder should be.
    let taken = folder.path().join("taken");
    std::fs::write(&taken, "").unwrap();
    let output = plotted(&taken, &["--method", "ice", "--feature", "age"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("--plots") && said.contains("is no folder"), "{said}");
    assert!(output.stdout.is_empty(), "nothing is computed for it");
}
