use axum::{
    body::Body,
    http::{Method, Request, header},
};
use ephor_identity::{ApiKeyToken, ChangeMember, CreateApiKey};
use ephor_kernel::Code;
use serde_json::json;

use crate::support::{World, another, cheap, send, somewhere, world};

fn key(permissions: &[&str]) -> CreateApiKey {
    CreateApiKey {
        name: "ci".into(),
        permissions: permissions.iter().map(ToString::to_string).collect(),
        expires_at: None,
    }
}

async fn get_with(world: &World, header: &str, value: &str) -> u16 {
    let request = Request::get("/v1/members").header(header, value).body(Body::empty()).unwrap();
    send(&world.router(), request).await.status.as_u16()
}

#[tokio::test]
async fn a_key_is_shown_once_and_only_its_hash_is_kept() {
    let world = world().await;
    let (_, _, owner) = world.owner("ada@example.org", "Acme").await;
    let input = json!({ "name": "ci", "permissions": ["members:read"] });
    let made = owner.post("/v1/api-keys", input).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.headers["cache-control"], "no-store");
    let text = made.body["key"].as_str().unwrap();
    let list = owner.get("/v1/api-keys").await;
    assert_eq!(list.body["data"][0]["name"], "ci", "{list:?}");
    assert!(!list.body.to_string().contains(&text[70..]));
    let everything: Vec<String> = sqlx::query_scalar(
        "select to_jsonb(k)::text from identity.api_keys k union all select body from audit.audit_logs",
    )
    .fetch_all(&world.db.admin())
    .await
    .unwrap();
    assert!(everything.iter().all(|row| !row.contains(&text[70..])));
    assert_eq!(get_with(&world, "authorization", &format!("Bearer {text}")).await, 200);
    assert_eq!(get_with(&world, "x-api-key", text).await, 200);
    let mut wrong = text.to_owned();
    wrong.replace_range(text.len() - 1.., if text.ends_with('A') { "B" } else { "A" });
    assert_eq!(get_with(&world, "x-api-key", &wrong).await, 401);
    for rubbish in ["eph_", "Bearer", "Basic eph_x", "sk-123"] {
        assert_eq!(get_with(&world, "authorization", rubbish).await, 401, "{rubbish}");
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_on_every_replica() {
    let world = world().await;
    let (_, scope, owner) = world.owner("ada@example.org", "Acme").await;
    let replica = another(&world.db, cheap());
    let made = world.identity.api_key_create(&scope, &key(&["members:read"])).await.unwrap();
    let token = ApiKeyToken::parse(&made.key).unwrap();
    assert!(replica.api_key_admit(&somewhere(), &token).await.unwrap().is_some());
    let path = format!("/v1/api-keys/{}", made.id);
    assert_eq!(owner.send(Method::DELETE, &path, None).await.status, 204);
    assert!(replica.api_key_admit(&somewhere(), &token).await.unwrap().is_none());
    assert_eq!(get_with(&world, "x-api-key", &made.key).await, 401);
    assert_eq!(owner.send(Method::DELETE, &path, None).await.status, 404);
}

#[tokio::test]
async fn a_key_may_do_no_more_than_its_maker_then_and_now() {
    let world = world().await;
    let (_, owner, _) = world.owner("ada@example.org", "Acme").await;
    let (bob, browser) = world.join(&owner, "bob@example.org", "admin").await;
    let input = json!({ "name": "all", "permissions": ["*"] });
    let refused = browser.post("/v1/api-keys", input).await;
    assert_eq!(refused.body["faults"][0]["code"], "exceeds", "{refused:?}");
    let input = json!({ "name": "models", "permissions": ["models:*", "members:read"] });
    let made = browser.post("/v1/api-keys", input).await;
    let token = ApiKeyToken::parse(made.body["key"].as_str().unwrap()).unwrap();
    let may = || async {
        let scope = world.identity.api_key_admit(&somewhere(), &token).await.unwrap().unwrap();
        (
            scope.permissions().allows("models", "delete"),
            scope.permissions().allows("models", "read"),
        )
    };
    assert_eq!(may().await, (true, true));
    let viewer = ChangeMember { role: Some("viewer".into()), ..ChangeMember::default() };
    world.identity.member_change(&owner, bob, None, &viewer).await.unwrap();
    assert_eq!(may().await, (false, true));
}

#[tokio::test]
async fn keys_expire() {
    let world = world().await;
    let (_, scope, _) = world.owner("ada@example.org", "Acme").await;
    let past = CreateApiKey {
        expires_at: Some("2020-01-01T00:00:00Z".parse().unwrap()),
        ..key(&["members:read"])
    };
    let problem = world.identity.api_key_create(&scope, &past).await.unwrap_err();
    assert_eq!(problem.code, Code::Invalid);
    let made = world.identity.api_key_create(&scope, &key(&["members:read"])).await.unwrap();
    sqlx::query("update identity.api_keys set expires_at = now() - interval '1 second'")
        .execute(&world.db.admin())
        .await
        .unwrap();
    assert_eq!(get_with(&world, "x-api-key", &made.key).await, 401);
}

#[tokio::test]
async fn one_sees_ones_own_keys_and_a_manager_of_keys_everybodys() {
    let world = world().await;
    let (_, scope, owner) = world.owner("ada@example.org", "Acme").await;
    let (_, bobs) = world.join(&scope, "bob@example.org", "member").await;
    let (_, cys) = world.join(&scope, "cy@example.org", "manager").await;
    let input = json!({ "name": "his", "permissions": ["models:read"] });
    let made = bobs.post("/v1/api-keys", input).await;
    let path = format!("/v1/api-keys/{}", made.body["id"].as_str().unwrap());
    let names = |answer: &crate::support::Answer| -> Vec<String> {
        let rows = answer.body["data"].as_array().unwrap();
        rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&bobs.get("/v1/api-keys").await), ["his"]);
    assert_eq!(names(&cys.get("/v1/api-keys").await), Vec::<String>::new());
    assert_eq!(cys.get(&path).await.status, 404);
    assert_eq!(cys.send(Method::DELETE, &path, None).await.status, 404);
    assert_eq!(names(&owner.get("/v1/api-keys").await), ["his"]);
    let (_, _, stranger) = world.owner("eve@example.org", "Other").await;
    assert_eq!(stranger.send(Method::DELETE, &path, None).await.status, 404);
    assert_eq!(get_with(&world, "x-api-key", made.body["key"].as_str().unwrap()).await, 403);
    assert_eq!(owner.send(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(get_with(&world, "x-api-key", made.body["key"].as_str().unwrap()).await, 401);
}

#[tokio::test]
async fn uses_are_counted_in_batches() {
    let world = world().await;
    let (_, scope, _) = world.owner("ada@example.org", "Acme").await;
    let made = world.identity.api_key_create(&scope, &key(&["members:read"])).await.unwrap();
    let token = ApiKeyToken::parse(&made.key).unwrap();
    let replica = another(&world.db, cheap());
    for identity in [&world.identity, &replica] {
        for _ in 0..3 {
            identity.api_key_admit(&somewhere(), &token).await.unwrap().unwrap();
        }
    }
    let used = || async { world.identity.api_key_list(&scope).await.unwrap()[0].clone() };
    assert_eq!((used().await.usage_count, used().await.last_used_at), (0, None));
    world.identity.flush_key_usage().await.unwrap();
    replica.flush_key_usage().await.unwrap();
    replica.flush_key_usage().await.unwrap();
    assert_eq!(used().await.usage_count, 6);
    assert!(used().await.last_used_at.is_some());
    let audited: i64 = sqlx::query_scalar(
        "select count(*) from audit.audit_logs where entity_type like 'identity.api_key%'",
    )
    .fetch_one(&world.db.admin())
    .await
    .unwrap();
    assert_eq!(audited, 1, "being used is no change of a key");
}

#[tokio::test]
async fn a_key_has_no_session_and_needs_no_form_token() {
    let world = world().await;
    let (_, scope, _) = world.owner("ada@example.org", "Acme").await;
    let made = world.identity.api_key_create(&scope, &key(&["*"])).await.unwrap();
    let request = |method: Method, path: &str, body: &str| {
        Request::builder()
            .method(method)
            .uri(path)
            .header("x-api-key", &made.key)
            .header("sec-fetch-site", "cross-site")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap()
    };
    let router = world.router();
    let input = r#"{"name": "second", "permissions": ["models:read"]}"#;
    assert_eq!(send(&router, request(Method::POST, "/v1/api-keys", input)).await.status, 201);
    let sessions = send(&router, request(Method::GET, "/v1/sessions", "")).await;
    assert_eq!(
        (sessions.status.as_u16(), &sessions.body["data"][0]["current"]),
        (200, &json!(false))
    );
    let out = send(&router, request(Method::POST, "/v1/auth/log-out", "{}")).await;
    assert_eq!(out.status, 403, "there is none of its own to end");
    let password =
        r#"{"current_password": "correct horse battery", "password": "another long one"}"#;
    let change = send(&router, request(Method::POST, "/v1/me/password", password)).await;
    assert_eq!(change.status, 403, "a key changes no password");
}
