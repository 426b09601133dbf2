//! `kill -9` in the middle of the work: nothing acknowledged is missing, nothing runs for ever.

use std::{process::Command, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;

use crate::support::{Server, api::Person, data_folder, ephor, within};

/// Enough rows that an analysis of them is still at work when the blow comes.
fn many_rows() -> Vec<u8> {
    let mut csv = String::from("y,p,score,sex,place\n");
    for i in 0_u64..400_000 {
        let mixed = i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        csv.push_str(&format!(
            "{},{},0.{:06},{},p{}\n",
            mixed % 2,
            mixed / 2 % 2,
            mixed % 1_000_000,
            if mixed % 3 == 0 { "f" } else { "m" },
            mixed % 500
        ));
    }
    csv.into_bytes()
}

fn parameters() -> serde_json::Value {
    json!({ "target": "y", "prediction": "p", "score": "score", "protected": ["sex", "place"] })
}

fn verifies(data: &std::path::Path) {
    let output = ephor().args(["audit", "verify", "--data"]).arg(data).output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test]
async fn the_server_is_killed_and_the_analysis_still_ends() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let dataset = ada.upload("many", many_rows()).await;
    let analysis = ada.analyse(&dataset, parameters()).await;
    server.kill();

    let server = Server::serve(data.path());
    let ada = Person::log_in(&server.url, "ada@example.org", "correct horse battery").await;
    let kept = ada.json(&format!("/v1/datasets/{}", dataset["id"].as_str().unwrap())).await;
    assert_eq!(kept["row_count"], 400_000, "what was acknowledged is there");
    let ended = ada.ended(&analysis).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    verifies(data.path());
}

#[tokio::test]
async fn postgresql_is_killed_and_comes_back() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let dataset = ada.upload("many", many_rows()).await;
    let analysis = ada.analyse(&dataset, parameters()).await;
    kill(postmaster(&server), Signal::SIGKILL).unwrap();

    let path = format!("/v1/bias_analyses/{}", analysis["id"].as_str().unwrap());
    let ended = crate::support::within_async("the analysis ends", async || {
        // While the database is away the answer is 503, with a time to try again.
        let answer = ada.get(&path).send().await.unwrap();
        if !answer.status().is_success() {
            assert_eq!(answer.status(), 503);
            assert!(answer.headers().contains_key("retry-after"));
            return None;
        }
        let now: serde_json::Value = answer.json().await.unwrap();
        ["completed", "failed"].contains(&now["status"].as_str().unwrap()).then_some(now)
    })
    .await;
    assert_eq!(ended["status"], "completed", "{ended}");
    verifies(data.path());
}

/// The private server's first process: the child of Ephor's that runs `postgres`.
fn postmaster(server: &Server) -> Pid {
    within(Duration::from_secs(5), "PostgreSQL runs", || {
        let output = Command::new("pgrep")
            .args(["-P", &server.pid().to_string(), "postgres"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().next()?.trim().parse().ok().map(Pid::from_raw)
    })
}
