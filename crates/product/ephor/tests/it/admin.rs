//! What who runs the installation may do: beside a running server, on its machine.

use std::path::Path;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Server,
    api::{Person, answered},
    data_folder, ephor, within_async,
};

struct Told {
    code: i32,
    out: String,
    err: String,
}

impl Told {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{}{}", self.out, self.err))
    }
}

async fn run(data: &Path, arguments: &[&str]) -> Told {
    let mut command = ephor();
    command.args(arguments).arg("--data").arg(data).stdin(std::process::Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    Told {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[tokio::test]
async fn an_organization_is_suspended_and_let_work_again() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let key = json!({ "name": "CI", "permissions": ["models:read"] });
    let key = answered(ada.post("/v1/api-keys").json(&key)).await;
    let with_key = || {
        let key = key["key"].as_str().unwrap().to_owned();
        Person::nobody(&server.url).get("/v1/models").bearer_auth(key).send()
    };
    assert!(with_key().await.unwrap().status().is_success());

    let told = run(data.path(), &["admin", "organization", "list", "--json"]).await;
    assert_eq!(told.code, 0, "{}", told.err);
    let listed = told.json();
    let one = &listed[0];
    assert_eq!((&one["members"], &one["is_active"]), (&json!(1), &json!(true)));
    let slug = one["slug"].as_str().unwrap().to_owned();

    let told = run(data.path(), &["admin", "organization", "suspend", &slug]).await;
    assert_eq!(told.code, 2, "nothing is suspended unasked: {}", told.err);
    assert!(ada.get("/v1/me").send().await.unwrap().status().is_success());
    let suspend =
        ["admin", "organization", "suspend", &slug, "--yes", "--json", "--reason", "unpaid"];
    let told = run(data.path(), &suspend).await;
    assert_eq!((told.code, &told.json()["is_active"]), (0, &json!(false)), "{}", told.err);

    assert_eq!(ada.get("/v1/me").send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let refused = with_key().await.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert_eq!(refused.json::<Value>().await.unwrap()["code"], "organization_suspended");
    let again = Person::nobody(&server.url);
    let log_in = |password: &str| {
        let body = json!({ "email": "ada@example.org", "password": password });
        again.post("/v1/auth/log-in").json(&body).send()
    };
    let refused = log_in("correct horse battery").await.unwrap();
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["code"], "organization_suspended", "{problem}");
    let refused = log_in("not the password").await.unwrap();
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(
        problem["code"], "wrong_credentials",
        "who does not know the password learns nothing"
    );

    let told = run(data.path(), &["admin", "organization", "reactivate", &slug, "--yes"]).await;
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(with_key().await.unwrap().status().is_success());
    let ada = Person::log_in(&server.url, "ada@example.org", "correct horse battery").await;
    let trail =
        ada.json("/v1/audit/entries?entity_type=identity.organizations&action=update").await;
    let reasons: Vec<_> =
        trail["data"].as_array().unwrap().iter().map(|entry| &entry["actor_type"]).collect();
    assert_eq!(reasons, ["platform", "platform"], "the organization's own trail tells of it");

    let limits = [
        "admin",
        "organization",
        "set",
        &slug,
        "--max-users",
        "5",
        "--monthly-cost-limit",
        "99.50",
        "--tier",
        "professional",
        "--yes",
        "--json",
    ];
    let told = run(data.path(), &limits).await;
    assert!(told.code == 0 || told.err.contains("there are:"), "{}", told.err);
    let told = run(data.path(), &[&limits[..8], &["--yes", "--json"]].concat()).await;
    assert_eq!(told.json()["max_users"], 5, "{}", told.err);
    let wrong =
        run(data.path(), &["admin", "organization", "set", &slug, "--max-users", "0"]).await;
    assert_eq!(wrong.code, 2);
    let none = run(data.path(), &["admin", "organization", "show", "nobody"]).await;
    assert!(none.code == 2 && none.err.contains("organization list"), "{}", none.err);
}

#[tokio::test]
async fn a_person_is_disabled_logged_out_and_let_run_the_platform() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let bob = Person::sign_up(&server.url, "bob@example.org").await;
    let page = async |person: &Person, path: &str| {
        let answer = person.get(path).header("accept", "text/html").send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };

    // An owner sees how their own organization's part is; of the others nothing, nor any size.
    let (status, health) = page(&ada, "/health").await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        health.contains("Of Organization of ada") && !health.contains("The whole installation")
    );
    assert_eq!(page(&ada, "/health/partitions").await.0, StatusCode::NOT_FOUND);
    let grant = ["admin", "user", "grant", "ada@example.org", "--yes"];
    let told = run(data.path(), &grant).await;
    assert!(told.code == 0 && told.out.contains("runs the platform"), "{}{}", told.out, told.err);
    let (_, health) = page(&ada, "/health").await;
    assert!(health.contains("The whole installation") && health.contains("PostgreSQL"), "{health}");
    let (status, partitions) = page(&ada, "/health/partitions").await;
    assert_eq!(status, StatusCode::OK);
    assert!(partitions.contains("audit.audit_logs") && partitions.contains("every month is there"));
    assert!(!page(&bob, "/health").await.1.contains("The whole installation"));
    run(data.path(), &["admin", "user", "revoke", "ada@example.org", "--yes"]).await;
    assert_eq!(page(&ada, "/health/partitions").await.0, StatusCode::NOT_FOUND);

    let told = run(data.path(), &["admin", "user", "list", "BOB", "--json"]).await;
    let listed = told.json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(
        (&listed[0]["email"], &listed[0]["sessions"]),
        (&json!("bob@example.org"), &json!(1))
    );
    let told =
        run(data.path(), &["admin", "user", "end-sessions", "bob@example.org", "--yes"]).await;
    assert!(told.out.contains("1 sessions ended"), "{}{}", told.out, told.err);
    assert_eq!(bob.get("/v1/me").send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let bob = Person::log_in(&server.url, "bob@example.org", "correct horse battery").await;
    let told =
        run(data.path(), &["admin", "user", "disable", "bob@example.org", "--yes", "--json"]).await;
    assert_eq!((told.code, &told.json()["is_active"]), (0, &json!(false)), "{}", told.err);
    assert_eq!(bob.get("/v1/me").send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let body = json!({ "email": "bob@example.org", "password": "correct horse battery" });
    let refused = bob.post("/v1/auth/log-in").json(&body).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    run(data.path(), &["admin", "user", "enable", "bob@example.org", "--yes"]).await;
    Person::log_in(&server.url, "bob@example.org", "correct horse battery").await;

    // The platform's own trail tells of all of it.
    let platform = "00000000-0000-7000-8000-000000000000";
    let mut tries = 0;
    within_async("the platform's trail is sealed", async || {
        tries += 1;
        let file = data.path().join(format!("platform-{tries}.ephor-audit"));
        let export = ["audit", "export", platform, "--out", file.to_str().unwrap()];
        let told = run(data.path(), &export).await;
        assert_eq!(told.code, 0, "{}", told.err);
        let trail = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        (trail.contains("user_sessions_end") && trail.contains("user_set")).then_some(())
    })
    .await;
}

/// Something behind Ephor's back.
async fn behind(data: &Path, sql: &'static str) {
    let urls = ephor_store::embedded::Urls::of_folder(data).unwrap();
    let mut database =
        <sqlx::PgConnection as sqlx::Connection>::connect(&urls.superuser()).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut database).await.unwrap();
}

#[tokio::test]
async fn an_erasure_that_failed_shows_and_is_tried_again() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let link = json!({ "email": "bob@example.org", "full_name": "Bob", "role": "member" });
    let added = answered(ada.post("/v1/members").json(&link)).await;
    let bob = Person::nobody(&server.url);
    let join = json!({ "token": added["join"]["token"], "password": "correct horse battery" });
    assert!(bob.post("/v1/auth/join").json(&join).send().await.unwrap().status().is_success());
    let none = run(data.path(), &["admin", "erasure", "list"]).await;
    assert!(none.code == 0 && none.out.contains("Everybody"), "{}{}", none.out, none.err);

    // Something keeps the database from erasing.
    behind(
        data.path(),
        "create function public.refuse() returns trigger language plpgsql as
             $$ begin raise exception 'the disk is bewitched'; end $$;
         create trigger refuse before update of deleted_at on identity.users
             for each row when (new.deleted_at is not null) execute function public.refuse();",
    )
    .await;
    let asked = json!({ "password": "correct horse battery" });
    let asked = bob.post("/v1/me/erasure").json(&asked).send().await.unwrap();
    assert_eq!(asked.status(), StatusCode::ACCEPTED);
    let list = ["admin", "erasure", "list", "--json"];
    let failed = within_async("the erasure fails", async || {
        let told = run(data.path(), &list).await;
        (told.code == 1).then(|| told.json()[0].clone())
    })
    .await;
    assert_eq!((&failed["email"], &failed["state"]), (&json!("bob@example.org"), &json!("failed")));
    assert!(failed["fault"].as_str().unwrap().contains("bewitched"), "{failed}");
    let text = async |path: &str| ada.get(path).send().await.unwrap().text().await.unwrap();
    assert!(text("/metrics").await.contains("erasures{state=\"failed\"} 1"));
    assert!(text("/readyz").await.contains("ephor admin erasure list"));
    run(data.path(), &["admin", "user", "grant", "ada@example.org", "--yes"]).await;
    assert!(text("/health").await.contains("0 waiting, 1 failed"));

    // In vain, then with what stood in the way gone.
    let retry = ["admin", "erasure", "retry", "bob@example.org", "--yes", "--reason", "again"];
    let unasked = run(data.path(), &retry[..4]).await;
    assert_eq!(unasked.code, 2, "{}", unasked.err);
    assert_eq!(run(data.path(), &retry).await.code, 0);
    within_async("it fails again", async || {
        (run(data.path(), &list).await.code == 1).then_some(())
    })
    .await;
    behind(data.path(), "drop trigger refuse on identity.users").await;

    // An account that was opened again meanwhile is not told to be erased.
    let opened = run(data.path(), &["admin", "user", "enable", "bob@example.org", "--yes"]).await;
    assert_eq!(opened.code, 0, "{}", opened.err);
    assert_eq!(run(data.path(), &retry).await.code, 0);
    within_async("it is refused", async || {
        let told = run(data.path(), &list).await.out;
        told.contains("in use again").then_some(())
    })
    .await;
    let closed = run(data.path(), &["admin", "user", "disable", "bob@example.org", "--yes"]).await;
    assert_eq!(closed.code, 0, "{}", closed.err);
    let told = run(data.path(), &retry).await;
    assert_eq!(told.code, 0, "{}", told.err);
    within_async("the person is erased", async || {
        let told = run(data.path(), &list).await;
        (told.code == 0 && told.json() == json!([])).then_some(())
    })
    .await;
    let gone = run(data.path(), &retry).await;
    assert!(gone.code == 2 && gone.err.contains("nobody"), "{}", gone.err);
    assert!(text("/metrics").await.contains("erasures{state=\"failed\"} 0"));
    assert!(!text("/readyz").await.contains("erasure"));
    let members = ada.json("/v1/members").await.to_string();
    assert!(!members.contains("bob@example.org"), "{members}");
}

#[tokio::test]
async fn the_database_tells_how_it_is_and_is_seeded_once() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let told = run(data.path(), &["db", "status", "--json"]).await;
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
    let status = told.json();
    assert!(status["pending"].as_array().unwrap().is_empty());
    assert!(status["applied"].as_array().unwrap().len() > 20);
    let trail = status["partitions"].as_array().unwrap().iter();
    let trail = trail.clone().find(|table| table["table"] == "audit.audit_logs").unwrap();
    assert_eq!((&trail["ahead"], &trail["spilt"]), (&json!(3), &json!(0)));
    let told = run(data.path(), &["db", "status"]).await;
    assert!(
        told.out.contains("audit.audit_logs") && told.out.contains("PostgreSQL"),
        "{}",
        told.out
    );

    let told = run(data.path(), &["db", "seed", "--json"]).await;
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
    let seeded = told.json();
    let text = |name: &str| seeded[name].as_str().unwrap().to_owned();
    let demo = Person::log_in(&server.url, &text("email"), &text("password")).await;
    assert_eq!(demo.json("/v1/datasets").await["data"][0]["row_count"], 16_281);
    let again = run(data.path(), &["db", "seed"]).await;
    assert!(again.code == 2 && again.err.contains("--organization"), "{}", again.err);
    let second = ["db", "seed", "--organization", "Second", "--email", "second@example.org"];
    let told = run(data.path(), &second).await;
    assert!(told.code == 0 && told.out.contains("second@example.org"), "{}{}", told.out, told.err);
}
