//! What commands tell programs: results and errors as JSON.

use std::path::Path;

use serde_json::Value;

use crate::support::{Server, data_folder, ephor};

/// The exit code, standard output, and the last line of standard error.
fn run(arguments: &[&str], data: Option<&Path>) -> (i32, String, String) {
    let mut command = ephor();
    command.args(arguments).stdin(std::process::Stdio::null());
    if let Some(data) = data {
        command.arg("--data").arg(data);
    }
    let output = command.output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    let last = err.lines().last().unwrap_or_default().to_owned();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap(), last)
}

#[test]
fn errors_are_problems_where_json_is_asked_for() {
    for arguments in [
        &["resource", "list", "--json"][..],
        &["metrics", "no_such_metric", "--json"][..],
        &["audit", "check", "/nowhere", "--key", "ephor+x", "--json"][..],
    ] {
        let (code, out, err) = run(arguments, None);
        let problem: Value =
            serde_json::from_str(&err).unwrap_or_else(|_| panic!("{arguments:?}: {err}"));
        assert_eq!(code, 2, "{arguments:?}");
        assert!(problem["exit_code"] == 2 && problem["code"] == "usage", "{problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{problem}");
        assert_eq!(out, "", "{arguments:?}");
    }
    let (code, _, err) = run(&["metrics", "no_such_metric"], None);
    assert!(code == 2 && err.starts_with("ephor:"), "{err}");
    let (code, out, _) = run(&["resource", "list", "--help", "--json"], None);
    assert!(code == 0 && out.contains("Usage:"), "help is help");
}

#[test]
fn the_database_is_prepared_saved_and_put_back_for_programs() {
    let data = data_folder();
    let json = |arguments: &[&str], data: &Path| {
        let (code, out, err) = run(arguments, Some(data));
        assert_eq!(code, 0, "{arguments:?}: {out}{err}");
        serde_json::from_str::<Value>(&out).unwrap_or_else(|_| panic!("{arguments:?}: {out}"))
    };
    assert!(
        !json(&["db", "migrate", "--json"], data.path())["applied"].as_array().unwrap().is_empty()
    );
    let server = Server::serve(data.path());
    let file = data.path().join("saved.dump");
    let saved = json(&["db", "backup", file.to_str().unwrap(), "--json"], data.path());
    assert_eq!(saved["bytes"], std::fs::metadata(&file).unwrap().len());
    let url = json(&["db", "url", "--json"], data.path());
    assert_eq!(url["role"], "ephor_backup");
    assert!(json(&["audit", "public-key", "--json"], data.path())["public_key"].is_string());
    assert!(json(&["audit", "status", "--json"], data.path())["instance"].is_object());
    drop(server);

    let elsewhere = data_folder();
    std::fs::copy(data.path().join("seal.key"), elsewhere.path().join("seal.key")).unwrap();
    let back = json(&["db", "restore", file.to_str().unwrap(), "--json"], elsewhere.path());
    assert_eq!(back["tables"], saved["tables"]);
    assert!(back["trails"].is_array(), "{back}");
}
