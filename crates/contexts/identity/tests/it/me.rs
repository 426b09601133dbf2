use axum::http::Method;
use serde_json::json;

use crate::support::{PASSWORD, log_in, somewhere, world};

#[tokio::test]
async fn a_new_name_reaches_every_organization_that_one_belongs_to() {
    let world = world().await;
    let (_, scope, owner) = world.owner("ada@example.org", "Acme").await;
    let (_, bob) = world.join(&scope, "bob@example.org", "member").await;
    let change = json!({ "full_name": "Robert", "avatar_url": "https://example.org/bob.png" });
    let changed = bob.send(Method::PATCH, "/v1/me", Some(change)).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let members = owner.get("/v1/members").await;
    let names: Vec<_> = members.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member["full_name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"Robert") && names.len() == 2, "{names:?}");
    let emptied = bob.send(Method::PATCH, "/v1/me", Some(json!({ "avatar_url": null }))).await;
    assert_eq!(emptied.body["avatar_url"], json!(null));
    assert_eq!(emptied.body["full_name"], "Robert");
    let bad = json!({ "full_name": " ", "avatar_url": "javascript:alert(1)" });
    let refused = bob.send(Method::PATCH, "/v1/me", Some(bad)).await;
    assert_eq!(refused.body["faults"].as_array().map(Vec::len), Some(2), "{refused:?}");
}

#[tokio::test]
async fn a_person_sees_their_own_account_only() {
    let world = world().await;
    let (_, scope, _) = world.owner("ada@example.org", "Acme").await;
    world.join(&scope, "bob@example.org", "admin").await;
    let mut tx = world.db.store().begin(&scope).await.unwrap();
    let emails: Vec<String> =
        sqlx::query_scalar("select email from identity.users").fetch_all(tx.conn()).await.unwrap();
    assert_eq!(emails, ["ada@example.org"]);
}

#[tokio::test]
async fn a_new_password_needs_the_old_one_and_ends_the_other_sessions() {
    let world = world().await;
    let (_, _, browser) = world.owner("ada@example.org", "Acme").await;
    let cookie = world
        .identity
        .log_in(&somewhere(), &log_in("ada@example.org", PASSWORD))
        .await
        .unwrap()
        .session()
        .unwrap();
    let other = world.browser(cookie.header().to_str().unwrap());
    let change = |old: &str, new: &str| json!({ "current_password": old, "password": new });
    let path = "/v1/me/password";
    let wrong = browser.post(path, change("wrong password", "a new long password")).await;
    assert_eq!((wrong.status.as_u16(), wrong.code()), (401, "wrong_credentials"));
    let weak = browser.post(path, change(PASSWORD, "password123")).await;
    assert_eq!(weak.status, 422, "{weak:?}");
    assert_eq!(browser.post(path, change(PASSWORD, "a new long password")).await.status, 204);
    assert_eq!(browser.get("/v1/me").await.status, 200);
    assert_eq!(other.get("/v1/me").await.status, 401);
    let old = world.identity.log_in(&somewhere(), &log_in("ada@example.org", PASSWORD)).await;
    assert!(old.is_err());
    let new = log_in("ada@example.org", "a new long password");
    assert!(world.identity.log_in(&somewhere(), &new).await.is_ok());
}
