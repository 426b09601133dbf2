use axum::{
    body::Body,
    http::{Method, Request},
};
use serde_json::json;

use crate::support::{PASSWORD, log_in, send, somewhere, world};

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
async fn user_name_and_metadata_are_ones_own_to_keep_and_the_customer_id_to_see() {
    let world = world().await;
    let (_, scope, ada) = world.owner("ada@example.org", "Acme").await;
    let (_, bob) = world.join(&scope, "bob@example.org", "viewer").await;
    sqlx::query(
        "update identity.users set username = 'Ada L.', metadata = '{\"imported\": true}', stripe_customer_id = 'cus_1'
         where email = 'ada@example.org'",
    )
    .execute(&world.db.admin())
    .await
    .unwrap();
    let me = ada.get("/v1/me").await.body;
    assert_eq!(me["user"]["username"], "Ada L.");
    assert_eq!(me["user"]["metadata"], json!({ "imported": true }));
    assert_eq!(me["user"]["stripe_customer_id"], "cus_1");
    let nobody = bob.get("/v1/me").await.body;
    assert_eq!(
        (&nobody["user"]["username"], &nobody["user"]["metadata"]),
        (&json!(null), &json!({}))
    );

    // A program acts for Ada, and is told for whom; what she keeps for herself it is not.
    let key = json!({ "name": "ci", "permissions": ["*"] });
    let key = ada.post("/v1/api-keys", key).await.body["key"].as_str().unwrap().to_owned();
    let request = Request::get("/v1/me").header("x-api-key", key).body(Body::empty()).unwrap();
    let by_key = send(&world.router(), request).await.body;
    assert_eq!(by_key["user"]["email"], "ada@example.org");
    assert_eq!(by_key["user"]["id"], me["user"]["id"]);
    for own in ["username", "metadata", "stripe_customer_id"] {
        assert_eq!(by_key["user"].get(own), None, "{by_key}");
    }
    assert_eq!(by_key.get("csrf_token"), None);

    // What was imported may stay as it is; what is chosen is plain, and nobody else's.
    let change = |person: &crate::support::Browser, body: serde_json::Value| {
        let person = person.clone();
        async move { person.send(Method::PATCH, "/v1/me", Some(body)).await }
    };
    let kept = change(&ada, json!({ "username": "Ada L.", "full_name": "Ada" })).await;
    assert_eq!((kept.status.as_u16(), &kept.body["username"]), (200, &json!("Ada L.")));
    let metadata = json!({ "pronouns": "she", "desk": { "floor": 3 } });
    let set = change(&ada, json!({ "username": "ada", "metadata": metadata })).await;
    assert_eq!((&set.body["username"], &set.body["metadata"]), (&json!("ada"), &metadata));
    assert_eq!(ada.get("/v1/me").await.body["user"]["metadata"], metadata);
    let taken = change(&bob, json!({ "username": "ada", "full_name": "Robert" })).await;
    assert_eq!(taken.status, 422, "{taken:?}");
    assert_eq!(
        (&taken.body["faults"][0]["pointer"], &taken.body["faults"][0]["code"]),
        (&json!("/username"), &json!("taken"))
    );
    assert_ne!(bob.get("/v1/me").await.body["user"]["full_name"], "Robert", "all or nothing");
    let wrong =
        json!({ "username": "No Body", "metadata": { "a": "x".repeat(20_000), "b": "\u{0}" } });
    let wrong = change(&bob, wrong).await;
    assert_eq!(wrong.body["faults"].as_array().map(Vec::len), Some(3), "{wrong:?}");
    let readonly = change(&ada, json!({ "stripe_customer_id": "cus_2" })).await;
    assert_eq!(readonly.status, 422, "{readonly:?}");
    let emptied = change(&ada, json!({ "username": null, "metadata": null })).await;
    assert_eq!((&emptied.body["username"], &emptied.body["metadata"]), (&json!(null), &json!({})));
    assert_eq!(change(&bob, json!({ "username": "ada" })).await.status, 200, "it is free again");

    // The trail says that metadata changed, and not to what.
    let told: Vec<String> = sqlx::query_scalar(
        "select body from audit.audit_logs where entity_type = 'identity.users' and body like '%pronouns%'",
    )
    .fetch_all(&world.db.admin())
    .await
    .unwrap();
    assert_eq!(told, Vec::<String>::new());
}

#[tokio::test]
async fn nobody_finds_out_by_trying_which_user_names_there_are() {
    let world = world().await;
    let (_, scope, ada) = world.owner("ada@example.org", "Acme").await;
    let (_, bob) = world.join(&scope, "bob@example.org", "viewer").await;
    let ask = async |person: &crate::support::Browser, body: serde_json::Value| {
        person.send(Method::PATCH, "/v1/me", Some(body)).await
    };
    assert_eq!(ask(&ada, json!({ "username": "ada" })).await.status, 200);
    // What is no user name, stays as it is or is given up tells nothing, and is not counted.
    for _ in 0..3 {
        assert_eq!(ask(&bob, json!({ "username": "No Body" })).await.status, 422);
        assert_eq!(ask(&bob, json!({ "username": null })).await.status, 200);
    }
    for n in 0..5 {
        assert_eq!(ask(&bob, json!({ "username": "ada" })).await.status, 422);
        assert_eq!(ask(&bob, json!({ "username": format!("bob{n}") })).await.status, 200);
    }
    for name in ["ada", "nobody-has-it"] {
        let refused = ask(&bob, json!({ "username": name })).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (429, "rate_limited"));
        let seconds: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=3600).contains(&seconds), "{seconds}");
    }
    assert_eq!(bob.get("/v1/me").await.body["user"]["username"], "bob4");
    // Another name of theirs, and other people, are not held up.
    assert_eq!(ask(&bob, json!({ "full_name": "Bob", "username": "bob4" })).await.status, 200);
    assert_eq!(ask(&ada, json!({ "username": "ada.l" })).await.status, 200);
}

#[tokio::test]
async fn a_change_of_another_version_is_refused() {
    let world = world().await;
    let (_, _, ada) = world.owner("ada@example.org", "Acme").await;
    let version = ada.get("/v1/me").await.body["user"]["version"].as_i64().unwrap();
    let seen = format!("\"{version}\"");
    let body = json!({ "full_name": "Ada King", "username": "ada" });
    let changed = ada.patch("/v1/me", Some(&seen), body).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let now = changed.body["version"].as_i64().unwrap();
    assert!(now > version);
    assert_eq!(ada.get("/v1/me").await.body["user"]["version"], now);
    let body = json!({ "full_name": "Countess", "username": null });
    let stale = ada.patch("/v1/me", Some(&seen), body.clone()).await;
    assert_eq!((stale.status.as_u16(), stale.code()), (412, "stale"));
    let kept = ada.get("/v1/me").await.body["user"].clone();
    assert_eq!((&kept["full_name"], &kept["username"]), (&json!("Ada King"), &json!("ada")));
    // Whoever names none, or any, changes what is there.
    assert_eq!(ada.patch("/v1/me", None, json!({ "first_name": "Ada" })).await.status, 200);
    assert_eq!(ada.patch("/v1/me", Some("*"), body).await.status, 200);
    assert_eq!(ada.patch("/v1/me", Some("soon"), json!({})).await.status, 422);
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
