//! Work of an assistant and who approves of it, as programs see it. The rules themselves are tried in the store's suite.

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    Server,
    api::{Person, answered},
    data_folder,
};

const PASSWORD: &str = "correct horse battery";

/// Somebody whom Ada adds with a built-in role, and their account and membership.
pub async fn colleague(ada: &Person, url: &str, name: &str, role: &str) -> (Person, Value) {
    let email = format!("{name}@example.org");
    let body = json!({ "email": email, "full_name": name, "role": role });
    let added = answered(ada.post("/v1/members").json(&body)).await;
    let person = Person::nobody(url);
    let join = json!({ "token": added["join"]["token"], "password": PASSWORD, "consent": true });
    let joined = person.post("/v1/auth/join").json(&join).send().await.unwrap();
    assert!(joined.status().is_success(), "{}", joined.text().await.unwrap());
    let members = ada.json(&format!("/v1/members?email=eq.{email}")).await;
    (Person::log_in(url, &email, PASSWORD).await, members["data"][0].clone())
}

/// A change of whatever is at this path, by somebody.
pub async fn patched(who: &Person, url: &str, path: &str, patch: Value) -> Response {
    let request = who.client.patch(format!("{url}{path}")).header("if-match", "*");
    request.json(&patch).send().await.unwrap()
}

/// What was refused, after its status and code were looked at.
pub async fn refused(answer: Response, status: StatusCode, code: &str) -> Value {
    let found = answer.status();
    let text = answer.text().await.unwrap();
    assert_eq!(found, status, "{text}");
    let problem: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(problem["code"], code, "{problem}");
    problem
}

#[tokio::test]
async fn risky_work_waits_for_somebody_who_may_decide() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let url = &server.url;
    let ada = Person::sign_up(url, "ada@example.org").await;
    let (bob, _) = colleague(&ada, url, "bob", "operator").await;
    let (cy, cy_member) = colleague(&ada, url, "cy", "manager").await;
    let (dee, dee_member) = colleague(&ada, url, "dee", "manager").await;
    let change =
        async |who: &Person, path: &str, patch: Value| patched(who, url, path, patch).await;

    let assistant = json!({ "name": "Clerk", "slug": "clerk", "type": "custom", "risk_tier": 0 });
    let assistant = answered(ada.post("/v1/assistants").json(&assistant)).await;
    let work = json!({ "assistant_id": assistant["id"], "title": "Pay", "risk_level": 2 });
    let work = answered(bob.post("/v1/work_items").json(&work)).await;
    let approval = json!({
        "work_item_id": work["id"], "title": "May it pay?", "risk_level": 2,
        "expires_at": "2099-01-01T00:00:00Z",
    });
    let approval = answered(bob.post("/v1/approvals").json(&approval)).await;
    let path = format!("/v1/work_items/{}", work["id"].as_str().unwrap());
    let sly = json!({ "risk_level": 0, "status": "in_progress" });
    let answer = change(&bob, &path, sly).await;
    refused(answer, StatusCode::CONFLICT, "invalid_transition").await;

    // Who leaves decides no more, nor does anybody by their right.
    let delegation = json!({
        "delegate_id": dee_member["user_id"],
        "starts_at": "2020-01-01T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z",
    });
    let delegation = answered(cy.post("/v1/approval_delegations").json(&delegation)).await;
    let vote = json!({
        "approval_id": approval["id"], "delegation_id": delegation["id"], "decision": "approve",
    });
    let answer = bob.post("/v1/approval_votes").json(&vote).send().await.unwrap();
    refused(answer, StatusCode::FORBIDDEN, "forbidden").await;
    let member = format!("/v1/members/{}", cy_member["id"].as_str().unwrap());
    let left = change(&ada, &member, json!({ "is_active": false })).await;
    assert!(left.status().is_success(), "{}", left.text().await.unwrap());
    let answer = dee.post("/v1/approval_votes").json(&vote).send().await.unwrap();
    refused(answer, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;

    // The honest way.
    let vote = json!({ "approval_id": approval["id"], "decision": "approve" });
    answered(dee.post("/v1/approval_votes").json(&vote)).await;
    let begun = change(&bob, &path, json!({ "status": "in_progress" })).await;
    assert!(begun.status().is_success(), "{}", begun.text().await.unwrap());

    // What is prohibited is not registered as in use.
    let system = json!({ "name": "Scores", "status": "active", "risk_level": "prohibited" });
    let answer = ada.post("/v1/ai_systems").json(&system).send().await.unwrap();
    refused(answer, StatusCode::CONFLICT, "invalid_transition").await;
}

#[tokio::test]
async fn a_delegate_only_makes_a_delegation_smaller() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let url = &server.url;
    let ada = Person::sign_up(url, "ada@example.org").await;
    let (cy, _) = colleague(&ada, url, "cy", "manager").await;
    let (dee, dee_member) = colleague(&ada, url, "dee", "manager").await;
    let delegation = json!({
        "delegate_id": dee_member["user_id"],
        "starts_at": "2020-01-01T00:00:00Z", "ends_at": "2090-01-01T00:00:00Z",
    });
    let delegation = answered(cy.post("/v1/approval_delegations").json(&delegation)).await;
    let path = format!("/v1/approval_delegations/{}", delegation["id"].as_str().unwrap());

    let longer = json!({ "ends_at": "2099-01-01T00:00:00Z" });
    for who in [&dee, &ada] {
        let answer = patched(who, url, &path, longer.clone()).await;
        let problem = refused(answer, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
        assert_eq!(problem["faults"][0]["pointer"], "/ends_at", "{problem}");
    }
    let ended = patched(&dee, url, &path, json!({ "is_active": false })).await;
    assert!(ended.status().is_success(), "{}", ended.text().await.unwrap());
    let answer = patched(&dee, url, &path, json!({ "is_active": true })).await;
    refused(answer, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    for set in [json!({ "is_active": true }), longer] {
        let changed = patched(&cy, url, &path, set).await;
        assert!(changed.status().is_success(), "{}", changed.text().await.unwrap());
    }
}

#[tokio::test]
async fn a_high_risk_is_lowered_by_another_owner() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let url = &server.url;
    let ada = Person::sign_up(url, "ada@example.org").await;
    let assistant = json!({ "name": "Clerk", "slug": "clerk", "type": "custom", "risk_tier": 4 });
    let assistant = answered(ada.post("/v1/assistants").json(&assistant)).await;
    let path = format!("/v1/assistants/{}", assistant["id"].as_str().unwrap());
    // Who is alone has nobody to ask.
    let lowered = patched(&ada, url, &path, json!({ "risk_tier": 3 })).await;
    assert!(lowered.status().is_success(), "{}", lowered.text().await.unwrap());
    let (cy, _) = colleague(&ada, url, "cy", "manager").await;
    let (bea, _) = colleague(&ada, url, "bea", "owner").await;
    for who in [&ada, &cy] {
        let answer = patched(who, url, &path, json!({ "risk_tier": 2 })).await;
        let problem = refused(answer, StatusCode::CONFLICT, "invalid_transition").await;
        assert_eq!(problem["faults"][0]["pointer"], "/risk_tier", "{problem}");
    }
    let lowered = patched(&bea, url, &path, json!({ "risk_tier": 2 })).await;
    assert!(lowered.status().is_success(), "{}", lowered.text().await.unwrap());
    // At two an approver may.
    let lowered = patched(&cy, url, &path, json!({ "risk_tier": 1 })).await;
    assert!(lowered.status().is_success(), "{}", lowered.text().await.unwrap());
}

#[tokio::test]
async fn what_is_looked_at_is_withdrawn_before_it_is_changed() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let url = &server.url;
    let ada = Person::sign_up(url, "ada@example.org").await;
    let (bob, _) = colleague(&ada, url, "bob", "operator").await;
    let (cy, _) = colleague(&ada, url, "cy", "manager").await;
    let assistant = json!({ "name": "Clerk", "slug": "clerk", "type": "custom", "risk_tier": 0 });
    let assistant = answered(ada.post("/v1/assistants").json(&assistant)).await;
    let work = json!({ "assistant_id": assistant["id"], "title": "Pay 10", "risk_level": 2 });
    let work = answered(bob.post("/v1/work_items").json(&work)).await;
    let item = format!("/v1/work_items/{}", work["id"].as_str().unwrap());
    let ask = json!({
        "work_item_id": work["id"], "title": "May it pay?", "risk_level": 2,
        "expires_at": "2099-01-01T00:00:00Z",
    });
    let approval = answered(bob.post("/v1/approvals").json(&ask)).await;
    let approval_path = format!("/v1/approvals/{}", approval["id"].as_str().unwrap());
    let vote = json!({ "approval_id": approval["id"], "decision": "approve" });
    let changes = [
        ("/title", json!({ "title": "Pay 1000" })),
        ("/description", json!({ "description": "To whom?" })),
        ("/context", json!({ "context": { "to": "Eve" } })),
        ("/estimated_cost", json!({ "estimated_cost": 1000 })),
    ];
    let kept = async || {
        for (pointer, change) in &changes {
            let answer = patched(&bob, url, &item, change.clone()).await;
            let problem = refused(answer, StatusCode::CONFLICT, "invalid_transition").await;
            assert_eq!(problem["faults"][0]["pointer"], *pointer, "{problem}");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains("withdraw the approval first"), "{detail}");
        }
    };
    kept().await;
    answered(cy.post("/v1/approval_votes").json(&vote)).await;
    kept().await;
    // When it is done was not asked.
    let later = patched(&bob, url, &item, json!({ "due_at": "2099-01-01T00:00:00Z" })).await;
    assert!(later.status().is_success(), "{}", later.text().await.unwrap());
    let begun = patched(&bob, url, &item, json!({ "status": "in_progress" })).await;
    assert!(begun.status().is_success(), "{}", begun.text().await.unwrap());

    let withdrawn = patched(&cy, url, &approval_path, json!({ "status": "withdrawn" })).await;
    assert!(withdrawn.status().is_success(), "{}", withdrawn.text().await.unwrap());
    assert_eq!(bob.json(&item).await["status"], "awaiting_approval");
    for (_, change) in &changes {
        let changed = patched(&bob, url, &item, change.clone()).await;
        assert!(changed.status().is_success(), "{}", changed.text().await.unwrap());
    }
    let answer = patched(&bob, url, &item, json!({ "status": "in_progress" })).await;
    refused(answer, StatusCode::CONFLICT, "invalid_transition").await;
    let anew = answered(bob.post("/v1/approvals").json(&ask)).await;
    let vote = json!({ "approval_id": anew["id"], "decision": "approve" });
    answered(cy.post("/v1/approval_votes").json(&vote)).await;
    assert_eq!(bob.json(&item).await["status"], "in_progress");
}
