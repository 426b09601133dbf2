use axum::{
    body::Body,
    http::{Method, Request, header},
};
use ephor_identity::{IdentityConfig, Password};
use ephor_kernel::Code;
use serde_json::json;

use crate::support::{Browser, PASSWORD, World, cheap, log_in, send, somewhere, world, world_with};

async fn again(world: &World, email: &str) -> Browser {
    let cookie = world
        .identity
        .log_in(&somewhere(), &log_in(email, PASSWORD))
        .await
        .unwrap()
        .session()
        .unwrap();
    world.browser(cookie.header().to_str().unwrap())
}

#[tokio::test]
async fn logging_out_ends_the_session_at_once() {
    let world = world().await;
    let (_, _, browser) = world.owner("ada@example.org", "Acme").await;
    let other = again(&world, "ada@example.org").await;
    let answer = browser.post("/v1/auth/log-out", json!({})).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    assert!(answer.headers[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(browser.get("/v1/me").await.status, 401);
    assert_eq!(other.get("/v1/me").await.status, 200);
}

#[tokio::test]
async fn logging_out_everywhere_ends_all_sessions_of_that_person_only() {
    let world = world().await;
    let (_, scope, first) = world.owner("ada@example.org", "Acme").await;
    let (_, bob) = world.join(&scope, "bob@example.org", "member").await;
    let second = again(&world, "ada@example.org").await;
    let answer = first.post("/v1/auth/log-out-everywhere", json!({})).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    assert_eq!(first.get("/v1/me").await.status, 401);
    assert_eq!(second.get("/v1/me").await.status, 401);
    assert_eq!(bob.get("/v1/me").await.status, 200);
}

#[tokio::test]
async fn one_lists_and_revokes_ones_own_sessions_and_no_others() {
    let world = world().await;
    let (_, scope, first) = world.owner("ada@example.org", "Acme").await;
    let (_, bob) = world.join(&scope, "bob@example.org", "admin").await;
    let second = again(&world, "ada@example.org").await;
    let list = first.get("/v1/sessions").await;
    let items = list.body["data"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{list:?}");
    let current = items.iter().filter(|item| item["current"] == true);
    assert_eq!(current.count(), 1);
    assert_eq!(items[0]["ip_address"], "192.0.2.1");
    let other = items.iter().find(|item| item["current"] == false).unwrap()["id"].as_str().unwrap();
    let path = format!("/v1/sessions/{other}");
    assert_eq!(bob.send(Method::DELETE, &path, None).await.status, 404);
    assert_eq!(second.get("/v1/me").await.status, 200);
    assert_eq!(first.send(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(second.get("/v1/me").await.status, 401);
    assert_eq!(first.send(Method::DELETE, &path, None).await.status, 404, "it is gone");
    assert_eq!(first.get("/v1/sessions").await.body["data"].as_array().unwrap().len(), 1);
    assert!(!list.body.to_string().contains("token"));
}

#[tokio::test]
async fn a_key_lists_and_ends_its_owners_sessions_if_it_was_given_that() {
    let world = world().await;
    let (_, scope, ada) = world.owner("ada@example.org", "Acme").await;
    let (_, bob) = world.join(&scope, "bob@example.org", "member").await;
    let key = async |browser: &Browser, permission: &str| {
        let input = json!({ "name": permission, "permissions": [permission] });
        let made = browser.post("/v1/api-keys", input).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.body["key"].as_str().unwrap().to_owned()
    };
    let ask = async |method: Method, path: &str, key: &str| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {key}"))
            .body(Body::empty())
            .unwrap();
        send(&world.router(), request).await
    };
    let (reads, ends) = (key(&bob, "sessions:read").await, key(&bob, "sessions:delete").await);
    let other = key(&bob, "models:read").await;
    let list = ask(Method::GET, "/v1/sessions", &reads).await;
    assert_eq!(list.status, 200, "{list:?}");
    let items = list.body["data"].as_array().unwrap();
    assert_eq!((items.len(), &items[0]["current"]), (1, &json!(false)), "{list:?}");
    let path = format!("/v1/sessions/{}", items[0]["id"].as_str().unwrap());

    // A key for something else does neither, nor does one for one of the two do the other.
    for refused in [&ends, &other] {
        assert_eq!(ask(Method::GET, "/v1/sessions", refused).await.status, 403);
    }
    for refused in [&reads, &other] {
        assert_eq!(ask(Method::DELETE, &path, refused).await.status, 403);
    }
    // An owner's key for everything has to do with the owner's sessions alone.
    let everything = key(&ada, "*").await;
    let adas = ask(Method::GET, "/v1/sessions", &everything).await;
    assert_eq!(adas.body["data"].as_array().unwrap().len(), 1);
    assert_eq!(ask(Method::DELETE, &path, &everything).await.status, 404);
    assert_eq!(bob.get("/v1/me").await.status, 200);

    assert_eq!(ask(Method::DELETE, &path, &ends).await.status, 204);
    assert_eq!(bob.get("/v1/me").await.status, 401);
    let list = ask(Method::GET, "/v1/sessions", &reads).await;
    assert_eq!(list.body["data"], json!([]));
    assert_eq!(ada.get("/v1/me").await.status, 200);
}

#[tokio::test]
async fn whoever_is_signed_in_needs_no_permission_for_their_own_sessions() {
    let world = world().await;
    let (_, scope, _) = world.owner("ada@example.org", "Acme").await;
    let (_, eve) = world.join(&scope, "eve@example.org", "viewer").await;
    let list = eve.get("/v1/sessions").await;
    assert_eq!((list.status.as_u16(), &list.body["data"][0]["current"]), (200, &json!(true)));
    let path = format!("/v1/sessions/{}", list.body["data"][0]["id"].as_str().unwrap());
    assert_eq!(eve.send(Method::DELETE, &path, None).await.status, 204);
}

#[tokio::test]
async fn sessions_expire_when_idle_and_in_any_case() {
    let world = world().await;
    let (_, _, browser) = world.owner("ada@example.org", "Acme").await;
    for (table, column) in [("session_activity", "idle_expires_at"), ("sessions", "expires_at")] {
        let set = |when: &str| {
            let sql = format!("update identity.{table} set {column} = now() + interval '{when}'");
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        };
        set("-1 second").execute(&world.db.admin()).await.unwrap();
        assert_eq!(browser.get("/v1/me").await.status, 401, "{column}");
        set("1 hour").execute(&world.db.admin()).await.unwrap();
        assert_eq!(browser.get("/v1/me").await.status, 200, "{column}");
    }
}

#[tokio::test]
async fn being_used_keeps_a_session_but_not_beyond_its_end() {
    let world = world().await;
    let (_, _, browser) = world.owner("ada@example.org", "Acme").await;
    sqlx::query(
        "update identity.session_activity set last_seen_at = now() - interval '2 minutes',
            idle_expires_at = now() + interval '1 minute'",
    )
    .execute(&world.db.admin())
    .await
    .unwrap();
    sqlx::query("update identity.sessions set expires_at = now() + interval '2 hours'")
        .execute(&world.db.admin())
        .await
        .unwrap();
    assert_eq!(browser.get("/v1/me").await.status, 200);
    let (kept, seen): (bool, bool) = sqlx::query_as(
        "select a.idle_expires_at = s.expires_at, a.last_seen_at > now() - interval '1 minute'
         from identity.session_activity a join identity.sessions s using (id)",
    )
    .fetch_one(&world.db.admin())
    .await
    .unwrap();
    assert!(kept && seen);
}

#[tokio::test]
async fn a_sessions_secret_is_replaced_and_the_old_one_works_a_minute_longer() {
    let world = world_with(IdentityConfig { session_rotation_minutes: 30, ..cheap() }).await;
    let (_, _, old) = world.owner("ada@example.org", "Acme").await;
    assert!(!old.get("/v1/me").await.headers.contains_key(header::SET_COOKIE));
    let age = |minutes: i32| {
        sqlx::query("update identity.sessions set rotated_at = now() - make_interval(mins => $1)")
            .bind(minutes)
    };
    age(31).execute(&world.db.admin()).await.unwrap();
    let answer = old.get("/v1/me").await;
    assert_eq!(answer.status, 200);
    let mut new = old.clone();
    new.take(&answer);
    assert_ne!(new.cookie, old.cookie);
    assert_eq!(new.get("/v1/me").await.status, 200);
    assert_eq!(old.get("/v1/me").await.status, 200, "requests under way go on");
    age(2).execute(&world.db.admin()).await.unwrap();
    assert_eq!(old.get("/v1/me").await.status, 401);
    assert_eq!(new.get("/v1/me").await.status, 200);
}

#[tokio::test]
async fn switching_replaces_the_secret_and_leads_only_where_one_belongs() {
    let world = world().await;
    let (first, _, mut ada) = world.owner("ada@example.org", "First").await;
    let (second, scope, _) = world.owner("bob@example.org", "Second").await;
    let path = "/v1/session/organization";
    let there = json!({ "organization_id": second.organization_id });
    assert_eq!(ada.post(path, there.clone()).await.status, 404, "not a member yet");
    let added =
        world.identity.member_add(&scope, &crate::support::add("ada@example.org", "viewer")).await;
    assert_eq!(ada.post(path, there.clone()).await.status, 404, "added, but not joined yet");
    let join = ephor_identity::Join {
        token: added.unwrap().join.token,
        password: Password::new(PASSWORD),
        full_name: None,
        consent: false,
    };
    world.identity.join(&somewhere(), &join).await.unwrap();
    let before = ada.clone();
    let answer = ada.post(path, there).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    ada.take(&answer);
    assert_eq!(before.get("/v1/me").await.status, 401, "the old secret is gone at once");
    let me = ada.get("/v1/me").await;
    assert_eq!(me.body["organization_id"], json!(second.organization_id));
    assert!(!me.body["permissions"].as_array().unwrap().contains(&json!("models:create")));
    let back = ada.post(path, json!({ "organization_id": first.organization_id })).await;
    ada.take(&back);
    let me = ada.get("/v1/me").await;
    assert!(me.body["permissions"].as_array().unwrap().contains(&json!("models:create")));
}

#[tokio::test]
async fn old_sessions_are_swept() {
    let world = world().await;
    world.owner("ada@example.org", "Acme").await;
    again(&world, "ada@example.org").await;
    sqlx::query(
        "update identity.sessions set created_at = now() - interval '90 days', expires_at = now() - interval '40 days'
         where id = (select id from identity.sessions order by id limit 1)",
    )
    .execute(&world.db.admin())
    .await
    .unwrap();
    let swept = world.identity.sweep().await.unwrap();
    assert_eq!(swept, 1);
    let left: i64 = sqlx::query_scalar("select count(*) from identity.sessions")
        .fetch_one(&world.db.admin())
        .await
        .unwrap();
    assert_eq!(left, 1);
    let wrong =
        world.identity.log_in(&somewhere(), &log_in("ada@example.org", "wrong password")).await;
    assert_eq!(wrong.unwrap_err().code, Code::WrongCredentials);
}
