//! The key that encrypts secrets is replaced beside a running server.

use std::path::Path;

use ephor_store::embedded::Urls;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::support::{
    Server,
    api::{Person, answered},
    authenticator::code,
    data_folder, ephor,
};

const PASSWORD: &str = "correct horse battery";

struct Told {
    code: i32,
    out: String,
    err: String,
}

async fn secrets(data: &Path, arguments: &[&str], key: Option<&str>) -> Told {
    let mut command = ephor();
    command.arg("secrets").args(arguments).arg("--data").arg(data);
    command.stdin(std::process::Stdio::null());
    if let Some(key) = key {
        command.env("EPHOR_SECRETS_KEY", key);
    }
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    Told {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Keys by their state, with how many values each encrypted.
async fn status(data: &Path) -> Vec<(String, u64)> {
    let told = secrets(data, &["status", "--json"], None).await;
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
    let rows: Vec<Value> = serde_json::from_str(&told.out).unwrap();
    rows.iter()
        .map(|row| (row["state"].as_str().unwrap().to_owned(), row["values"].as_u64().unwrap()))
        .collect()
}

async fn enrol(person: &Person) -> String {
    let enrolment = answered(person.post("/v1/me/second-factor")).await;
    let secret = enrolment["secret"].as_str().unwrap().to_owned();
    let confirm = json!({ "code": code(&secret, 0) });
    answered(person.post("/v1/me/second-factor/confirm").json(&confirm)).await;
    secret
}

/// The first step of a log-in; answers the token for the second.
async fn half(url: &str, email: &str) -> (Person, Value) {
    let person = Person::nobody(url);
    let body = json!({ "email": email, "password": PASSWORD });
    let half = answered(person.post("/v1/auth/log-in").json(&body)).await;
    (person, half["token"].clone())
}

/// The second step, with the code of the next half minute: the present one was used to enrol.
async fn second((person, token): &(Person, Value), secret: &str) -> bool {
    let body = json!({ "token": token, "code": code(secret, 1) });
    let answer = person.post("/v1/auth/log-in/code").json(&body).send().await.unwrap();
    answer.status().is_success()
}

/// What the database holds of a second factor.
async fn sealed(database: &mut PgConnection, email: &str) -> Vec<u8> {
    sqlx::query_scalar(
        "select t.secret from identity.user_totp t join identity.users u on u.id = t.user_id where u.email = $1",
    )
    .bind(email)
    .fetch_one(database)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_new_key_follows_the_old_one_under_a_running_server() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let url = &server.url;
    let ada = Person::sign_up(url, "ada@example.org").await;
    let bob = Person::sign_up(url, "bob@example.org").await;
    let (of_ada, of_bob) = (enrol(&ada).await, enrol(&bob).await);
    let under_way = half(url, "ada@example.org").await;
    assert_eq!(status(data.path()).await, [("encrypts".to_owned(), 2)]);
    let urls = Urls::of_folder(data.path()).unwrap();
    let mut database = PgConnection::connect(&urls.superuser()).await.unwrap();
    let before = sealed(&mut database, "bob@example.org").await;

    // A file that is known everywhere before it is used.
    let prepared = secrets(data.path(), &["rotate-key", "--prepare"], None).await;
    assert_eq!(prepared.code, 0, "{}", prepared.err);
    let told = [("encrypts".to_owned(), 2), ("next".to_owned(), 0)];
    assert_eq!(status(data.path()).await, told);
    let rotated = secrets(data.path(), &["rotate-key"], None).await;
    assert!(
        rotated.code == 0 && rotated.out.contains("Values encrypted anew: 2"),
        "{}{}",
        rotated.out,
        rotated.err
    );
    let told = [("encrypts".to_owned(), 2), ("old".to_owned(), 0)];
    assert_eq!(status(data.path()).await, told);
    let file = data.path().join("secrets.key");
    let keys = std::fs::read_to_string(&file).unwrap();
    for key in keys.split_whitespace().map(|word| word.trim_start_matches("old:")) {
        for text in [&prepared.out, &prepared.err, &rotated.out, &rotated.err, &server.log()] {
            assert!(!text.contains(key), "a key is printed");
        }
    }

    // A log-in that began before ends after; and what is enrolled now is the new key's.
    assert!(second(&under_way, &of_ada).await);
    let cy = Person::sign_up(url, "cy@example.org").await;
    enrol(&cy).await;
    assert_eq!(status(data.path()).await[0], ("encrypts".to_owned(), 3));

    // As if the run had been killed before it came to Bob: his opens meanwhile, and the next run goes on
    // with the same key.
    sqlx::query("update identity.user_totp t set secret = $1 from identity.users u where u.id = t.user_id and u.email = 'bob@example.org'")
        .bind(&before)
        .execute(&mut database)
        .await
        .unwrap();
    let told = [("encrypts".to_owned(), 2), ("old".to_owned(), 1)];
    assert_eq!(status(data.path()).await, told);
    assert!(second(&half(url, "bob@example.org").await, &of_bob).await);
    let again = secrets(data.path(), &["rotate-key"], None).await;
    assert!(again.out.contains("goes on with its key"), "{}{}", again.out, again.err);
    assert!(again.out.contains("Values encrypted anew: 1"), "{}", again.out);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), keys);
    assert_ne!(sealed(&mut database, "bob@example.org").await, before);

    // What is forgotten is kept beside; the server goes on.
    let unasked = secrets(data.path(), &["forget-keys"], None).await;
    assert_eq!(unasked.code, 2, "{}", unasked.err);
    let forgotten = secrets(data.path(), &["forget-keys", "--yes"], None).await;
    assert_eq!(forgotten.code, 0, "{}{}", forgotten.out, forgotten.err);
    assert_eq!(status(data.path()).await, [("encrypts".to_owned(), 3)]);
    let kept = std::fs::read_dir(data.path()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name().into_string().unwrap();
        name.starts_with("secrets.") && name.contains(".old")
    });
    assert_eq!(kept.count(), 1);
    let dora = Person::sign_up(url, "dora@example.org").await;
    enrol(&dora).await;
    assert_eq!(status(data.path()).await, [("encrypts".to_owned(), 4)]);

    // A key from elsewhere decrypts nothing, and it is said.
    let elsewhere = "ab".repeat(32);
    let told = secrets(data.path(), &["status"], Some(&elsewhere)).await;
    assert!(told.code == 1 && told.out.contains("missing"), "{}{}", told.out, told.err);
    let told = secrets(data.path(), &["rotate-key"], Some(&elsewhere)).await;
    assert!(told.code == 0 && told.out.contains("nothing is changed yet"), "{}", told.out);
    assert!(!told.out.contains(&elsewhere));

    // The platform's trail tells of it, and holds no secret.
    let trail: Vec<String> = sqlx::query_scalar(
        "select action from audit.audit_logs where entity_type = 'ops.secrets_key' order by id",
    )
    .fetch_all(&mut database)
    .await
    .unwrap();
    assert_eq!(
        trail,
        [
            "secrets_key_prepare",
            "secrets_key_make",
            "secrets_key_rotate",
            "secrets_key_rotate",
            "secrets_key_forget"
        ]
    );
}

#[tokio::test]
async fn a_key_that_is_given_is_replaced_by_who_gives_it() {
    let data = data_folder();
    let (old, new) = ("11".repeat(32), "22".repeat(32));
    let serve = |keys: &str| {
        Server::start(
            ephor()
                .args(["serve", "--bind", "127.0.0.1:0", "--data"])
                .arg(data.path())
                .env("EPHOR_SECRETS_KEY", keys),
        )
    };
    let server = serve(&old);
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let secret = enrol(&ada).await;
    assert!(server.interrupt().success());

    let keys = format!("{new} old:{old}");
    let server = serve(&keys);
    let rotated = secrets(data.path(), &["rotate-key"], Some(&keys)).await;
    assert!(
        rotated.code == 0 && rotated.out.contains("Values encrypted anew: 1"),
        "{}{}",
        rotated.out,
        rotated.err
    );
    let told = secrets(data.path(), &["forget-keys", "--yes"], Some(&keys)).await;
    assert!(told.code == 2 && told.err.contains("EPHOR_SECRETS_KEY"), "{}", told.err);
    assert!(server.interrupt().success());
    assert!(!data.path().join("secrets.key").exists());

    let server = serve(&new);
    assert!(second(&half(&server.url, "ada@example.org").await, &secret).await);
}
