//! A server, from its start in an empty folder to its end.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Server, data_folder, ephor, sign_up};

fn browser() -> reqwest::Client {
    reqwest::Client::builder().cookie_store(true).build().unwrap()
}

#[tokio::test]
async fn it_starts_serves_stops_and_starts_again() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let client = browser();
    for path in ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"] {
        let answer = client.get(format!("{}{path}", server.url)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert!(answer.headers().contains_key("x-request-id"), "{path}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{path}");
    }
    assert_eq!(
        sign_up(&client, &server.url, "ada@example.org").await.status(),
        StatusCode::CREATED
    );
    let me: Value =
        client.get(format!("{}/v1/me", server.url)).send().await.unwrap().json().await.unwrap();
    assert_eq!(me["user"]["email"], "ada@example.org", "{me}");
    let url = server.url.clone();
    let log = server.log();
    assert!(server.interrupt().success());
    assert!(reqwest::get(format!("{url}/healthz")).await.is_err(), "it still serves");
    for secret in ["correct horse battery", "argon2id$"] {
        assert!(!log.contains(secret), "the log holds «{secret}»");
    }

    let began = Instant::now();
    let again = Server::serve(data.path());
    let start = began.elapsed();
    assert!(start < Duration::from_secs(5), "a second start took {start:?}");
    let log_in = json!({ "email": "ada@example.org", "password": "correct horse battery" });
    let answer =
        browser().post(format!("{}/v1/auth/log-in", again.url)).json(&log_in).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_with_a_code() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let client = browser();
    let answer = client.get(format!("{}/v1/nothing", server.url)).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "not_found");
    let answer = client.get(format!("{}/v1/models", server.url)).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

#[test]
fn a_taken_port_is_said_to_be_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let data = data_folder();
    let output = ephor()
        .args(["serve", "--bind", &taken.local_addr().unwrap().to_string(), "--data"])
        .arg(data.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("--bind"), "{err}");
}
