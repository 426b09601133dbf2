//! `ephor explain --endpoint`: a model that is served on this machine.

use std::{
    process::{Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::post,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::support::ephor;

/// Two features, of which the second counts against it; only for who knows both secrets.
async fn credit(headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|given| given == value);
    if !is("authorization", "Bearer s3cret") || !is("x-api-key", "k3y") {
        return (StatusCode::UNAUTHORIZED, "who are you?").into_response();
    }
    assert_eq!(body["features"], json!(["income", "debt"]));
    let chance = |row: &Value| {
        let number = |at: usize| row[at].as_f64().unwrap();
        1.0 / (1.0 + (2.0 * number(1) - number(0)).exp())
    };
    let rows = body["inputs"].as_array().unwrap();
    let all: Vec<[f64; 2]> = rows.iter().map(|row| [1.0 - chance(row), chance(row)]).collect();
    Json(json!({ "predictions": all })).into_response()
}

/// The first request is answered, and none after it.
async fn answered_once(hanging: Arc<Notify>, asked: Arc<AtomicBool>) -> Json<Value> {
    if asked.swap(true, Ordering::SeqCst) {
        hanging.notify_one();
        std::future::pending::<()>().await;
    }
    Json(json!({ "predictions": [[0.5]] }))
}

struct Served {
    url: String,
    folder: TempDir,
    /// Told of every request that is not answered.
    hanging: Arc<Notify>,
}

impl Served {
    async fn start() -> Self {
        let hanging = Arc::new(Notify::new());
        let once = {
            let (hanging, asked) = (Arc::clone(&hanging), Arc::new(AtomicBool::new(false)));
            move || answered_once(Arc::clone(&hanging), Arc::clone(&asked))
        };
        let app = Router::new()
            .route("/credit", post(credit))
            .route("/once", post(once))
            .route("/moved", post(|| async { (StatusCode::FOUND, [("location", "/credit")]) }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let folder = tempfile::tempdir().unwrap();
        let lines: String = (0..40)
            .flat_map(|at| [(at % 9).to_string(), format!(",{},{}\n", at % 5, at % 2)])
            .collect();
        std::fs::write(folder.path().join("rows.csv"), format!("income,debt,good\n{lines}"))
            .unwrap();
        std::fs::write(folder.path().join("key"), "k3y\n").unwrap();
        Self { url, folder, hanging }
    }

    async fn explain(&self, path: &str, arguments: &[&str]) -> Output {
        let mut command = ephor();
        command
            .current_dir(self.folder.path())
            .env("MODEL_TOKEN", "Bearer s3cret")
            .args(["explain", "--endpoint", &format!("{}{path}", self.url)])
            .args(arguments);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }
}

const SECRETS: [&str; 4] = [
    "--endpoint-header-env",
    "Authorization=MODEL_TOKEN",
    "--endpoint-header-file",
    "x-api-key=key",
];

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_served_model_is_explained() {
    let served = Served::start().await;
    let names = ["rows.csv", "--feature-names", "income,debt", "--format", "json"];
    let kernel = ["--method", "kernel", "--rows", "3", "--outputs", "2"];
    let output = served.explain("/credit", &[&SECRETS[..], &names, &kernel].concat()).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&found["output"], &found["features"]), (&json!(1), &json!(["income", "debt"])));
    let rows = found["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    for row in rows {
        let sum: f64 = row["values"].as_array().unwrap().iter().filter_map(Value::as_f64).sum();
        let all = found["base"].as_f64().unwrap() + sum;
        assert!((all - row["prediction"].as_f64().unwrap()).abs() < 1e-9);
    }
    // A key in its address is not for the report's readers.
    let reported = [&SECRETS[..], &names, &kernel, &["--report", "report.html"]].concat();
    let output = served.explain("/credit?key=s3cret2", &reported).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let page = std::fs::read_to_string(served.folder.path().join("report.html")).unwrap();
    assert!(page.contains(&format!("{}/credit", served.url)) && !page.contains("s3cret"));
    // Where nothing is said, all columns but the target are features.
    let permutation = ["rows.csv", "--method", "permutation", "--target", "good"];
    let output = served.explain("/credit", &[&SECRETS[..], &permutation].concat()).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("income"));
    let groups = ["--method", "groups", "--group", "good", "--resamples", "100"];
    let lime = ["--method", "lime", "--rows", "1", "--samples", "100"];
    let counterfactual = ["--method", "counterfactual", "--rows", "2", "--budget", "500"];
    for method in [&groups[..], &lime, &counterfactual] {
        let output = served.explain("/credit", &[&SECRETS[..], &names, method].concat()).await;
        assert!(output.status.success(), "{method:?}: {}", text(&output.stderr));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_wrong_on_the_way_is_no_fault_of_who_asks() {
    let served = Served::start().await;
    let lime = ["rows.csv", "--method", "lime", "--feature-names", "income,debt"];
    let output = served.explain("/credit", &lime).await;
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("answered 401: who are you?"));
    // Secrets are not carried elsewhere.
    let output = served.explain("/moved", &[&SECRETS[..], &lime].concat()).await;
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("answered 302"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_asked_is_refused() {
    let served = Served::start().await;
    let kernel = ["rows.csv", "--method", "kernel"];
    for (arguments, words) in [
        (&["rows.csv"][..], &["an endpoint only answers; ask for --method kernel"][..]),
        (
            &["model.json", "rows.csv", "--method", "lime"],
            &["--endpoint and MODEL exclude one another"],
        ),
        (
            &[
                "rows.csv",
                "--method",
                "lime",
                "--endpoint-header-env",
                "a b=MODEL_TOKEN",
                "--endpoint-header-env",
                "X=NOT_THERE",
                "--endpoint-header-file",
                "Y=nowhere",
                "--endpoint-batch",
                "0",
                "--endpoint-timeout",
                "0",
            ],
            &[
                "no name of a header",
                "no variable NOT_THERE",
                "header-file Y",
                "-batch: at least 1",
                "3600",
            ],
        ),
        (
            &[&SECRETS[..], &kernel, &["--feature-names", "income,debt", "--outputs", "1"]]
                .concat(),
            &["--outputs 1: the endpoint gives 2"],
        ),
    ] {
        let output = served.explain("/credit", arguments).await;
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        for word in words {
            assert!(said.contains(word), "{arguments:?}: {said}");
        }
    }
    let output = ephor()
        .args(["explain", "--endpoint", "https://me:secret@models.example.org", "rows.csv"])
        .args(["--method", "kernel"])
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("holds a log-in") && !said.contains("secret@"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_stops_a_command_whose_endpoint_does_not_answer() {
    let served = Served::start().await;
    let mut child = ephor()
        .current_dir(served.folder.path())
        .args(["explain", "--endpoint", &format!("{}/once", served.url), "rows.csv"])
        .args(["--method", "kernel", "--feature-names", "income,debt"])
        .args(["--endpoint-timeout", "3600"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    served.hanging.notified().await;
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    let mut ended = None;
    for _ in 0..600 {
        ended = child.try_wait().unwrap();
        if ended.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let _ = child.kill();
    assert_eq!(ended.and_then(|status| status.code()), Some(3));
}
