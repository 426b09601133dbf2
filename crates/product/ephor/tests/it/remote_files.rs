//! Files to a server and from it by command, and what lies below a row.

use std::{io::Read as _, path::Path, process::Stdio, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    routing::{get, post},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::remote::{ada_logs_in, run};
use crate::support::{Server, data_folder, ephor, within_async};

async fn json_of(file: &Path, arguments: &[&str]) -> Value {
    let told = run(file, "", arguments).await;
    assert_eq!(told.code, 0, "{arguments:?}: {}", told.err);
    serde_json::from_str(&told.out).unwrap()
}

#[tokio::test]
async fn files_come_and_go_whole() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let (folder, file) = ada_logs_in(&server).await;
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();

    // A data set.
    std::fs::write(at("loans.csv"), "sex,y\nf,1\nm,0\n").unwrap();
    let upload =
        ["resource", "upload", "datasets", &at("loans.csv"), "--set", "name=Loans", "--json"];
    let loans = json_of(&file, &upload).await;
    assert_eq!((&loans["name"], &loans["row_count"]), (&json!("Loans"), &json!(2)));
    let id = loans["id"].as_str().unwrap();
    let rows = ["resource", "content", "datasets", id, "rows", "--accept", "text/csv"];
    let told = run(&file, "", &rows).await;
    assert_eq!((told.code, told.out.lines().count()), (0, 3), "{}{}", told.out, told.err);
    let whole = ["resource", "content", "datasets", id, "--out", &at("loans.parquet"), "--json"];
    let written = json_of(&file, &whole).await;
    let bytes = std::fs::read(at("loans.parquet")).unwrap();
    assert!(bytes.starts_with(b"PAR1") && written["bytes"] == bytes.len(), "{written}");

    // What is broken is refused with its place, and nothing of it is kept; nor of what is not there.
    std::fs::write(at("broken.csv"), "a,b\n1,2\n3\n").unwrap();
    let told = run(&file, "", &["resource", "upload", "datasets", &at("broken.csv")]).await;
    assert_eq!(told.code, 2, "{}", told.err);
    let told = run(&file, "", &["resource", "upload", "datasets", &at("nothing.csv")]).await;
    assert!(told.code == 2 && told.err.contains("can't be read"), "{}", told.err);
    let sets = json_of(&file, &["resource", "list", "datasets", "--json"]).await;
    assert_eq!(sets.as_array().unwrap().len(), 1);
    let told = run(&file, "", &["resource", "upload", "models", &at("loans.csv")]).await;
    assert!(told.code == 2 && told.err.contains("model_versions/ID/artifacts"), "{}", told.err);
    let told = run(&file, "", &["resource", "content", "datasets", id, "card"]).await;
    assert!(told.code == 2 && told.err.contains("profile"), "{}", told.err);
    let lost = [
        "resource",
        "content",
        "datasets",
        "01930b2e-7c1a-7def-8000-1b2c3d4e5f60",
        "--out",
        &at("lost"),
    ];
    assert_eq!(run(&file, "", &lost).await.code, 2);
    assert!(!Path::new(&at("lost")).exists());

    // What lies below a row.
    let model =
        ["resource", "create", "models", "name=Credit", "model_type=classification", "--json"];
    let model = json_of(&file, &model).await;
    let versions = format!("models/{}/versions", model["id"].as_str().unwrap());
    let there = json_of(&file, &["resource", "list", &versions, "--json"]).await;
    assert_eq!(there[0]["model_id"], model["id"], "{there}");
    let told =
        run(&file, "", &["resource", "list", &versions.replace("versions", "nothing")]).await;
    assert!(told.code == 2 && told.err.contains("models/ID/"), "{}", told.err);
}

/// A server that takes a file and never answers; it says when the file begins to come.
async fn silent(comes: Arc<Notify>) -> String {
    let upload = json!({"requestBody": {"content": {
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    }}});
    let document = json!({"paths": {"/v1/sets/upload": {"post": upload}}});
    let described = move || {
        let document = document.clone();
        async move { Json(document) }
    };
    let taken = move || {
        comes.notify_one();
        std::future::pending::<String>()
    };
    let app =
        Router::new().route("/openapi.json", get(described)).route("/v1/sets/upload", post(taken));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, app).await });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn one_ctrl_c_gives_an_upload_up() {
    let comes = Arc::new(Notify::new());
    let url = silent(Arc::clone(&comes)).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("set.csv");
    // More than a connection holds.
    std::fs::write(&file, vec![b'1'; 64 << 20]).unwrap();
    let mut child = ephor()
        .args(["resource", "upload", "sets", file.to_str().unwrap()])
        .env("EPHOR_SERVER", &url)
        .env("EPHOR_API_KEY", "eph_x")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = Pid::from_raw(child.id().cast_signed());
    tokio::time::timeout(Duration::from_mins(1), comes.notified()).await.unwrap();
    kill(pid, Signal::SIGINT).unwrap();
    let status = within_async("the command ends", async || child.try_wait().unwrap()).await;
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(status.code(), Some(3), "{told}");
    assert!(told.contains("given up"), "{told}");
}
