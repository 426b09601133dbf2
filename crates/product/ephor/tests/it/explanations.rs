//! Models' files and explanations over HTTP: uploaded, explained, downloaded; nobody else's.

use std::path::PathBuf;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Server,
    api::{Person, answered},
    data_folder, within_async,
};

fn file(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../capabilities/explain/tests/data/xgb_binary");
    std::fs::read(folder.join(name)).unwrap()
}

fn of(row: &Value, name: &str) -> String {
    row[name].as_str().unwrap_or_else(|| panic!("no {name}: {row}")).to_owned()
}

async fn status(person: &Person, path: &str, body: Value) -> (StatusCode, Value) {
    let answer = person.post(path).json(&body).send().await.unwrap();
    let status = answer.status();
    (status, answer.json().await.unwrap_or_default())
}

async fn at_its_end(person: &Person, id: &str) -> Value {
    within_async("it ends", async || {
        let row = person.json(&format!("/v1/model_explanations/{id}")).await;
        ["completed", "failed", "cancelled"]
            .contains(&row["status"].as_str().unwrap())
            .then_some(row)
    })
    .await
}

#[tokio::test]
async fn a_model_is_uploaded_explained_and_its_values_kept() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let model = answered(
        ada.post("/v1/models").json(&json!({ "name": "Income", "model_type": "classification" })),
    )
    .await;
    let versions = ada.json(&format!("/v1/models/{}/versions", of(&model, "id"))).await;
    let version = of(&versions["data"][0], "id");
    let artifacts = format!("/v1/model_versions/{version}/artifacts");

    // What is no model is refused; the file is kept once.
    let bad = ada.post(&artifacts).body("pickle").send().await.unwrap();
    assert_eq!(bad.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let send = async || {
        let path = format!("{artifacts}?file_name=model.json");
        ada.post(&path).body(file("model.json")).send().await.unwrap()
    };
    let made = send().await;
    assert_eq!(made.status(), StatusCode::CREATED);
    let artifact: Value = made.json().await.unwrap();
    assert_eq!((&artifact["format"], &artifact["trees"]), (&json!("xgboost_json"), &json!(60)));
    assert_eq!(send().await.status(), StatusCode::OK);
    assert_eq!(ada.json(&artifacts).await["data"].as_array().unwrap().len(), 1);
    let one = format!("/v1/model_artifacts/{}", of(&artifact, "id"));
    let again = ada.get(&format!("{one}/file")).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(again, file("model.json"));

    let dataset = ada.upload("adult", file("X.csv")).await;
    let other = ada.upload("other", b"age\n30\n".to_vec()).await;
    let explanations = "/v1/model_explanations";
    let wrong = json!({
        "model_id": model["id"], "dataset_id": dataset["id"], "explanation_type": "shap",
        "background_dataset_id": other["id"],
        "parameters": { "group": "colour", "rows": 0, "target": "age" },
    });
    let (refused, problem) = status(&ada, explanations, wrong).await;
    assert_eq!(refused, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert_eq!(problem["faults"].as_array().unwrap().len(), 4, "{problem}");
    // A data set that is not there hides nothing of the other one.
    let nowhere = "0191f1f0-0000-7000-8000-000000000001";
    let wrong = json!({
        "model_id": model["id"], "dataset_id": nowhere, "explanation_type": "shap",
        "background_dataset_id": other["id"],
    });
    let (refused, problem) = status(&ada, explanations, wrong).await;
    assert_eq!(refused, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    let told =
        |at: &str| problem["faults"].as_array().unwrap().iter().any(|one| one["pointer"] == at);
    assert!(told("/dataset_id") && told("/background_dataset_id"), "{problem}");
    let asked = json!({
        "model_id": model["id"], "dataset_id": dataset["id"], "explanation_type": "shap",
        "parameters": { "group": "sex", "interactions": true },
    });
    let (accepted, made) = status(&ada, explanations, asked.clone()).await;
    assert_eq!(accepted, StatusCode::ACCEPTED, "{made}");
    let id = of(&made, "id");
    let row = at_its_end(&ada, &id).await;
    assert_eq!((&row["status"], &row["row_count"]), (&json!("completed"), &json!(200)), "{row}");
    assert!(row.get("summary").is_none(), "it is a download of its own");
    let summary = ada.json(&format!("{explanations}/{id}/summary")).await;
    assert!((summary["base"].as_f64().unwrap() + 1.223_949).abs() < 1e-5, "{}", summary["base"]);
    assert_eq!(summary["interactions"]["features"].as_array().unwrap().len(), 11);
    let csv = ada.get(&format!("{explanations}/{id}/values?format=csv")).send().await.unwrap();
    let csv = csv.text().await.unwrap();
    assert!(csv.starts_with("row,base,prediction,age,education_num"), "{csv}");
    assert_eq!(csv.lines().count(), 201);
    let parquet = ada.get(&format!("{explanations}/{id}/values")).send().await.unwrap();
    assert!(parquet.bytes().await.unwrap().starts_with(b"PAR1"));

    // Against the training data, say: they stay as long as the explanation.
    let training = ada.upload("training", file("X.csv")).await;
    let against = json!({
        "model_id": model["id"], "dataset_id": dataset["id"], "explanation_type": "shap",
        "background_dataset_id": training["id"], "parameters": { "rows": 20, "background": 50 },
    });
    let (accepted, made) = status(&ada, explanations, against).await;
    assert_eq!(accepted, StatusCode::ACCEPTED, "{made}");
    assert_eq!(made["background_dataset_id"], training["id"]);
    let second = of(&made, "id");
    let row = at_its_end(&ada, &second).await;
    assert_eq!(row["status"], "completed", "{row}");
    let summary = ada.json(&format!("{explanations}/{second}/summary")).await;
    assert_eq!((&summary["background"], &summary["rows"]), (&json!(50), &json!(20)));
    let included = ada.json(&format!("{explanations}/{second}?include=background")).await;
    assert_eq!(included["background"]["name"], "training", "{included}");

    // Pages.
    let page = async |path: &str| ada.get(path).send().await.unwrap().text().await.unwrap();
    let shown = page(&format!("/explanations/{id}")).await;
    for words in ["<svg", "Compared with", "values.csv"] {
        assert!(shown.contains(words), "{words} is missing in {shown}");
    }
    let svg = ada.get(&format!("/explanations/{id}/plots/beeswarm.svg")).send().await.unwrap();
    assert_eq!(svg.headers()["content-type"], "image/svg+xml");
    let png = ada.get(&format!("/explanations/{id}/plots/beeswarm.png")).send().await.unwrap();
    assert_eq!(png.headers()["content-type"], "image/png");
    let file = format!("attachment; filename=\"explanation-{id}-beeswarm.png\"");
    assert_eq!(png.headers()["content-disposition"], file.as_str());
    let picture = png.bytes().await.unwrap();
    assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n"));
    // About 1 900 dots across, as its head says.
    assert_eq!(&picture[16..20], 1_920_u32.to_be_bytes());
    for missing in ["beeswarm", "beeswarm.gif", "none.png"] {
        let path = format!("/explanations/{id}/plots/{missing}");
        let answer = ada.get(&path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert!(page(&format!("/models/{}", of(&model, "id"))).await.contains("SHAP values"));
    assert!(page("/explanations/new").await.contains("Income 1.0.0: model.json"));

    // A stranger reaches none of it.
    let eve = Person::sign_up(&server.url, "eve@example.org").await;
    for path in [
        one.clone(),
        format!("{one}/file"),
        format!("{explanations}/{id}"),
        format!("{explanations}/{id}/summary"),
        format!("{explanations}/{id}/values"),
        format!("/explanations/{id}"),
        format!("/explanations/{id}/plots/beeswarm.svg"),
        format!("/explanations/{id}/plots/beeswarm.png"),
    ] {
        assert_eq!(eve.get(&path).send().await.unwrap().status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(status(&eve, explanations, asked).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let nobody = Person::nobody(&server.url);
    assert_eq!(nobody.get(&one).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);

    // A file that is needed stays; then both may go.
    let delete = async |path: &str| {
        let gone = ada.client.delete(format!("{}{path}", server.url)).header("if-match", "*");
        gone.send().await.unwrap().status()
    };
    assert_eq!(delete(&one).await, StatusCode::CONFLICT);
    let training = format!("/v1/datasets/{}", of(&training, "id"));
    assert_eq!(delete(&training).await, StatusCode::CONFLICT);
    assert_eq!(delete(&format!("{explanations}/{second}")).await, StatusCode::NO_CONTENT);
    assert_eq!(delete(&training).await, StatusCode::NO_CONTENT);
    assert_eq!(delete(&format!("{explanations}/{id}")).await, StatusCode::NO_CONTENT);
    assert_eq!(delete(&one).await, StatusCode::NO_CONTENT);
}
