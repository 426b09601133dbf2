//! The log of a full run, as talkative as can be, holds no secret.

use std::{path::Path, time::Duration};

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Server,
    api::{Person, answered},
    data_folder, ephor, within,
};

/// Every word of 48 hexadecimal digits in the data folder's small files: the database's passwords.
fn database_passwords(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && !entry.path().join("PG_VERSION").exists() {
            database_passwords(&entry.path(), found);
        } else if kind.is_file() && entry.metadata().is_ok_and(|meta| meta.len() < 4096) {
            let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
            found.extend(
                text.split(|c: char| !c.is_ascii_hexdigit())
                    .filter(|word| word.len() == 48)
                    .map(str::to_owned),
            );
        }
    }
}

#[tokio::test]
async fn a_trace_of_everything_holds_no_secret() {
    let data = data_folder();
    let server = Server::start(
        ephor()
            .args(["serve", "--bind", "127.0.0.1:0", "--data"])
            .arg(data.path())
            .env("EPHOR_LOG_FILTER", "trace"),
    );
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let mut secrets: Vec<String> =
        ["correct horse battery", "wrong horse battery", "argon2id$", "eph_not-a-key-of-anybody"]
            .map(str::to_owned)
            .into();

    let nobody = Person::nobody(&server.url);
    for password in ["wrong horse battery", "correct horse battery"] {
        let body = json!({ "email": "ada@example.org", "password": password });
        let answer = nobody.post("/v1/auth/log-in").json(&body).send().await.unwrap();
        assert_eq!(answer.status().is_success(), password.starts_with("correct"));
        secrets.extend(answer.cookies().map(|cookie| cookie.value().to_owned()));
    }
    assert!(secrets.len() > 4, "logging in set no cookie");

    let page = ada.get("/").header("accept", "text/html").send().await.unwrap();
    let page = page.text().await.unwrap();
    let token =
        page.split("name=\"_csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    secrets.push(token.expect("the first page holds a form").to_owned());

    let key: Value = answered(
        ada.post("/v1/api-keys").json(&json!({ "name": "k", "permissions": ["models:read"] })),
    )
    .await;
    let key = key["key"].as_str().unwrap().to_owned();
    for (key, status) in
        [(key.as_str(), StatusCode::OK), ("eph_not-a-key-of-anybody", StatusCode::UNAUTHORIZED)]
    {
        let answer =
            Person::nobody(&server.url).get("/v1/models").bearer_auth(key).send().await.unwrap();
        assert_eq!(answer.status(), status);
    }
    secrets.push(key);

    ada.upload("small", b"y,p,sex\n1,1,f\n0,1,m\n".to_vec()).await;
    assert_eq!(ada.get("/v1/nothing").send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let broken = ada.post("/v1/bias_analyses").body("{").send().await.unwrap();
    assert!(broken.status().is_client_error(), "{}", broken.status());

    let known = secrets.len();
    database_passwords(data.path(), &mut secrets);
    assert!(secrets.len() > known, "the database's passwords were not found");

    // The last line is read by another thread.
    within(Duration::from_secs(10), "the log tells of the upload", || {
        server.log().contains("/v1/bias_analyses").then_some(())
    });
    let log = server.log();
    assert!(log.contains("TRACE"), "it is not as talkative as it was asked to be");
    for (place, secret) in secrets.iter().enumerate() {
        assert!(secret.len() >= 8, "secret {place} is too short to be looked for: «{secret}»");
        if let Some(line) = log.lines().find(|line| line.contains(secret.as_str())) {
            panic!("secret {place} is in the log: {line}");
        }
    }
}
