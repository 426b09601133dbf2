//! Who may do what over HTTP: every route of identity for every role, as a golden table.

use axum::{
    body::Body,
    http::{Method, Request},
};
use ephor_kernel::{MemberId, Scope};
use serde_json::{Value, json};

use crate::support::{Answer, Browser, World, add, send, somewhere, world};

const ROLES: [&str; 6] = ["owner", "admin", "manager", "operator", "member", "viewer"];

/// What each try works on, made anew for each.
struct Targets {
    member: MemberId,
    role: String,
    own_key: Option<String>,
    bobs: MemberId,
    bobs_key: String,
    organization: String,
    invitation: String,
}

/// For a role that cannot make a key: an id that nothing has.
const NOBODYS: &str = "01930b2e-7c1a-7def-8000-1b2c3d4e5f60";

type Try = (&'static str, Method, fn(&Targets) -> String, fn() -> Option<Value>);

fn none() -> Option<Value> {
    None
}

/// The routes that change what is asked with, such as log-out and password, have tests of their own.
fn tries() -> Vec<Try> {
    vec![
        ("see oneself", Method::GET, |_| "/v1/me".into(), none),
        ("list own sessions", Method::GET, |_| "/v1/sessions".into(), none),
        ("list permissions", Method::GET, |_| "/v1/permissions".into(), none),
        (
            "see the organization",
            Method::GET,
            |t| format!("/v1/organizations/{}", t.organization),
            none,
        ),
        (
            "rename the organization",
            Method::PATCH,
            |t| format!("/v1/organizations/{}", t.organization),
            || Some(json!({ "description": "x" })),
        ),
        (
            "open a subsidiary",
            Method::POST,
            |_| "/v1/organizations".into(),
            || Some(json!({ "name": "Sub" })),
        ),
        ("list members", Method::GET, |_| "/v1/members".into(), none),
        ("see a member", Method::GET, |t| format!("/v1/members/{}", t.bobs), none),
        (
            "add a member",
            Method::POST,
            |_| "/v1/members".into(),
            || Some(json!({ "email": "new@example.org", "full_name": "New", "role": "viewer" })),
        ),
        (
            "add an owner",
            Method::POST,
            |_| "/v1/members".into(),
            || Some(json!({ "email": "chief@example.org", "full_name": "New", "role": "owner" })),
        ),
        (
            "change a member's role",
            Method::PATCH,
            |t| format!("/v1/members/{}", t.member),
            || Some(json!({ "role": "viewer" })),
        ),
        (
            "renew a join link",
            Method::POST,
            |t| format!("/v1/members/{}/join-link", t.member),
            none,
        ),
        (
            "invite a viewer",
            Method::POST,
            |_| "/v1/team_invitations".into(),
            || Some(json!({ "email": "guest@example.org", "role": "viewer" })),
        ),
        (
            "invite an owner",
            Method::POST,
            |_| "/v1/team_invitations".into(),
            || Some(json!({ "email": "chief@example.org", "role": "owner" })),
        ),
        ("list invitations", Method::GET, |_| "/v1/team_invitations".into(), none),
        (
            "send an invitation again",
            Method::POST,
            |t| format!("/v1/team_invitations/{}/resend", t.invitation),
            none,
        ),
        (
            "revoke an invitation",
            Method::POST,
            |t| format!("/v1/team_invitations/{}/revoke", t.invitation),
            none,
        ),
        ("remove a member", Method::DELETE, |t| format!("/v1/members/{}", t.member), none),
        ("list roles", Method::GET, |_| "/v1/roles".into(), none),
        (
            "make a role",
            Method::POST,
            |_| "/v1/roles".into(),
            || Some(json!({ "name": "Reader", "permissions": ["models:read"] })),
        ),
        (
            "change a role",
            Method::PATCH,
            |t| format!("/v1/roles/{}", t.role),
            || Some(json!({ "permissions": ["models:read"] })),
        ),
        ("delete a role", Method::DELETE, |t| format!("/v1/roles/{}", t.role), none),
        ("list own keys", Method::GET, |_| "/v1/api-keys".into(), none),
        (
            "make a key",
            Method::POST,
            |_| "/v1/api-keys".into(),
            || Some(json!({ "name": "k", "permissions": ["models:read"] })),
        ),
        (
            "make a key for everything",
            Method::POST,
            |_| "/v1/api-keys".into(),
            || Some(json!({ "name": "k", "permissions": ["*"] })),
        ),
        (
            "revoke an own key",
            Method::DELETE,
            |t| format!("/v1/api-keys/{}", t.own_key.as_deref().unwrap_or(NOBODYS)),
            none,
        ),
        ("revoke a member's key", Method::DELETE, |t| format!("/v1/api-keys/{}", t.bobs_key), none),
    ]
}

async fn targets(
    world: &World,
    scope: &Scope,
    bobs: MemberId,
    bob: &Browser,
    actor: &Browser,
) -> Targets {
    let unique = uuid::Uuid::now_v7().simple().to_string();
    let member =
        world.identity.member_add(scope, &add(&format!("{unique}@example.org"), "member")).await;
    let invite = ephor_identity::Invite {
        email: format!("{unique}@example.com"),
        role_id: None,
        role: Some("viewer".into()),
        team_id: None,
        team_role: None,
    };
    let invited = world.identity.invite(&somewhere(), scope, &invite).await.unwrap();
    let role = ephor_identity::CreateRole {
        name: unique.clone(),
        description: None,
        permissions: vec!["models:read".into()],
    };
    let key = json!({ "name": "k", "permissions": ["models:read"] });
    let made = |answer: Answer| answer.body["id"].as_str().map(str::to_owned);
    Targets {
        member: member.unwrap().id,
        role: world.identity.role_create(scope, &role).await.unwrap().id.to_string(),
        own_key: made(actor.post("/v1/api-keys", key.clone()).await),
        bobs,
        bobs_key: made(bob.post("/v1/api-keys", key).await).unwrap(),
        organization: scope.organization().to_string(),
        invitation: invited.id.to_string(),
    }
}

#[tokio::test]
async fn role_by_route() {
    let mut rows: Vec<(String, Vec<u16>)> =
        tries().iter().map(|(what, ..)| ((*what).to_owned(), Vec::new())).collect();
    for role in ROLES {
        let world = world().await;
        let (_, scope, ada) = world.owner("ada@example.org", "Acme").await;
        let (bobs, bob) = world.join(&scope, "bob@example.org", "member").await;
        let actor = match role {
            "owner" => ada,
            role => world.join(&scope, "actor@example.org", role).await.1,
        };
        for (row, (_, method, path, body)) in rows.iter_mut().zip(tries()) {
            let targets = targets(&world, &scope, bobs, &bob, &actor).await;
            let answer = actor.send(method, &path(&targets), body()).await;
            assert!(!answer.status.is_server_error(), "{role}: {}: {answer:?}", row.0);
            row.1.push(answer.status.as_u16());
        }
    }
    let mut table = format!("{:28}", "");
    for role in ROLES {
        table.push_str(&format!("{role:>9}"));
    }
    for (what, statuses) in rows {
        table.push_str(&format!("\n{what:28}"));
        for status in statuses {
            table.push_str(&format!("{status:>9}"));
        }
    }
    insta::assert_snapshot!(table);
}

/// The list may only shrink: what is on it answers without a log-in.
const UNAUTHENTICATED: [&str; 10] = [
    // The buttons of the sign-in page.
    "GET /v1/auth/providers",
    "POST /v1/auth/accept-invitation",
    "POST /v1/auth/forgot-password",
    "POST /v1/auth/invitation-offer",
    "POST /v1/auth/join",
    "POST /v1/auth/join-offer",
    "POST /v1/auth/log-in",
    // The second step, with the token of the first.
    "POST /v1/auth/log-in/code",
    "POST /v1/auth/reset-password",
    "POST /v1/auth/sign-up",
];

#[tokio::test]
async fn without_a_log_in_all_else_is_401() {
    let world = world().await;
    let mut open = Vec::new();
    for operation in ephor_identity::operations() {
        let (method, path) = (operation.method.clone(), operation.path.to_string());
        let path = path.replace("{id}", NOBODYS);
        let request = Request::builder()
            .method(method.clone())
            .uri(&path)
            .header("content-type", "application/json")
            .body(Body::from("{}"))
            .unwrap();
        let answer = send(&world.router(), request).await;
        if answer.status != 401 {
            open.push(format!("{method} {}", operation.path));
        }
    }
    open.sort();
    assert_eq!(open, UNAUTHENTICATED, "a route needs a log-in, or a reason to stand on the list");
}
