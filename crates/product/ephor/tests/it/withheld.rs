//! Columns that tell of what somebody may not read, on the console's pages.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Server,
    api::{Person, answered},
    data_folder,
};

const LIST: &str = "/resources/organization_dashboard";

async fn body(person: &Person, path: &str) -> String {
    let answer = person.get(path).send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert_eq!(status, StatusCode::OK, "{path}: {text}");
    text
}

/// Somebody who may read analyses, and nothing of what the counts are of.
async fn analyst(ada: &Person, url: &str) -> Person {
    let role = json!({ "name": "Analyst", "permissions": ["bias_analyses:read"] });
    let role: Value = answered(ada.post("/v1/roles").json(&role)).await;
    let member = json!({ "email": "bob@example.org", "full_name": "Bob", "role_id": role["id"] });
    let added: Value = answered(ada.post("/v1/members").json(&member)).await;
    let join = json!({
        "token": added["join"]["token"], "password": "correct horse battery", "consent": true,
    });
    let bob = Person::nobody(url);
    let joined = bob.post("/v1/auth/join").json(&join).send().await.unwrap();
    assert!(joined.status().is_success(), "{}", joined.text().await.unwrap());
    Person::log_in(url, "bob@example.org", "correct horse battery").await
}

#[tokio::test]
async fn what_one_may_not_read_is_neither_called_empty_nor_exported() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let bob = analyst(&ada, &server.url).await;
    let organization = ada.json("/v1/me").await["organization_id"].as_str().unwrap().to_owned();
    let row = format!("{LIST}/{organization}");

    let (hers, his) = (body(&ada, &row).await, body(&bob, &row).await);
    assert!(!hers.contains("Not shown to you"));
    let (_, told) = his.split_once("Not shown to you").unwrap();
    let told = told.split("Left empty").next().unwrap();
    for label in ["Total models", "Critical alerts", "High alerts", "Total members"] {
        assert!(hers.contains(label), "{label}");
        assert!(told.contains(label), "{label} is not in {told}");
        assert_eq!(his.matches(label).count(), 1, "{label} is told once");
    }

    // The list offers none of them, and a link that chooses one leads to the others.
    let chosen = "columns=total_models,total_analyses";
    for path in [LIST.to_owned(), format!("{LIST}?{chosen}")] {
        let list = body(&bob, &path).await;
        assert!(!list.contains("Total models"), "{list}");
        assert!(list.contains("Total analyses"), "{list}");
    }
    let heads = async |person: &Person, query: &str| {
        let csv = body(person, &format!("{LIST}/export{query}")).await;
        csv.lines().next().unwrap().to_owned()
    };
    let query = format!("?{chosen}");
    assert!(heads(&ada, &query).await.contains("total_models"));
    for query in [query.as_str(), "", "?columns=total_members"] {
        let heads = heads(&bob, query).await;
        assert!(!heads.contains("total_models") && !heads.contains("total_members"), "{heads}");
        assert!(heads.contains("total_analyses"), "{heads}");
    }
    server.interrupt();
}
