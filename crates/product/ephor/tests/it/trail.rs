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

#[tokio::test]
async fn a_change_and_a_deletion_are_undone_by_the_form_that_an_entry_fills_in() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let eve = Person::sign_up(&server.url, "eve@example.org").await;
    let body =
        json!({ "name": "Scoring", "model_type": "classification", "description": "As it stood" });
    let id = answered(ada.post("/v1/models").json(&body)).await["id"].as_str().unwrap().to_owned();
    let beside = json!({ "name": "Beside", "model_type": "classification" });
    let other =
        answered(ada.post("/v1/models").json(&beside)).await["id"].as_str().unwrap().to_owned();
    let patch = ada.client.patch(format!("{}/v1/models/{id}", server.url)).header("if-match", "*");
    answered(patch.json(&json!({ "description": "As it is" }))).await;
    let entry = async |action: &str| {
        let found = ada.json(&format!("/v1/audit/entries?entity_id={id}&action={action}")).await;
        found["data"][0]["id"].as_str().unwrap().to_owned()
    };
    let page = async |who: &Person, path: &str| {
        let answer = who.get(path).header("accept", "text/html").send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };

    let changed = entry("update").await;
    let undo = format!("/resources/models/{id}/edit?undo={changed}");
    let (_, told) = page(&ada, &format!("/audit/entries/{changed}")).await;
    assert!(told.contains(&undo), "{told}");
    let (status, form) = page(&ada, &undo).await;
    assert_eq!(status, StatusCode::OK);
    assert!(form.contains("As it stood") && !form.contains("As it is<"), "{form}");
    assert!(form.contains("Nothing is put back until you save"), "{form}");
    // An entry undoes what it tells of, for those who may see it.
    for (who, path) in [
        (&eve, undo.clone()),
        (&ada, format!("/resources/models/{other}/edit?undo={changed}")),
        (&ada, format!("/resources/models/new?undo={changed}")),
        (&ada, format!("/resources/models/{id}/edit?undo=nonsense")),
        (&ada, format!("/resources/models/{id}/edit?undo={}", entry("insert").await)),
    ] {
        assert_eq!(page(who, &path).await.0, StatusCode::NOT_FOUND, "{path}");
    }

    let gone = ada.client.delete(format!("{}/v1/models/{id}", server.url)).header("if-match", "*");
    assert!(gone.send().await.unwrap().status().is_success());
    let again = format!("/resources/models/new?undo={}", entry("delete").await);
    let (_, list) = page(&ada, "/resources/models?done=deleted").await;
    assert!(list.contains(&again), "{list}");
    assert!(!page(&ada, "/resources/models").await.1.contains("undo="));
    let (_, form) = page(&ada, &again).await;
    assert!(form.contains("Scoring") && form.contains("As it is"), "{form}");
    assert_eq!(page(&eve, &again).await.0, StatusCode::NOT_FOUND);
}
