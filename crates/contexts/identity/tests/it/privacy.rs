//! What is held on a person: had by them alone, and erased so that nothing of it is left.

use std::{io::Read as _, time::Duration};

use ephor_identity::Identity;
use ephor_seal::{KeyRing, SealKey, Trust, verify_export};
use ephor_store::{
    audit,
    jobs::{Workers, WorkersConfig, WorkersHandle},
    testing::TestDatabase,
};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::support::{Browser, PASSWORD, World, log_in, somewhere, world};

fn workers(db: &TestDatabase, identity: &Identity) -> WorkersHandle {
    Workers::start(db.store(), identity.handlers(), WorkersConfig::default())
}

/// Asks until there is an answer.
async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let end = std::time::Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(std::time::Instant::now() < end, "it did not happen: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Asks for one's data, and waits for the archive.
async fn exported(browser: &Browser) -> String {
    let asked = browser.post("/v1/me/exports", json!({})).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    let id = asked.body["id"].as_str().unwrap().to_owned();
    until("the archive is ready", async || {
        let now = browser.get(&format!("/v1/me/exports/{id}")).await;
        assert_ne!(now.body["state"], "failed", "{now:?}");
        (now.body["state"] == "ready").then_some(())
    })
    .await;
    id
}

async fn content(world: &World, browser: &Browser, id: &str) -> Vec<u8> {
    let request = http::Request::get(format!("/v1/me/exports/{id}/content"))
        .header("cookie", &browser.cookie)
        .body(axum::body::Body::empty())
        .unwrap();
    let answer = world.router().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/zip");
    answer.into_body().collect().await.unwrap().to_bytes().to_vec()
}

/// All files of a ZIP.
fn unpacked(bytes: Vec<u8>) -> Vec<(String, String)> {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    (0..zip.len())
        .map(|at| {
            let mut file = zip.by_index(at).unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            (file.name().unwrap().into_owned(), text)
        })
        .collect()
}

#[tokio::test]
async fn a_person_has_all_that_is_held_on_them_and_nobody_else_has_it() {
    let world = world().await;
    let workers = workers(&world.db, &world.identity);
    let (_, scope, ada) = world.owner("ada@example.org", "Acme").await;
    let (_, bob) = world.join(&scope, "bob@example.org", "admin").await;
    let (_, _, eve) = world.owner("eve@example.org", "Elsewhere").await;
    let id = exported(&bob).await;

    for other in [&ada, &eve] {
        for path in [format!("/v1/me/exports/{id}"), format!("/v1/me/exports/{id}/content")] {
            assert_eq!(other.get(&path).await.status, 404, "{path}");
        }
    }
    let bytes = content(&world, &bob, &id).await;
    let told = bob.get(&format!("/v1/me/exports/{id}")).await.body;
    assert_eq!(told["byte_count"], bytes.len());
    let files = unpacked(bytes);
    let file = |name: &str| {
        let (_, text) = files.iter().find(|(found, _)| found == name).unwrap();
        text.clone()
    };
    let account: Value = serde_json::from_str(&file("identity.users.json")).unwrap();
    assert_eq!(account[0]["email"], "bob@example.org");
    assert!(account[0]["gdpr_consent_at"].is_string(), "{account}");
    assert!(file("identity.sessions.json").contains("192.0.2.1"));
    assert!(file("audit.audit_logs.json").contains("bob@example.org"));
    assert!(file("index.txt").contains("identity.organization_members.json  (1 row)"));
    let all: String = files.iter().map(|(_, text)| text.as_str()).collect();
    for secret in
        ["password_hash\":\"$", "token_hash\":\"\\\\x", "csrf_secret\":\"\\\\x", "eve@example.org"]
    {
        assert!(!all.contains(secret), "{secret} is in the archive");
    }

    // Programs don't have it, and its time ends.
    let key = json!({ "name": "k", "permissions": ["models:read"] });
    let key = bob.post("/v1/api-keys", key).await.body["key"].as_str().unwrap().to_owned();
    let request = http::Request::get(format!("/v1/me/exports/{id}/content"))
        .header("authorization", format!("Bearer {key}"))
        .body(axum::body::Body::empty())
        .unwrap();
    assert_eq!(crate::support::send(&world.router(), request).await.status, 403);
    sqlx::query("update identity.data_exports set expires_at = now() - interval '1 second'")
        .execute(&world.db.admin())
        .await
        .unwrap();
    assert_eq!(bob.get(&format!("/v1/me/exports/{id}/content")).await.status, 404);
    world.identity.sweep().await.unwrap();
    let left: i64 = sqlx::query_scalar("select count(*) from identity.data_export_parts")
        .fetch_one(&world.db.admin())
        .await
        .unwrap();
    assert_eq!(left, 0);
    workers.shutdown().await;
}

/// Every row of every table as text: what a dump would hold.
async fn dump(db: &TestDatabase) -> Vec<(String, String)> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1",
    )
    .fetch_all(&db.admin())
    .await
    .unwrap();
    let mut all = Vec::new();
    for table in tables {
        let sql = format!(
            "select coalesce(string_agg(t::text, E'\\n' order by t::text), '') from {table} as t"
        );
        let text: String =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&db.admin()).await.unwrap();
        all.push((table, text));
    }
    all
}

#[tokio::test]
async fn an_erased_person_is_nowhere_and_the_trail_still_verifies() {
    let world = world().await;
    let (db, identity) = (&world.db, &world.identity);
    let workers = workers(db, identity);
    let (ada_ids, scope, ada) = world.owner("ada@example.org", "Acme").await;
    let (_, bob) = world.join(&scope, "bob.roberts@example.org", "owner").await;
    let (eve_ids, eve_scope, eve) = world.owner("eve@example.org", "Elsewhere").await;
    world.join(&eve_scope, "carol@example.org", "member").await;
    // Bob is also invited elsewhere, had another name, has a key, an archive, a log-in elsewhere, and is named.
    let rename = json!({ "full_name": "Robert \"Bob\" Roberts" });
    assert_eq!(bob.send(axum::http::Method::PATCH, "/v1/me", Some(rename)).await.status, 200);
    bob.post("/v1/api-keys", json!({ "name": "k", "permissions": ["models:read"] })).await;
    exported(&bob).await;
    let user: Uuid =
        sqlx::query_scalar("select id from identity.users where email = 'bob.roberts@example.org'")
            .fetch_one(&db.admin())
            .await
            .unwrap();
    for sql in [
        "update identity.users set email_verified_at = now() where id = $1",
        "insert into identity.user_identities (user_id, provider, subject, email) values ($1, 'google', 's', 'Bob.Roberts@Example.org')",
        "insert into identity.team_invitations (organization_id, email, token_hash, created_by)
         select id, 'bob.roberts@example.org', sha256('x'), $1 from identity.organizations where name = 'Elsewhere'",
        "insert into registry.models (organization_id, name, model_type, created_by)
         select id, 'Bob''s model', 'classification', $1 from identity.organizations where name = 'Acme'",
    ] {
        sqlx::query(sql).bind(user).execute(&db.admin()).await.unwrap();
    }
    let key = SealKey::from_seed(&[7; 32]);
    audit::seal_pending(&db.store(), &key).await.unwrap().unwrap();

    let wrong = bob.post("/v1/me/erasure", json!({ "password": "wrong password" })).await;
    assert_eq!(wrong.code(), "wrong_credentials", "{wrong:?}");
    // Eve owns Elsewhere alone.
    let last = eve.post("/v1/me/erasure", json!({ "password": PASSWORD })).await;
    assert_eq!((last.status.as_u16(), last.code()), (409, "conflict"), "{last:?}");
    assert!(
        last.body["detail"].as_str().unwrap().contains("the last owner of Elsewhere"),
        "{last:?}"
    );
    let others = |dump: &[(String, String)]| -> Vec<String> {
        let is_theirs = |line: &&str| {
            [&ada_ids.user_id.to_string(), &eve_ids.user_id.to_string()]
                .iter()
                .any(|id| line.contains(id.as_str()))
                || line.contains("carol@")
        };
        let of = ["identity.users", "identity.organization_members", "identity.sessions"];
        dump.iter()
            .filter(|(table, _)| of.contains(&table.as_str()))
            .flat_map(|(_, text)| text.lines().filter(is_theirs).map(str::to_owned))
            .filter(|line| !line.contains(&user.to_string()))
            .collect()
    };
    let before = others(&dump(db).await);
    assert!(before.len() >= 6, "{before:?}");

    let asked = bob.post("/v1/me/erasure", json!({ "password": PASSWORD })).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    assert_eq!(bob.get("/v1/me").await.status, 401, "the account is closed at once");
    assert!(
        identity.log_in(&somewhere(), &log_in("bob.roberts@example.org", PASSWORD)).await.is_err()
    );
    until("the person is erased", async || {
        sqlx::query_scalar::<_, bool>(
            "select deleted_at is not null from identity.users where id = $1",
        )
        .bind(user)
        .fetch_one(&db.admin())
        .await
        .unwrap()
        .then_some(())
    })
    .await;
    workers.shutdown().await;

    let after = dump(db).await;
    for word in [
        "bob.roberts@",
        "robert \\\"bob\\\" roberts",
        "robert \"bob\" roberts",
        "robert \"\"bob\"\"",
        "name of bob",
    ] {
        let found: Vec<&str> = after
            .iter()
            .filter(|(_, text)| text.to_lowercase().contains(word))
            .map(|(table, _)| table.as_str())
            .collect();
        assert!(found.is_empty(), "{word} is still in {found:?}");
    }
    assert_eq!(others(&after), before, "what is others' is as it was");
    let kept: i64 =
        sqlx::query_scalar("select count(*) from registry.models where created_by = $1")
            .bind(user)
            .fetch_one(&db.admin())
            .await
            .unwrap();
    assert_eq!(kept, 1, "what was made for the organization stays its own");
    assert!(ada.get("/v1/me").await.status == 200 && eve.get("/v1/me").await.status == 200);

    audit::seal_pending(&db.store(), &key).await.unwrap().unwrap();
    let keys = KeyRing::new([key.public()]);
    let all = audit::verify_all(&db.store(), &keys).await.unwrap();
    assert!(all.iter().all(ephor_seal::Verification::verified), "{all:#?}");
    let erased: usize = all.iter().map(|one| one.erased.len()).sum();
    assert!(erased >= 8, "{all:#?}");
    let elsewhere =
        all.iter().find(|one| one.organization == eve_ids.organization_id.uuid()).unwrap();
    assert_eq!(
        elsewhere.erased.len(),
        2,
        "there, the invitation as it was made and as it was emptied"
    );
    let mut file = Vec::new();
    audit::export(&db.store(), &scope, &ephor_kernel::SystemClock, &mut file).await.unwrap();
    let offline = verify_export(file.as_slice(), &Trust::Keys(keys), None).unwrap();
    assert!(offline[0].verified() && offline[0].to_string().contains("erased by"), "{offline:?}");
}

#[tokio::test]
async fn the_address_of_an_erased_person_may_sign_up_anew() {
    let world = world().await;
    let workers = workers(&world.db, &world.identity);
    let (_, scope, _) = world.owner("ada@example.org", "Acme").await;
    let (_, bob) = world.join(&scope, "bob@example.org", "member").await;
    bob.post("/v1/me/erasure", json!({ "password": PASSWORD })).await;
    until("the address is free", async || {
        let again = crate::support::sign_up("bob@example.org", "Bob's own");
        world.identity.sign_up(&somewhere(), &again).await.ok()
    })
    .await;
    workers.shutdown().await;
}
