//! A second factor's whole life, over HTTP and by command.

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    Server,
    api::{Person, answered},
    authenticator::code,
    data_folder, ephor, within_async,
};

const PASSWORD: &str = "correct horse battery";

async fn half(url: &str, email: &str) -> (Person, Value) {
    let person = Person::nobody(url);
    let body = json!({ "email": email, "password": PASSWORD });
    let answer = person.post("/v1/auth/log-in").json(&body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.cookies().next().is_none(), "half a session is no session");
    let half: Value = answer.json().await.unwrap();
    assert_eq!(
        (half["second_factor"].as_str(), half["expires_in"].as_i64()),
        (Some("totp"), Some(300))
    );
    (person, half)
}

async fn second(person: &Person, half: &Value, code: &str) -> Response {
    let body = json!({ "token": half["token"], "code": code });
    person.post("/v1/auth/log-in/code").json(&body).send().await.unwrap()
}

/// Sets a second factor up: its secret, and the recovery codes.
pub async fn enrol(person: &Person) -> (String, Vec<String>) {
    let enrolment = answered(person.post("/v1/me/second-factor")).await;
    let secret = enrolment["secret"].as_str().unwrap().to_owned();
    let confirm = json!({ "code": code(&secret, 0) });
    let codes = answered(person.post("/v1/me/second-factor/confirm").json(&confirm)).await;
    let codes = codes["recovery_codes"].as_array().unwrap();
    (secret, codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect())
}

#[tokio::test]
async fn a_second_factor_lives_and_dies() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let url = &server.url;
    let ada = Person::sign_up(url, "ada@example.org").await;
    let elsewhere = Person::log_in(url, "ada@example.org", PASSWORD).await;

    // Set up; a wrong code puts nothing into force.
    let enrolment = answered(ada.post("/v1/me/second-factor")).await;
    let secret = enrolment["secret"].as_str().unwrap().to_owned();
    let address = enrolment["otpauth_url"].as_str().unwrap();
    assert!(address.starts_with("otpauth://totp/Ephor:") && address.contains(&secret), "{address}");
    assert!(enrolment["qr_svg"].as_str().unwrap().starts_with("<svg"));
    let confirm = async |code: &str| {
        let body = json!({ "code": code });
        ada.post("/v1/me/second-factor/confirm").json(&body).send().await.unwrap()
    };
    assert_eq!(confirm("12345").await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(ada.json("/v1/me/second-factor").await["pending"], true);
    let first = code(&secret, 0);
    let confirmed = confirm(&first).await;
    assert_eq!(confirmed.status(), StatusCode::OK);
    let recovery: Value = confirmed.json().await.unwrap();
    let recovery: Vec<&str> =
        recovery["recovery_codes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(recovery.len(), 10);
    let gone = elsewhere.get("/v1/me").send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::UNAUTHORIZED, "sessions opened without it end");
    let again = ada.post("/v1/me/second-factor").send().await.unwrap();
    assert_eq!(again.status(), StatusCode::CONFLICT);

    // The password alone opens nothing; the code that confirmed is used up; the next one opens, once.
    let (person, step) = half(url, "ada@example.org").await;
    assert_eq!(person.get("/v1/me").send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let token = step["token"].as_str().unwrap();
    let bearer = person.get("/v1/me").bearer_auth(token).send().await.unwrap();
    assert_eq!(bearer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(second(&person, &step, &first).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let next = code(&secret, 1);
    assert_eq!(second(&person, &step, &next).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(person.json("/v1/me").await["user"]["second_factor"], true);
    let (other, step) = half(url, "ada@example.org").await;
    assert_eq!(second(&other, &step, &next).await.status(), StatusCode::UNPROCESSABLE_ENTITY);

    // A recovery code opens, once.
    assert_eq!(second(&other, &step, recovery[0]).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(other.json("/v1/me/second-factor").await["recovery_codes_left"], 9);
    let (third, step) = half(url, "ada@example.org").await;
    assert_eq!(second(&third, &step, recovery[0]).await.status(), StatusCode::UNPROCESSABLE_ENTITY);

    // The command line asks for the code too.
    let file = data.path().join("credentials.json");
    let log_in = async |code: Option<&str>| {
        let mut command = ephor();
        command.env("EPHOR_CREDENTIALS", &file);
        command.args(["login", url, "--email", "ada@example.org", "--password-stdin"]);
        command.args(code.map(|code| ["--code", code]).into_iter().flatten());
        let mut command = assert_cmd::Command::from_std(command);
        command.write_stdin(format!("{PASSWORD}\n"));
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    };
    let told = log_in(None).await;
    assert_eq!(told.status.code(), Some(2));
    assert!(String::from_utf8(told.stderr).unwrap().contains("--code"));
    let told = log_in(Some(recovery[1])).await;
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));

    // Guessing ends soon, also with the right code.
    let (guesser, step) = half(url, "ada@example.org").await;
    let mut last = StatusCode::OK;
    for _ in 0..10 {
        last = second(&guesser, &step, "000000").await.status();
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    let right = second(&guesser, &step, recovery[2]).await;
    assert_eq!(right.status(), StatusCode::TOO_MANY_REQUESTS);
    let forged = json!({ "token": "forged" });
    let forged = second(&guesser, &forged, recovery[2]).await;
    assert_eq!(forged.status(), StatusCode::UNAUTHORIZED);

    let log = server.log();
    for secret in [secret.as_str(), recovery[0], token] {
        assert!(!log.contains(secret), "the log holds «{secret}»");
    }
}

#[tokio::test]
async fn an_organization_may_require_one() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let key = json!({ "name": "k", "permissions": ["models:read"] });
    let key = answered(ada.post("/v1/api-keys").json(&key)).await;
    let key = key["key"].as_str().unwrap();
    let by_key = async || {
        let person = Person::nobody(&server.url);
        person.get("/v1/models").bearer_auth(key).send().await.unwrap().status()
    };
    assert_eq!(by_key().await, StatusCode::OK);

    let id = ada.json("/v1/me").await["organization_id"].as_str().unwrap().to_owned();
    let require = ada
        .client
        .patch(format!("{}/v1/organizations/{id}", server.url))
        .header("if-match", "*")
        .json(&json!({ "require_second_factor": true }))
        .send()
        .await
        .unwrap();
    assert!(require.status().is_success(), "{}", require.text().await.unwrap());
    assert_eq!(ada.get("/v1/models").send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(by_key().await, StatusCode::FORBIDDEN, "keys can't do more than their owner");
    assert_eq!(ada.json("/v1/me").await["user"]["second_factor_due"], true);

    let (secret, recovery) = enrol(&ada).await;
    assert_eq!(ada.get("/v1/models").send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(by_key().await, StatusCode::OK);

    // New recovery codes replace the old ones; a code or the password turns it off.
    let body = json!({ "code": code(&secret, 1) });
    answered(ada.post("/v1/me/second-factor/recovery-codes").json(&body)).await;
    let off = async |body: Value| {
        ada.post("/v1/me/second-factor/off").json(&body).send().await.unwrap().status()
    };
    assert_eq!(off(json!({ "code": recovery[0] })).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(off(json!({ "password": "wrong horse battery" })).await, StatusCode::UNAUTHORIZED);
    assert_eq!(off(json!({})).await, StatusCode::UNAUTHORIZED);
    assert_eq!(off(json!({ "password": PASSWORD })).await, StatusCode::NO_CONTENT);
    assert_eq!(ada.get("/v1/models").send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn who_runs_the_installation_takes_a_lost_one_away() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let url = &server.url;
    let ada = Person::sign_up(url, "ada@example.org").await;
    let run = async |more: &[&str]| {
        let mut command = ephor();
        command.args(["admin", "user", "remove-second-factor", "ada@example.org"]);
        command.args(more).arg("--data").arg(data.path()).stdin(std::process::Stdio::null());
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    };
    let none = run(&["--yes"]).await;
    assert_eq!(none.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&none.stderr).contains("no second factor"), "{none:?}");
    assert_eq!(ada.json("/v1/me").await["user"]["second_factor"], false);

    enrol(&ada).await;
    half(url, "ada@example.org").await;
    let unasked = run(&[]).await;
    assert_eq!(unasked.status.code(), Some(2), "{unasked:?}");
    half(url, "ada@example.org").await;
    let told = run(&["--yes", "--json", "--reason", "lost her phone"]).await;
    assert!(told.status.success(), "{told:?}");
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!((&told["removed"], &told["ended"]), (&json!(true), &json!(1)));
    assert_eq!(ada.get("/v1/me").send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let again = Person::log_in(url, "ada@example.org", PASSWORD).await;
    assert_eq!(again.json("/v1/me").await["user"]["second_factor"], false);
    enrol(&again).await;

    let mut tries = 0;
    within_async("the platform's trail tells of it", async || {
        tries += 1;
        let file = data.path().join(format!("platform-{tries}.ephor-audit"));
        let mut command = ephor();
        command.args(["audit", "export", "00000000-0000-7000-8000-000000000000", "--out"]);
        command.arg(&file).arg("--data").arg(data.path());
        let told = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(told.status.success(), "{told:?}");
        let trail = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        trail.contains("user_second_factor_remove").then_some(())
    })
    .await;
}

/// What stands between two texts of a page.
fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    let rest = page.split(before).nth(1).unwrap_or_else(|| panic!("no `{before}` in {page}"));
    rest.split(after).next().unwrap()
}

#[tokio::test]
async fn the_pages_lead_through_it() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let csrf = ada.json("/v1/me").await["csrf_token"].as_str().unwrap().to_owned();
    let send = async |person: &Person, path: &str, fields: &[(&str, &str)]| {
        let form =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = person.post(path).header("accept", "text/html");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(form).send().await.unwrap();
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("default-src 'self'"), "{policy}");
        (answer.status(), answer.text().await.unwrap())
    };
    let page = ada.get("/security").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Set up a second factor"), "{page}");
    let (_, page) = send(&ada, "/security/second-factor", &[("_csrf", &csrf)]).await;
    assert!(page.contains("<svg xmlns") && !page.contains("style="), "{page}");
    let secret = between(&page, "readonly value=\"", "\"");
    let confirm = "/security/second-factor/confirm";
    let (status, page) = send(&ada, confirm, &[("_csrf", &csrf), ("code", "000")]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("field-code-fault-0"), "{page}");
    let (_, page) = send(&ada, confirm, &[("_csrf", &csrf), ("code", &code(secret, 0))]).await;
    let recovery = between(&page, "<li><code>", "</code>");

    let new = Person::nobody(&server.url);
    let fields = [("email", "ada@example.org"), ("password", PASSWORD), ("next", "/models")];
    let (status, page) = send(&new, "/sign-in", &fields).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(new.get("/v1/me").send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let token = between(&page, "name=\"token\" value=\"", "\"");
    let step = |code| [("token", token), ("code", code), ("next", "/models")];
    let (status, page) = send(&new, "/sign-in/code", &step("000000")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("One more step"), "{page}");
    let (_, page) = send(&new, "/sign-in/code", &step(recovery)).await;
    assert!(page.contains("Models"), "{page}");
    let page = new.get("/security").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("second factor on") && page.contains('9'), "{page}");
    let forged = [("token", "forged"), ("code", "1")];
    let (_, page) = send(&Person::nobody(&server.url), "/sign-in/code", &forged).await;
    assert!(page.contains("log in from the beginning"), "{page}");
}
