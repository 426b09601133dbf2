//! The commands that speak to a server: a log-in, and the life of a row.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Server, data_folder, ephor, sign_up};

pub struct Told {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs `ephor` with a credentials file of its own, off the runtime's threads.
pub async fn run(file: &Path, input: &str, arguments: &[&str]) -> Told {
    let mut command = ephor();
    command.env("EPHOR_CREDENTIALS", file).env_remove("EPHOR_API_KEY").env_remove("EPHOR_SERVER");
    command.args(arguments);
    let mut command = assert_cmd::Command::from_std(command);
    command.write_stdin(input.to_owned());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    Told {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Ada signs up and logs in by command. Her credentials lie in the file, as long as the folder is kept.
pub async fn ada_logs_in(server: &Server) -> (TempDir, PathBuf) {
    let signed = sign_up(&reqwest::Client::new(), &server.url, "ada@example.org").await;
    assert!(signed.status().is_success());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials.json");
    let as_ada = ["login", &server.url, "--email", "ada@example.org", "--password-stdin"];
    let told = run(&file, "correct horse battery\n", &as_ada).await;
    assert_eq!(told.code, 0, "{}", told.err);
    (folder, file)
}

#[tokio::test]
async fn a_row_lives_and_dies_by_command() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let signed = sign_up(&reqwest::Client::new(), &server.url, "ada@example.org").await;
    assert!(signed.status().is_success());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials.json");

    let told = run(&file, "", &["resource", "types"]).await;
    assert_eq!(told.code, 2, "{}", told.err);
    assert!(told.err.contains("ephor login"), "{}", told.err);

    let as_ada = ["login", &server.url, "--email", "ada@example.org", "--password-stdin"];
    let told = run(&file, "a wrong password\n", &as_ada).await;
    assert_eq!(told.code, 2, "{}", told.err);
    assert!(!file.exists(), "a refused log-in keeps nothing");
    let told = run(&file, "correct horse battery\n", &as_ada).await;
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(told.out.contains("Analytical Engines") && !told.out.contains("eph_"), "{}", told.out);

    let told = run(&file, "", &["org", "list", "--json"]).await;
    let mine: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(mine[0]["name"], "Analytical Engines");
    let told = run(&file, "", &["resource", "types"]).await;
    assert!(told.out.contains("models") && told.out.contains("create"), "{}", told.out);

    let create = [
        "resource",
        "create",
        "models",
        "name=Credit",
        "model_type=classification",
        "metadata:={\"a\":1}",
        "--json",
    ];
    let told = run(&file, "", &create).await;
    assert_eq!(told.code, 0, "{}", told.err);
    let made: Value = serde_json::from_str(&told.out).unwrap();
    let id = made["id"].as_str().unwrap();
    let many =
        r#"[{"name":"Two","model_type":"regression"},{"name":"Three","model_type":"regression"}]"#;
    let told = run(&file, many, &["resource", "create", "models", "--body", "-"]).await;
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(told.out.contains("Three"), "{}", told.out);

    let told = run(&file, "", &["resource", "list", "models", "name=eq.Credit", "--json"]).await;
    let rows: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!((rows.as_array().unwrap().len(), rows[0]["metadata"]["a"].as_i64()), (1, Some(1)));
    let told =
        run(&file, "", &["resource", "list", "models", "--sort=-name", "--limit", "1"]).await;
    assert!(told.out.contains("Two") && told.err.contains("--all"), "{}{}", told.out, told.err);
    let told = run(&file, "", &["resource", "list", "models", "--all", "--format", "csv"]).await;
    assert_eq!((told.code, told.out.lines().count()), (0, 4), "{}{}", told.out, told.err);

    let told =
        run(&file, "", &["resource", "update", "models", id, "description=For retail", "--json"])
            .await;
    assert_eq!(told.code, 0, "{}", told.err);
    let told = run(&file, "", &["resource", "get", "models", id]).await;
    assert!(told.out.contains("For retail"), "{}", told.out);
    let stale = ["resource", "update", "models", id, "description=x", "--if-match", "\"1\""];
    let told = run(&file, "", &stale).await;
    assert_eq!(told.code, 2, "{}", told.err);

    let told = run(&file, "", &["resource", "audit", "models", id]).await;
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(told.out.contains("description: \"\" -> For retail"), "{}", told.out);
    let told = run(&file, "", &["resource", "audit", "models", id, "--json"]).await;
    let history: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(history[0]["changes"][0]["column"], "description", "{history}");
    assert_eq!(history[1]["action"], "insert");
    let told = run(&file, "", &["resource", "audit", "modles", id]).await;
    assert!(told.code == 2 && told.err.contains("did you mean `models`"), "{}", told.err);

    let told = run(&file, "", &["resource", "delete", "models", id]).await;
    assert_eq!(told.code, 2, "without anybody to ask nothing is deleted: {}", told.err);
    let told = run(&file, "", &["resource", "delete", "models", id, "--yes"]).await;
    assert_eq!(told.code, 0, "{}", told.err);
    let told = run(&file, "", &["resource", "get", "models", id]).await;
    assert_eq!(told.code, 2);
    assert!(told.err.contains("not_found"), "{}", told.err);

    // What is wrong is told with its place, all of it at once, and what was probably meant.
    let told = run(&file, "", &["resource", "create", "models", "nmae=x"]).await;
    assert_eq!(told.code, 2);
    assert!(told.err.contains("/nmae") && told.err.contains("/model_type"), "{}", told.err);
    let told = run(&file, "", &["resource", "list", "modles"]).await;
    assert!(told.code == 2 && told.err.contains("did you mean `models`"), "{}", told.err);
    let told = run(&file, "", &["resource", "get", "models", "../me"]).await;
    assert!(told.code == 2 && told.err.contains("is no id"), "{}", told.err);

    // What these commands read from the environment is no setting of a server's.
    let mut command = ephor();
    command
        .env("EPHOR_SERVER", &server.url)
        .env("EPHOR_CREDENTIALS", &file)
        .env("EPHOR_API_KEY", "x");
    assert!(command.args(["config", "--check"]).output().unwrap().status.success());

    // The kept key is for the kept server alone.
    let told = run(&file, "", &["org", "list", "--server", "http://127.0.0.1:9"]).await;
    assert!(told.code == 2 && told.err.contains("API key"), "{}", told.err);
}
