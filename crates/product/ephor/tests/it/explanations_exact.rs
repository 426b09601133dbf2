//! Explanations of a linear model over HTTP: what is asked of estimates is refused, and what was not tested says why.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Server,
    api::{Person, answered},
    data_folder, within_async,
};

#[tokio::test]
async fn a_linear_model_is_explained_exactly_or_refused() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let model = answered(
        ada.post("/v1/models").json(&json!({ "name": "Line", "model_type": "classification" })),
    )
    .await;
    let id = model["id"].as_str().unwrap();
    let versions = ada.json(&format!("/v1/models/{id}/versions")).await;
    let version = versions["data"][0]["id"].as_str().unwrap();
    let file = json!({
        "kind": "linear", "coef": [2.0, -1.0], "intercept": 0.5, "features": ["age", "income"],
    });
    let path = format!("/v1/model_versions/{version}/artifacts?file_name=line.json");
    let sent = ada.post(&path).body(file.to_string()).send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::CREATED);
    let rows = b"age,income,sex\n30,1,f\n40,2,f\n50,4,f\n".to_vec();
    let dataset = ada.upload("people", rows).await;
    let ask = async |parameters: Value| {
        let body = json!({
            "model_id": id, "dataset_id": dataset["id"], "explanation_type": "shap",
            "parameters": parameters,
        });
        let answer = ada.post("/v1/model_explanations").json(&body).send().await.unwrap();
        (answer.status(), answer.json::<Value>().await.unwrap())
    };

    let (status, problem) = ask(json!({ "samples": 200, "precision": 0.01 })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    let faults = problem["faults"].as_array().unwrap();
    for at in ["/parameters/samples", "/parameters/precision"] {
        let told = faults.iter().any(|fault| fault["pointer"] == at && fault["code"] == "exact");
        assert!(told, "{at}: {problem}");
    }

    // There is one group alone.
    let (status, made) = ask(json!({ "group": "sex" })).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{made}");
    let one = made["id"].as_str().unwrap();
    let row = within_async("it ends", async || {
        let row = ada.json(&format!("/v1/model_explanations/{one}")).await;
        ["completed", "failed"].contains(&row["status"].as_str().unwrap()).then_some(row)
    })
    .await;
    assert_eq!(row["status"], "completed", "{row}");
    let summary = ada.json(&format!("/v1/model_explanations/{one}/summary")).await;
    let why = summary["groups"]["untested"].as_str().unwrap();
    assert!(why.contains("1 groups"), "{why}");
    let page = ada.get(&format!("/explanations/{one}")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("was not tested"), "{page}");
}
