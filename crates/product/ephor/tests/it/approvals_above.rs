//! What a holding decides of its subsidiaries' work: by somebody who is no member there.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    approvals::{colleague, patched, refused},
    second_factor::enrol,
    support::{
        Server,
        api::{Person, answered},
        data_folder,
    },
};

/// Ada, who owns a holding, and its id.
async fn holding(url: &str) -> (Person, Value) {
    let ada = Person::nobody(url);
    let body = json!({
        "email": "ada@example.org", "password": "correct horse battery", "full_name": "Ada Lovelace",
        "organization_name": "Holding", "kind": "holding",
    });
    let signed = answered(ada.post("/v1/auth/sign-up").json(&body)).await;
    (ada, signed["organization_id"].clone())
}

/// Works in another organization from now on.
async fn goes_to(person: &Person, organization: &Value) {
    let body = json!({ "organization_id": organization });
    let answer = person.post("/v1/session/organization").json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

/// The address of a row.
fn at(resource: &str, row: &Value) -> String {
    format!("/v1/{resource}/{}", row["id"].as_str().unwrap())
}

/// Both ways to vote on an approval are refused: there is none.
async fn unknown(who: &Person, approval: &Value, name: &str) {
    let vote = json!({ "approval_id": approval["id"], "decision": "approve" });
    let answer = who.post("/v1/approval_votes").json(&vote).send().await.unwrap();
    let problem = refused(answer, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    assert_eq!(problem["faults"][0]["code"], "unknown_reference", "{name}: {problem}");
    let path = format!("{}/votes", at("approvals", approval));
    let answer = who.post(&path).json(&json!({ "decision": "approve" })).send().await.unwrap();
    refused(answer, StatusCode::NOT_FOUND, "not_found").await;
}

#[tokio::test]
async fn a_holding_decides_at_level_four_and_nobody_beside_it() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let url = &server.url;
    let (ada, holding) = holding(url).await;
    let open = async |name: &str| {
        let body = json!({ "name": name });
        answered(ada.post("/v1/organizations").json(&body)).await["id"].clone()
    };
    let (first, second) = (open("First").await, open("Second").await);
    let (hal, hal_member) = colleague(&ada, url, "hal", "manager").await;
    let (vi, _) = colleague(&ada, url, "vi", "viewer").await;
    goes_to(&ada, &second).await;
    let (ben, _) = colleague(&ada, url, "ben", "owner").await;
    goes_to(&ada, &first).await;
    let (bob, _) = colleague(&ada, url, "bob", "operator").await;
    let (cy, _) = colleague(&ada, url, "cy", "manager").await;
    let eve = Person::sign_up(url, "eve@example.org").await;

    let assistant = json!({ "name": "Clerk", "slug": "clerk", "type": "custom", "risk_tier": 0 });
    let assistant = answered(ada.post("/v1/assistants").json(&assistant)).await;
    let ask = async |risk: u8| {
        let work = json!({ "assistant_id": assistant["id"], "title": "Pay", "risk_level": risk });
        let work = answered(bob.post("/v1/work_items").json(&work)).await;
        let waits = json!({ "status": "awaiting_approval" });
        let waits = patched(&bob, url, &at("work_items", &work), waits).await;
        assert!(waits.status().is_success(), "{}", waits.text().await.unwrap());
        let approval = json!({
            "work_item_id": work["id"], "title": "May it pay?", "risk_level": risk,
            "expires_at": "2099-01-01T00:00:00Z",
        });
        (work, answered(bob.post("/v1/approvals").json(&approval)).await)
    };

    let (work, approval) = ask(4).await;
    let vote = json!({ "approval_id": approval["id"], "decision": "approve" });
    unknown(&ben, &approval, "a sibling's owner").await;
    unknown(&eve, &approval, "a stranger").await;
    // Who only looks in the holding, and who approves in the subsidiary alone.
    let answer = vi.post("/v1/approval_votes").json(&vote).send().await.unwrap();
    refused(answer, StatusCode::FORBIDDEN, "forbidden").await;
    let path = format!("{}/votes", at("approvals", &approval));
    let answer = vi.post(&path).json(&json!({ "decision": "approve" })).send().await.unwrap();
    refused(answer, StatusCode::FORBIDDEN, "forbidden").await;
    let answer = cy.post("/v1/approval_votes").json(&vote).send().await.unwrap();
    refused(answer, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    // What is the subsidiary's own to decide.
    for risk in [2, 3, 5] {
        let (_, other) = ask(risk).await;
        unknown(&hal, &other, &format!("the holding at level {risk}")).await;
    }

    let seen = hal.json(&format!("{}?organizations=all", at("approvals", &approval))).await;
    assert_eq!(seen["organization_id"], first);
    let answer = hal.post("/v1/approval_votes").json(&vote).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let place = answer.headers()["location"].to_str().unwrap().to_owned();
    let made: Value = answer.json().await.unwrap();
    assert_eq!((&made["organization_id"], &made["approver_id"]), (&first, &hal_member["user_id"]));
    assert_eq!(hal.json(&place).await["id"], made["id"], "{place}");
    assert_eq!(bob.json(&at("work_items", &work)).await["status"], "in_progress");
    // The other way, and the other decision.
    let (cancelled, approval) = ask(4).await;
    let path = format!("{}/votes", at("approvals", &approval));
    let against = json!({ "decision": "reject", "reason": "not in this house" });
    answered(hal.post(&path).json(&against)).await;
    assert_eq!(bob.json(&at("work_items", &cancelled)).await["status"], "cancelled");
    // Beyond that the holding changes nothing.
    let answer = patched(&hal, url, &at("work_items", &work), json!({ "priority": 1 })).await;
    refused(answer, StatusCode::NOT_FOUND, "not_found").await;

    // Both trails name who it was; the subsidiary's says from where, the holding's where.
    let vote = made["id"].as_str().unwrap();
    let trail = async |action: &str| {
        let path = format!("/v1/audit/entries?entity_id={vote}&action={action}");
        let entry = ada.json(&path).await["data"][0].clone();
        assert_eq!(entry["actor_id"], hal_member["user_id"], "{entry}");
        entry
    };
    assert_eq!(trail("insert").await["acting_from"], holding);
    goes_to(&ada, &holding).await;
    assert_eq!(trail("voted_below").await["details"]["organization_id"], first);
}

#[tokio::test]
async fn a_subsidiary_that_requires_a_second_factor_gets_it_from_the_holding() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let url = &server.url;
    let (ada, _) = holding(url).await;
    let first = answered(ada.post("/v1/organizations").json(&json!({ "name": "First" }))).await;
    let (hal, hal_member) = colleague(&ada, url, "hal", "manager").await;
    goes_to(&ada, &first["id"]).await;
    let (bob, _) = colleague(&ada, url, "bob", "operator").await;
    let assistant = json!({ "name": "Clerk", "slug": "clerk", "type": "custom", "risk_tier": 0 });
    let assistant = answered(ada.post("/v1/assistants").json(&assistant)).await;
    let work = json!({ "assistant_id": assistant["id"], "title": "Pay", "risk_level": 4 });
    let work = answered(bob.post("/v1/work_items").json(&work)).await;
    let waits = json!({ "status": "awaiting_approval" });
    let waits = patched(&bob, url, &at("work_items", &work), waits).await;
    assert!(waits.status().is_success(), "{}", waits.text().await.unwrap());
    let approval = json!({
        "work_item_id": work["id"], "title": "May it pay?", "risk_level": 4,
        "expires_at": "2099-01-01T00:00:00Z",
    });
    let approval = answered(bob.post("/v1/approvals").json(&approval)).await;
    let require = json!({ "require_second_factor": true });
    let required = patched(&ada, url, &at("organizations", &first), require).await;
    assert!(required.status().is_success(), "{}", required.text().await.unwrap());

    // The holding requires none of Hal; where he votes one is required.
    let vote = json!({ "approval_id": approval["id"], "decision": "approve" });
    let votes = format!("{}/votes", at("approvals", &approval));
    for (path, vote) in
        [("/v1/approval_votes", vote.clone()), (votes.as_str(), json!({ "decision": "approve" }))]
    {
        let answer = hal.post(path).json(&vote).send().await.unwrap();
        let problem = refused(answer, StatusCode::FORBIDDEN, "forbidden").await;
        assert!(problem["detail"].as_str().unwrap().contains("second factor"), "{problem}");
    }
    let seen = hal.json(&format!("{}?organizations=all", at("approvals", &approval))).await;
    assert_eq!(seen["status"], "pending");

    enrol(&hal).await;
    let made = answered(hal.post("/v1/approval_votes").json(&vote)).await;
    assert_eq!(
        (&made["organization_id"], &made["approver_id"]),
        (&first["id"], &hal_member["user_id"])
    );
}
