//! The main job: a data set comes in, is analysed, and the trail of it verifies.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Server, adult,
    api::{Person, answered},
    data_folder, ephor, within,
};

fn parameters() -> Value {
    json!({ "target": "y_true", "prediction": "y_pred", "score": "score", "protected": ["sex", "race"] })
}

#[tokio::test]
async fn a_data_set_is_analysed_and_the_trail_verifies() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let dataset = ada.upload("adult", std::fs::read(adult()).unwrap()).await;
    assert_eq!(dataset["row_count"], 16_281);

    let analysis = ada.analyse(&dataset, parameters()).await;
    let ended = ada.ended(&analysis).await;
    assert_eq!(
        (&ended["status"], &ended["outcome"]),
        (&json!("completed"), &json!("fail")),
        "{ended}"
    );
    let id = ended["id"].as_str().unwrap();
    let result = ada.json(&format!("/v1/bias_analyses/{id}/result")).await;
    assert_eq!(result["rows"]["read"], 16_281);
    let rows = ada.json(&format!("/v1/bias_analysis_results?analysis_id=eq.{id}&limit=500")).await;
    let parity = rows["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| {
            row["metric_name"] == "demographic_parity_difference" && row["attribute"] == "race"
        })
        .unwrap();
    assert!((parity["score"].as_f64().unwrap() - 0.143_199_685_534_591_23).abs() < 1e-9);

    // Beside itself nothing changed; the report is a file.
    let same = ada.json(&format!("/v1/bias_analyses/{id}/comparison?with={id}")).await;
    assert_eq!(
        (&same["comparable"], &same["counts"]["worse"]),
        (&json!(true), &json!(0)),
        "{same}"
    );
    let report =
        ada.get(&format!("/v1/bias_analyses/{id}/report?format=csv")).send().await.unwrap();
    assert_eq!(report.status(), StatusCode::OK);
    assert!(report.text().await.unwrap().starts_with("attribute,disparity,"));

    // A stranger sees nothing of it, and can't tell it from what is not there.
    let eve = Person::sign_up(&server.url, "eve@example.org").await;
    for path in [
        format!("/v1/bias_analyses/{id}"),
        format!("/v1/datasets/{}", dataset["id"].as_str().unwrap()),
        format!("/v1/bias_analyses/{id}/result"),
        format!("/v1/bias_analyses/{id}/report"),
        format!("/v1/bias_analyses/{id}/comparison?with={id}"),
        format!("/v1/datasets/{}/rows", dataset["id"].as_str().unwrap()),
    ] {
        assert_eq!(eve.get(&path).send().await.unwrap().status(), StatusCode::NOT_FOUND, "{path}");
    }
    let body = json!({ "dataset_id": dataset["id"], "parameters": parameters() });
    assert_eq!(
        eve.post("/v1/bias_analyses").json(&body).send().await.unwrap().status(),
        StatusCode::NOT_FOUND
    );

    // Beside the running server: everything that was sealed is as it was sealed.
    let verified = within(std::time::Duration::from_secs(30), "everything is sealed", || {
        let output = ephor()
            .args(["audit", "verify", "--format", "json", "--data"])
            .arg(data.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let all = found.as_array().unwrap();
        (all.len() >= 2 && all.iter().all(|one| one["queued"] == 0)).then_some(found)
    });
    assert!(
        verified.as_array().unwrap().iter().all(|one| one["findings"] == json!([])),
        "{verified}"
    );
}

#[tokio::test]
async fn every_fault_of_a_request_is_told_at_once() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let dataset = ada.upload("small", b"y,p,sex\n1,0,a\n0,1,b\n".to_vec()).await;
    let body = json!({
        "dataset_id": dataset["id"],
        "parameters": { "target": "yy", "prediction": "p", "protected": ["sexx"], "confidence": 2.0 },
    });
    let answer = ada.post("/v1/bias_analyses").json(&body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let problem: Value = answer.json().await.unwrap();
    let pointers: Vec<_> = problem["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["pointer"].as_str().unwrap())
        .collect();
    for pointer in ["/parameters/target", "/parameters/protected/0", "/parameters/confidence"] {
        assert!(pointers.contains(&pointer), "{pointer} is missing in {pointers:?}");
    }
}

#[tokio::test]
async fn a_broken_file_leaves_nothing() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let answer =
        ada.post("/v1/datasets/upload?name=bad").body("a,b\n1,2\n3\n").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let problem: Value = answer.json().await.unwrap();
    assert!(problem["detail"].as_str().unwrap().contains("line 3"), "{problem}");
    assert_eq!(ada.json("/v1/datasets").await["data"], json!([]));
    let objects = walk(&data.path().join("objects"));
    assert!(objects.is_empty(), "{objects:?}");
}

#[tokio::test]
async fn what_an_analysis_cannot_use_makes_it_fail_with_a_reason() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let three = ada.upload("three", b"y,p,sex\n1,0,a\n0,1,b\n2,1,b\n".to_vec()).await;
    let parameters = json!({ "target": "y", "prediction": "p", "protected": ["sex"] });
    let ended = ada.ended(&ada.analyse(&three, parameters).await).await;
    assert_eq!(ended["status"], "failed", "{ended}");
    assert!(ended["failure"].as_str().unwrap().contains('3'), "{ended}");
}

#[tokio::test]
async fn a_model_has_a_life_and_versions() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let model = answered(
        ada.post("/v1/models").json(&json!({ "name": "Credit", "model_type": "classification" })),
    )
    .await;
    let id = model["id"].as_str().unwrap();
    assert_eq!(
        ada.post(&format!("/v1/models/{id}/deprecate")).send().await.unwrap().status(),
        StatusCode::CONFLICT
    );
    assert_eq!(
        ada.post(&format!("/v1/models/{id}/activate")).send().await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    let versions = ada.json(&format!("/v1/model_versions?model_id=eq.{id}")).await;
    assert_eq!(versions["data"].as_array().unwrap().len(), 1, "{versions}");

    // Without analyses there is nothing to draw, and nothing stated is made up.
    let trend = ada.json(&format!("/v1/models/{id}/trend")).await;
    assert_eq!((&trend["points"], &trend["lines"]), (&json!([]), &json!([])), "{trend}");
    let card = ada.json(&format!("/v1/models/{id}/card?format=json")).await;
    assert_eq!(card["intended_use"], Value::Null, "{card}");
    let eve = Person::sign_up(&server.url, "eve@example.org").await;
    for path in [format!("/v1/models/{id}/trend"), format!("/v1/models/{id}/card")] {
        assert_eq!(eve.get(&path).send().await.unwrap().status(), StatusCode::NOT_FOUND, "{path}");
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] })
        .collect()
}
