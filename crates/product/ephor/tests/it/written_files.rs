//! The files that commands write: whole or not at all, under the rights that they had, and refused before the work begins.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Output,
};

use crate::support::{adult, ephor};

const USUAL: [&str; 8] =
    ["--target", "y_true", "--prediction", "y_pred", "--score", "score", "--protected", "sex"];

fn analyze(arguments: &[&str]) -> Output {
    let never = ["--fail-on", "never"];
    ephor().arg("analyze").arg(adult()).args(USUAL).args(never).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_file_is_replaced_under_the_rights_that_it_had() {
    let folder = tempfile::tempdir().unwrap();
    let (out, also) = (folder.path().join("out.json"), folder.path().join("also.md"));
    for path in [&out, &also] {
        fs::write(path, "before").unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    }
    let markdown = format!("markdown={}", also.display());
    let output =
        analyze(&["--format", "json", "--out", out.to_str().unwrap(), "--also", &markdown]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let found: serde_json::Value = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
    assert!(found.is_object());
    assert!(fs::read_to_string(&also).unwrap().contains('#'));
    for path in [&out, &also] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside");
}

#[test]
fn standard_output_and_devices_stay_what_they_are() {
    let output = analyze(&["--format", "json", "--out", "/dev/stdout"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap().is_object());
    let output = analyze(&["--out", "/dev/full"]);
    assert_eq!(output.status.code(), Some(3), "a full disk is nobody's question");
    assert!(text(&output.stderr).contains("/dev/full"), "{}", text(&output.stderr));
    assert!(!fs::metadata("/dev/full").unwrap().is_file());
    assert!(Path::new("/dev/stdout").exists());
}

#[test]
fn what_cannot_be_written_is_told_before_the_data_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let (nowhere, here) = (folder.path().join("no/such.json"), folder.path());
    let (nowhere, here) = (nowhere.to_str().unwrap(), here.to_str().unwrap());
    let told = |arguments: &[&str]| {
        let output = ephor().args(arguments).output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        // The rows are not there either: nobody got so far.
        assert!(!said.contains("rows.csv"), "{said}");
        said
    };
    let junit = format!("junit={here}");
    let said = told(&[
        "analyze",
        "rows.csv",
        "--protected",
        "sex",
        "--target",
        "y",
        "--out",
        nowhere,
        "--also",
        &junit,
    ]);
    assert!(said.contains("--out") && said.contains("there is no folder"), "{said}");
    assert!(said.contains("--also") && said.contains("it is a folder"), "{said}");
    for method in ["shap", "lime"] {
        let said = told(&[
            "explain",
            "model.json",
            "rows.csv",
            "--method",
            method,
            "--out",
            here,
            "--report",
            nowhere,
            "--plots",
            "/dev/null/plots",
        ]);
        for option in ["--out", "--report", "--plots"] {
            assert!(said.contains(option), "{option} is missing in {said}");
        }
        assert!(!said.contains("model.json"), "{said}");
    }
    for arguments in [
        &["drift", "rows.csv", "rows.csv", "--out", here][..],
        &[
            "mitigate",
            "fit",
            "rows.csv",
            "--method",
            "reweighing",
            "--target",
            "y",
            "--protected",
            "sex",
            "--out",
            here,
        ],
        &["mitigate", "apply", "artefact.json", "rows.csv", "--out", nowhere],
    ] {
        assert!(told(arguments).contains("--out"));
    }
}
