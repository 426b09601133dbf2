//! Scores without labels, as a bias audit has them: at a terminal, on a server, and pushed to a row feed.

use std::process::Output;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Server,
    api::{Person, answered},
    data_folder, ephor, within_async,
};

/// Applicants with a score and no label; every second one is a man, and men are scored higher.
fn applicants() -> String {
    let row = |n: usize| {
        let (sex, more) = if n.is_multiple_of(2) { ("m", 20) } else { ("f", 0) };
        let fit = (n * 37 % 80 + more) as f64 / 100.0;
        format!("{fit},{sex},{}\n", ["a", "b"][n / 2 % 2])
    };
    format!("fit,sex,race\n{}", (0..400).map(row).collect::<String>())
}

fn analyze(arguments: &[&str]) -> (Output, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("applicants.csv");
    std::fs::write(&path, applicants()).unwrap();
    let output = ephor().arg("analyze").arg(&path).args(arguments).output().unwrap();
    let told = [&output.stdout[..], &output.stderr[..]].concat();
    (output, String::from_utf8(told).unwrap())
}

#[test]
fn a_file_of_scores_is_audited_and_analysed() {
    let usual = ["--score", "fit", "--protected", "sex,race"];
    let (output, told) =
        analyze(&[&usual[..], &["--report", "ll144", "--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{told}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["rows"], &report["selection"]), (&json!(400), &Value::Null));
    assert_eq!(report["scoring"]["without"], 0);
    assert_eq!(report["scoring"]["tables"][0]["highest"], "m");
    let (output, told) = analyze(&[&usual[..], &["--report", "ll144"]].concat());
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("Scoring by sex and race"), "{told}");

    let (output, told) = analyze(&[&usual[..], &["--fail-on", "never"]].concat());
    assert_eq!(output.status.code(), Some(0), "{told}");
    for part in ["no labels", "selection rate", "demographic_parity_difference"] {
        assert!(told.contains(part), "{part} is missing in\n{told}");
    }
    assert!(!told.contains("base rate"), "{told}");
    for format in ["html", "markdown", "sarif", "junit"] {
        let (output, told) =
            analyze(&[&usual[..], &["--fail-on", "never", "--format", format]].concat());
        assert_eq!(output.status.code(), Some(0), "{format}: {told}");
    }
    let (output, told) = analyze(&["--protected", "sex"]);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("needs --target, or without labels --prediction or --score"), "{told}");
    let (output, told) = analyze(&[&usual[..], &["--type", "equalized_odds"]].concat());
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("there are no labels"), "{told}");
}

#[tokio::test]
async fn a_server_analyses_scores_and_a_feed_of_them() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let dataset = ada.upload("applicants", applicants().into_bytes()).await;
    let parameters = json!({ "score": "fit", "protected": ["sex"], "law": { "rules": ["ll144"] } });
    let analysis = ada.analyse(&dataset, parameters.clone()).await;
    let ended = ada.ended(&analysis).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    let id = ended["id"].as_str().unwrap();
    let audit = ada.json(&format!("/v1/bias_analyses/{id}/law/ll144")).await;
    assert_eq!((&audit["selection"], &audit["scoring"]["without"]), (&Value::Null, &json!(0)));
    for path in [format!("/analyses/{id}"), format!("/analyses/{id}/report.html")] {
        let page = ada.get(&path).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::OK, "{path}");
        assert!(page.text().await.unwrap().contains("predictions or scores alone"), "{path}");
    }

    // A mitigation has nothing to be computed from.
    let body = json!({ "method": "threshold" });
    let refused = ada.post(&format!("/v1/bias_analyses/{id}/mitigations")).json(&body);
    let refused = refused.send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["faults"][0]["code"], "no_labels", "{problem}");

    let settings = json!({ "name": "Scores", "analyse_after": 300, "parameters": parameters });
    let feed = answered(ada.post("/v1/row_feeds").json(&settings)).await;
    let nobody = Person::nobody(&server.url);
    let pushed = nobody
        .post("/in/rows")
        .bearer_auth(feed["token"].as_str().unwrap())
        .header("content-type", "text/csv")
        .body(applicants());
    assert_eq!(pushed.send().await.unwrap().status(), StatusCode::ACCEPTED);
    let path = format!("/v1/row_feeds/{}", feed["id"].as_str().unwrap());
    let feed = within_async("the rows are analysed", async || {
        let feed = ada.json(&path).await;
        (!feed["analysis_id"].is_null()).then_some(feed)
    })
    .await;
    let ended = ada.ended(&json!({ "id": feed["analysis_id"] })).await;
    assert_eq!(ended["status"], "completed", "{ended}");
}
