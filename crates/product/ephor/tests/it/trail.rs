//! The audit trail by the API and on its pages: found by what it holds, with its changes, its seal and its proof.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Server,
    api::{Person, answered},
    data_folder, within_async,
};

#[tokio::test]
async fn an_entry_is_found_by_its_words_and_proven() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let eve = Person::sign_up(&server.url, "eve@example.org").await;
    let body = json!({ "name": "Credit 100%_sure", "model_type": "classification" });
    let model = answered(ada.post("/v1/models").json(&body)).await;
    let id = model["id"].as_str().unwrap();
    let patch = ada.client.patch(format!("{}/v1/models/{id}", server.url)).header("if-match", "*");
    answered(patch.json(&json!({ "description": "For retail" }))).await;

    // Signs of patterns stand for themselves.
    let list = async |query: &str| ada.json(&format!("/v1/audit/entries?{query}")).await;
    let count = |page: &Value| page["data"].as_array().unwrap().len();
    assert_eq!(count(&list("q=100%25_sure").await), 2);
    assert_eq!(count(&list("q=100%25%25sure").await), 0);
    let found = list(&format!("entity_id={id}&action=update")).await;
    let entry = &found["data"][0];
    assert_eq!(
        entry["changes"][0],
        json!({ "column": "description", "before": "", "after": "For retail" })
    );
    assert_eq!(count(&eve.json(&format!("/v1/audit/entries?entity_id={id}")).await), 0);

    // Page by page, nothing twice.
    let first = list("limit=2").await;
    let next = first["next"].as_str().unwrap();
    let second = list(&format!("limit=2&cursor={next}")).await;
    assert_ne!(first["data"][1]["id"], second["data"][0]["id"]);
    for wrong in ["limit=0", "limit=501", "from=yesterday", "nonsense=1", "q=%00"] {
        let answer = ada.get(&format!("/v1/audit/entries?{wrong}")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }

    let path = format!("/v1/audit/entries/{}", entry["id"].as_str().unwrap());
    let sealed = within_async("the entry is sealed", async || {
        let now = ada.json(&path).await;
        now["seal"].is_object().then_some(now)
    })
    .await;
    assert!(sealed["seal"]["checkpoint"]["size"].as_u64() > sealed["seal"]["index"].as_u64());
    let proof = ada.get(&format!("{path}/proof")).send().await.unwrap();
    assert!(proof.text().await.unwrap().starts_with("c2sp.org/tlog-proof"));
    for of in [path.clone(), format!("{path}/proof")] {
        assert_eq!(eve.get(&of).send().await.unwrap().status(), StatusCode::NOT_FOUND, "{of}");
    }

    // The pages tell the same.
    let page = async |path: &str| {
        let answer = ada.get(path).header("accept", "text/html").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    };
    let trail = page("/audit?q=For+retail").await;
    assert!(trail.contains("For retail") && trail.contains("proven by the checkpoint"), "{trail}");
    assert!(page(&format!("/audit?id={id}&action=insert")).await.contains("Credit 100%_sure"));
    assert!(page("/audit?q=no+such+words").await.contains("No entry passes these filters"));
    let one = page(&path.replace("/v1/audit", "/audit")).await;
    assert!(one.contains("Before and after") && one.contains("Root of that tree"), "{one}");
}
