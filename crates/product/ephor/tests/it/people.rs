//! People whom rows name: members who act here at that moment, and nobody else.

use reqwest::Response;
use serde_json::{Value, json};

use crate::{
    approvals::colleague,
    support::{
        Server,
        api::{Person, answered},
        data_folder,
    },
};

/// Where, and with which code, a request was refused.
async fn faults(answer: Response) -> Vec<String> {
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    assert_eq!((status, &body["code"]), (422, &json!("invalid")), "{body}");
    let faults = body["faults"].as_array().unwrap();
    let faults = faults.iter().map(|fault| {
        format!("{} {}", fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap())
    });
    faults.collect()
}

#[tokio::test]
async fn rows_name_who_acts_here() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let url = &server.url;
    let ada = Person::sign_up(url, "ada@example.org").await;
    let eve = Person::sign_up(url, "eve@example.org").await;
    let stranger = eve.json("/v1/me").await["user"]["id"].clone();
    let (_, bob) = colleague(&ada, url, "bob", "operator").await;
    let send = async |path: &str, body: &Value| ada.post(path).json(body).send().await.unwrap();
    let change = async |path: &str, patch: Value| {
        let request = ada.client.patch(format!("{url}{path}")).header("if-match", "*");
        request.json(&patch).send().await.unwrap()
    };

    // A stranger and nobody are the same; a membership's own id is none of a person. All faults are told at once.
    for id in [stranger.clone(), json!(uuid::Uuid::now_v7()), bob["id"].clone()] {
        let told = faults(send("/v1/risk_items", &json!({ "owner_id": id })).await).await;
        assert!(told.contains(&"/title required".to_owned()), "{told:?}");
        assert!(told.contains(&"/owner_id unknown_reference".to_owned()), "{told:?}");
    }
    let risk = json!({ "title": "Drift", "severity": "low", "impact": "low", "likelihood": "low" });
    let with = |owner: &Value| {
        let mut risk = risk.clone();
        risk["owner_id"] = owner.clone();
        risk
    };
    let several = json!([with(&bob["user_id"]), with(&stranger)]);
    let told = faults(send("/v1/risk_items", &several).await).await;
    assert_eq!(told, ["/1/owner_id unknown_reference"]);
    let made = answered(ada.post("/v1/risk_items").json(&with(&bob["user_id"]))).await;
    let path = format!("/v1/risk_items/{}", made["id"].as_str().unwrap());
    let told = faults(change(&path, json!({ "owner_id": stranger })).await).await;
    assert_eq!(told, ["/owner_id unknown_reference"]);

    // Forms offer the members: one to choose, or several to tick.
    let user = bob["user_id"].as_str().unwrap();
    let form = ada.get("/resources/risk_items/new").send().await.unwrap().text().await.unwrap();
    assert!(form.contains(&format!("<option value=\"{user}\">bob</option>")), "{form}");
    let form = ada.get("/resources/approvals/new").send().await.unwrap().text().await.unwrap();
    let box_of_bob = format!("type=\"checkbox\" name=\"approver_ids\" value=\"{user}\"");
    assert!(form.contains(&box_of_bob), "{form}");

    // Who leaves stays named where they were, and is named anew nowhere.
    let member = format!("/v1/members/{}", bob["id"].as_str().unwrap());
    assert!(change(&member, json!({ "is_active": false })).await.status().is_success());
    let same = json!({ "title": "Drift of scores", "owner_id": bob["user_id"] });
    assert!(change(&path, same).await.status().is_success());
    let told = faults(send("/v1/risk_items", &with(&bob["user_id"])).await).await;
    assert_eq!(told, ["/owner_id unknown_reference"]);

    // Of several, each is looked at in its place.
    let me = ada.json("/v1/me").await["user"]["id"].clone();
    let approval = json!({ "approver_ids": [me, stranger] });
    let told = faults(send("/v1/approvals", &approval).await).await;
    assert!(told.contains(&"/approver_ids/1 unknown_reference".to_owned()), "{told:?}");
    assert!(!told.iter().any(|fault| fault.starts_with("/approver_ids/0")), "{told:?}");
}
