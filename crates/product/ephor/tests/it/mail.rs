//! Mails end to end: over HTTP, by a real SMTP server, into the database and back.

use std::path::Path;

use ephor_store::embedded::Urls;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::support::{
    Server,
    api::{Person, answered},
    data_folder, ephor,
    smtp::{Protection, Smtp, authority},
    within_async,
};

const PASSWORD: &str = "correct horse battery";

/// An Ephor that sends its mails to `smtp`, and talks of all that it does.
fn serve(data: &Path, smtp: &Smtp) -> Server {
    Server::start(
        ephor()
            .args(["serve", "--bind", "127.0.0.1:0", "--data"])
            .arg(data)
            .env("EPHOR_MAIL_URL", smtp.url())
            .env("EPHOR_MAIL_FROM", "Ephor <ephor@example.org>")
            .env("EPHOR_SERVER_PUBLIC_URL", "http://ephor.example.org")
            .env("EPHOR_LOG_FILTER", "trace"),
    )
}

async fn database(data: &Path) -> PgConnection {
    PgConnection::connect(&Urls::of_folder(data).unwrap().superuser()).await.unwrap()
}

/// Changes something behind Ephor's back: time, mostly.
async fn force(data: &Path, sql: &'static str) {
    let mut database = database(data).await;
    sqlx::query("set session_replication_role = replica").execute(&mut database).await.unwrap();
    assert!(sqlx::query(sql).execute(&mut database).await.unwrap().rows_affected() > 0, "{sql}");
}

async fn status(request: reqwest::RequestBuilder) -> StatusCode {
    request.send().await.unwrap().status()
}

/// The problem of a refusal: status and code, and what it says.
async fn refusal(request: reqwest::RequestBuilder) -> (u16, String, String) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let problem: Value = answer.json().await.unwrap();
    let word = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    (status, word("code"), word("detail"))
}

/// Neither the log nor any row holds the secret.
async fn nobody_keeps(secret: &str, server: &Server, data: &Path) {
    let secret =
        secret.splitn(4, '_').nth(3).filter(|_| secret.starts_with("invite_")).unwrap_or(secret);
    assert_eq!(secret.len(), 43, "{secret}");
    if let Some(line) = server.log().lines().find(|line| line.contains(secret)) {
        panic!("the log holds a link's secret: {line}");
    }
    let mut database = database(data).await;
    for table in [
        "ops.jobs",
        "ops.outbox",
        "audit.audit_logs",
        "identity.team_invitations",
        "identity.user_tokens",
        "graphile_worker._private_jobs",
    ] {
        let sql = format!("select count(*) from {table} as t where strpos(t::text, $1) > 0");
        let held: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(secret)
            .fetch_one(&mut database)
            .await
            .unwrap();
        assert_eq!(held, 0, "{table}");
    }
}

#[tokio::test]
async fn an_invitation_makes_somebody_new_a_member() {
    let data = data_folder();
    let smtp = Smtp::start().await;
    let server = serve(data.path(), &smtp);
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let team = answered(ada.post("/v1/teams").json(&json!({ "name": "Fairness" }))).await;

    let invited = answered(ada.post("/v1/team_invitations").json(&json!({
        "email": "Grace@Example.org", "role": "viewer", "team_id": team["id"],
    })))
    .await;
    assert_eq!((&invited["by_mail"], &invited["link"]), (&json!(true), &Value::Null), "{invited}");
    let again = json!({ "email": "grace@example.org", "role": "viewer", "team_id": team["id"] });
    let (code, ..) = refusal(ada.post("/v1/team_invitations").json(&again)).await;
    assert_eq!(code, 409);

    let mail = smtp.mail("grace@example.org", "Ada Lovelace invites you").await;
    assert_eq!(mail.from, "ephor@example.org");
    assert_eq!(mail.header("from"), "Ephor <ephor@example.org>");
    assert_eq!(mail.header("auto-submitted"), "auto-generated");
    assert!(mail.text().contains("Organization of ada@example.org"), "{}", mail.text());
    assert!(mail.text().contains("http://ephor.example.org/invitation?token=invite_"));
    let token = mail.token("invitation");
    let path = format!("/v1/team_invitations/{}", invited["id"].as_str().unwrap());
    within_async("the mail is noted", async || {
        let now = ada.json(&path).await;
        assert!(now.get("token_hash").is_none(), "{now}");
        now["mailed_at"].is_string().then_some(())
    })
    .await;

    let grace = Person::nobody(&server.url);
    let offer =
        answered(grace.post("/v1/auth/invitation-offer").json(&json!({ "token": token }))).await;
    assert_eq!(
        (&offer["email"], &offer["role_name"], &offer["team_name"], &offer["has_account"]),
        (&json!("grace@example.org"), &json!("Viewer"), &json!("Fairness"), &json!(false)),
    );
    let accept = |password: &str| {
        let body = json!({ "token": token, "password": password, "full_name": "Grace Hopper" });
        grace.post("/v1/auth/accept-invitation").json(&body)
    };
    assert_eq!(status(accept("short")).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(status(accept(PASSWORD)).await, StatusCode::NO_CONTENT);
    assert_eq!(status(accept(PASSWORD)).await, StatusCode::NOT_FOUND, "it works once");

    let me = grace.json("/v1/me").await;
    assert_eq!(me["user"]["full_name"], "Grace Hopper");
    assert!(me["user"]["email_verified_at"].is_string(), "the link proved the address: {me}");
    assert_eq!(me["organizations"][0]["role"], "viewer");
    assert_eq!(ada.json(&path).await["status"], "accepted");
    let members = ada.json("/v1/team_members").await;
    assert!(members["data"].as_array().unwrap().iter().any(|m| m["team_id"] == team["id"]));
    assert_eq!(
        status(grace.post("/v1/team_invitations").json(&again)).await,
        StatusCode::FORBIDDEN
    );

    nobody_keeps(&token, &server, data.path()).await;
    smtp.was_spoken_to_properly();
}

#[tokio::test]
async fn an_account_accepts_signed_in_and_nobody_in_its_place() {
    let data = data_folder();
    let smtp = Smtp::start().await;
    let server = serve(data.path(), &smtp);
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let bob = Person::sign_up(&server.url, "bob@example.org").await;
    let eve = Person::sign_up(&server.url, "eve@example.org").await;
    answered(
        ada.post("/v1/team_invitations")
            .json(&json!({ "email": "bob@example.org", "role": "manager" })),
    )
    .await;
    let token = smtp.mail("bob@example.org", "invites you").await.token("invitation");

    let nobody = Person::nobody(&server.url);
    let offer =
        answered(nobody.post("/v1/auth/invitation-offer").json(&json!({ "token": token }))).await;
    assert_eq!(offer["has_account"], true);
    let body =
        json!({ "token": token, "password": "another long password", "full_name": "Not Bob" });
    let (code, ..) = refusal(nobody.post("/v1/auth/accept-invitation").json(&body)).await;
    assert_eq!(code, 409);
    let oneself = json!({ "token": token });
    assert_eq!(
        status(nobody.post("/v1/me/invitations").json(&oneself)).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(status(eve.post("/v1/me/invitations").json(&oneself)).await, StatusCode::FORBIDDEN);
    // A token of another organization's name opens nothing.
    let own = eve.json("/v1/me").await["organization_id"].as_str().unwrap().replace('-', "");
    let parts: Vec<&str> = token.splitn(4, '_').collect();
    let foreign = json!({ "token": format!("invite_{own}_{}_{}", parts[2], parts[3]) });
    assert_eq!(status(bob.post("/v1/me/invitations").json(&foreign)).await, StatusCode::NOT_FOUND);

    let accepted = answered(bob.post("/v1/me/invitations").json(&oneself)).await;
    let go = json!({ "organization_id": accepted["organization_id"] });
    assert_eq!(
        status(bob.post("/v1/session/organization").json(&go)).await,
        StatusCode::NO_CONTENT
    );
    assert_eq!(bob.json("/v1/me").await["organizations"].as_array().unwrap().len(), 2);
    // A manager invites within their reach.
    let chief = json!({ "email": "chief@example.org", "role": "owner" });
    let (code, word, _) = refusal(bob.post("/v1/team_invitations").json(&chief)).await;
    assert_eq!((code, word.as_str()), (403, "forbidden"));
    let member = json!({ "email": "new@example.org", "role": "member" });
    answered(bob.post("/v1/team_invitations").json(&member)).await;
    let twice = json!({ "email": "bob@example.org", "role": "viewer" });
    assert_eq!(status(ada.post("/v1/team_invitations").json(&twice)).await, StatusCode::CONFLICT);
    smtp.was_spoken_to_properly();
}

#[tokio::test]
async fn an_invitation_is_sent_again_revoked_and_lapses() {
    let data = data_folder();
    let smtp = Smtp::start().await;
    let server = serve(data.path(), &smtp);
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let nobody = Person::nobody(&server.url);
    let invite = |email: &str| {
        ada.post("/v1/team_invitations").json(&json!({ "email": email, "role": "viewer" }))
    };
    let offered = async |token: &str| {
        status(nobody.post("/v1/auth/invitation-offer").json(&json!({ "token": token }))).await
    };

    let id = answered(invite("grace@example.org")).await["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/team_invitations/{id}");
    let first = smtp.mail("grace@example.org", "invites").await.token("invitation");
    assert_eq!(offered(&first).await, StatusCode::OK);
    answered(ada.post(&format!("{path}/resend"))).await;
    let second = smtp.mail("grace@example.org", "invites").await.token("invitation");
    assert_eq!(
        (offered(&first).await, offered(&second).await),
        (StatusCode::NOT_FOUND, StatusCode::OK)
    );

    assert_eq!(status(ada.post(&format!("{path}/revoke"))).await, StatusCode::NO_CONTENT);
    assert_eq!(offered(&second).await, StatusCode::NOT_FOUND);
    for verb in ["resend", "revoke"] {
        let (code, ..) = refusal(ada.post(&format!("{path}/{verb}"))).await;
        assert_eq!(code, 409, "{verb}");
    }

    answered(invite("grace@example.org")).await;
    let third = smtp.mail("grace@example.org", "invites").await.token("invitation");
    force(
        data.path(),
        "update identity.team_invitations set created_at = now() - interval '9 days',
             link_made_at = now() - interval '8 days', expires_at = now() - interval '1 day'
         where status = 'pending'",
    )
    .await;
    assert_eq!(offered(&third).await, StatusCode::NOT_FOUND);
    let accept = json!({ "token": third, "password": PASSWORD, "full_name": "Grace Hopper" });
    let accepted = status(nobody.post("/v1/auth/accept-invitation").json(&accept)).await;
    assert_eq!(accepted, StatusCode::NOT_FOUND);
    answered(invite("grace@example.org")).await;
    let list = ada.json("/v1/team_invitations").await;
    let mut states: Vec<&str> =
        list["data"].as_array().unwrap().iter().filter_map(|row| row["status"].as_str()).collect();
    states.sort_unstable();
    assert_eq!(states, ["expired", "pending", "revoked"]);

    // There is room for two: Ada, and the invitation that is open.
    force(data.path(), "update identity.organizations set max_users = 2").await;
    let full = |(status, code, detail): (u16, String, String), most: u32| {
        assert_eq!((status, code.as_str()), (402, "limit_reached"), "{detail}");
        let told = format!("This organization allows {most} for `members`, and {most} are used");
        assert!(detail.contains(&told), "{detail}");
    };
    full(refusal(invite("more@example.org")).await, 2);
    let add = |email: &str| {
        let person = json!({ "email": email, "full_name": "More", "role": "viewer" });
        ada.post("/v1/members").json(&person)
    };
    full(refusal(add("more@example.org")).await, 2);
    // The room is for whoever is invited; two invitations at once do not pass the limit together.
    force(data.path(), "update identity.organizations set max_users = 4").await;
    let mut asked = tokio::task::JoinSet::new();
    for number in 0..6 {
        asked.spawn(invite(&format!("p{number}@example.org")).send());
    }
    let answers = asked.join_all().await;
    let made = answers.iter().filter(|one| one.as_ref().unwrap().status().is_success()).count();
    assert_eq!(made, 2);
    force(data.path(), "update identity.organizations set max_users = 1").await;
    let fourth = smtp.mail("grace@example.org", "invites").await.token("invitation");
    let accept = json!({ "token": fourth, "password": PASSWORD, "full_name": "Grace Hopper" });
    full(refusal(nobody.post("/v1/auth/accept-invitation").json(&accept)).await, 1);
    // Whoever comes first takes what room there is, however many are invited besides.
    force(data.path(), "update identity.organizations set max_users = 2").await;
    let accepted = status(nobody.post("/v1/auth/accept-invitation").json(&accept)).await;
    assert_eq!(accepted, StatusCode::NO_CONTENT);
    smtp.was_spoken_to_properly();
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_a_link_that_works_once() {
    let data = data_folder();
    let smtp = Smtp::start().await;
    let server = serve(data.path(), &smtp);
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let nobody = Person::nobody(&server.url);
    let proof = smtp.mail("ada@example.org", "Is this your address?").await.token("verify-email");
    let forgot =
        |email: &str| nobody.post("/v1/auth/forgot-password").json(&json!({ "email": email }));
    let reset = |token: &str, password: &str| {
        let body = json!({ "token": token, "password": password });
        nobody.post("/v1/auth/reset-password").json(&body)
    };

    // Whoever made a key before the address was proven may have been anybody.
    let made = json!({ "name": "early", "permissions": ["*"] });
    let key = answered(ada.post("/v1/api-keys").json(&made)).await;
    let key = key["key"].as_str().unwrap();
    assert_eq!(status(nobody.get("/v1/models").bearer_auth(key)).await, StatusCode::OK);

    // Nobody learns from the answers who has an account.
    let known = forgot("ada@example.org").send().await.unwrap();
    let unknown = forgot("stranger@example.org").send().await.unwrap();
    assert_eq!((known.status(), unknown.status()), (StatusCode::ACCEPTED, StatusCode::ACCEPTED));
    assert_eq!(known.text().await.unwrap(), unknown.text().await.unwrap());
    let token = smtp.mail("ada@example.org", "A new password").await.token("reset-password");

    assert_eq!(status(reset(&proof, "a new long password")).await, StatusCode::NOT_FOUND);
    assert_eq!(status(reset(&token, "short")).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(status(ada.get("/v1/me")).await, StatusCode::OK);
    assert_eq!(status(reset(&token, "a new long password")).await, StatusCode::NO_CONTENT);
    assert_eq!(status(ada.get("/v1/me")).await, StatusCode::UNAUTHORIZED, "sessions have ended");
    assert_eq!(status(reset(&token, "yet another password")).await, StatusCode::NOT_FOUND);
    let closed = status(nobody.get("/v1/models").bearer_auth(key)).await;
    assert_eq!(closed, StatusCode::UNAUTHORIZED, "the key has ended");
    let told = smtp.mail("ada@example.org", "Your password was replaced").await;
    assert!(told.text().contains("All of your sessions have ended"), "{}", told.text());
    let old = json!({ "email": "ada@example.org", "password": PASSWORD });
    assert_eq!(status(nobody.post("/v1/auth/log-in").json(&old)).await, StatusCode::UNAUTHORIZED);
    let ada = Person::log_in(&server.url, "ada@example.org", "a new long password").await;
    let me = ada.json("/v1/me").await;
    assert!(me["user"]["email_verified_at"].is_string(), "the link proved the address: {me}");

    // The newest link works, for an hour.
    assert_eq!(status(forgot("ada@example.org")).await, StatusCode::ACCEPTED);
    let late = smtp.mail("ada@example.org", "A new password").await.token("reset-password");
    assert_eq!(status(forgot("ada@example.org")).await, StatusCode::ACCEPTED);
    let last = smtp.mail("ada@example.org", "A new password").await.token("reset-password");
    assert_eq!(status(reset(&late, "yet another password")).await, StatusCode::NOT_FOUND);
    force(
        data.path(),
        "update identity.user_tokens set created_at = now() - interval '2 hours',
             expires_at = now() - interval '1 hour' where used_at is null and purpose = 'reset_password'",
    )
    .await;
    assert_eq!(status(reset(&last, "yet another password")).await, StatusCode::NOT_FOUND);

    // Five mails to an address within the window, whether or not it has an account.
    for email in ["ada@example.org", "stranger@example.org"] {
        let mut answers = Vec::new();
        for _ in 0..6 {
            answers.push(status(forgot(email)).await);
        }
        assert_eq!(answers.last(), Some(&StatusCode::TOO_MANY_REQUESTS), "{email}: {answers:?}");
    }
    assert_eq!(smtp.waiting("stranger@example.org"), 0);
    nobody_keeps(&token, &server, data.path()).await;
    nobody_keeps(&last, &server, data.path()).await;
    smtp.was_spoken_to_properly();
}

#[tokio::test]
async fn an_address_is_proven_by_the_button_behind_the_link() {
    let data = data_folder();
    let smtp = Smtp::start().await;
    let server = serve(data.path(), &smtp);
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    assert!(ada.json("/v1/me").await["user"]["email_verified_at"].is_null());
    let first = smtp.mail("ada@example.org", "Is this your address?").await.token("verify-email");
    assert_eq!(status(ada.post("/v1/me/verify-email")).await, StatusCode::ACCEPTED);
    let token = smtp.mail("ada@example.org", "Is this your address?").await.token("verify-email");
    let nobody = Person::nobody(&server.url);
    let eve = Person::sign_up(&server.url, "eve@example.org").await;
    let verify = |person: &Person, token: &str| {
        person.post("/v1/auth/verify-email").json(&json!({ "token": token }))
    };
    assert_eq!(status(verify(&ada, &first)).await, StatusCode::NOT_FOUND, "the newest link works");
    // Mail programs look at links: that proves nothing.
    let show = |person: &Person| {
        person.get(&format!("/verify-email?token={token}")).header("accept", "text/html")
    };
    let text = async |request: reqwest::RequestBuilder| {
        request.send().await.unwrap().text().await.unwrap()
    };
    assert!(text(show(&ada)).await.contains("Yes, it is mine"));
    assert!(text(show(&nobody)).await.contains("Sign in to the account that you opened"));
    // Nor does the link without a log-in: whoever opened the account may be somebody else. Nor does a key.
    assert_eq!(status(verify(&nobody, &token)).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(verify(&eve, &token)).await, StatusCode::FORBIDDEN);
    let key = json!({ "name": "k", "permissions": ["models:read"] });
    let key = answered(ada.post("/v1/api-keys").json(&key)).await;
    let with_key = verify(&nobody, &token).bearer_auth(key["key"].as_str().unwrap());
    assert_eq!(status(with_key).await, StatusCode::FORBIDDEN);
    assert!(ada.json("/v1/me").await["user"]["email_verified_at"].is_null());

    // The page asks to sign in, and comes back to the button.
    let form = |fields: &[(&str, &str)]| {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
    };
    let send = async |path: &str, fields: &[(&str, &str)]| {
        let request = nobody
            .post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "text/html")
            .body(form(fields));
        let answer = request.send().await.unwrap();
        (answer.url().clone(), answer.text().await.unwrap())
    };
    let (asked, _) = send("/verify-email", &[("token", &token)]).await;
    let next = asked.query_pairs().find(|(name, _)| name == "next").unwrap().1.into_owned();
    assert_eq!(
        (asked.path(), next.as_str()),
        ("/sign-in", &*format!("/verify-email?token={token}"))
    );
    let credentials = [("email", "ada@example.org"), ("password", PASSWORD), ("next", &next)];
    let (back, page) = send("/sign-in", &credentials).await;
    assert!(back.path() == "/verify-email" && page.contains("Yes, it is mine"), "{page}");
    let csrf = nobody.json("/v1/me").await["csrf_token"].as_str().unwrap().to_owned();
    let (done, page) = send("/verify-email", &[("token", &token), ("_csrf", &csrf)]).await;
    assert!(done.path() == "/sessions" && page.contains("Your address is proven"), "{page}");
    assert_eq!(status(verify(&ada, &token)).await, StatusCode::NOT_FOUND, "it works once");
    assert!(ada.json("/v1/me").await["user"]["email_verified_at"].is_string());
    assert_eq!(status(ada.post("/v1/me/verify-email")).await, StatusCode::CONFLICT);
    nobody_keeps(&token, &server, data.path()).await;
    smtp.was_spoken_to_properly();
}

#[tokio::test]
async fn mails_wait_for_a_server_that_is_away_and_end_at_a_mailbox_that_is_not_there() {
    let data = data_folder();
    let smtp = Smtp::start().await;
    let server = serve(data.path(), &smtp);
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let address = smtp.address;
    drop(smtp);

    let invite = |email: &str| {
        ada.post("/v1/team_invitations").json(&json!({ "email": email, "role": "viewer" }))
    };
    answered(invite("grace@example.org")).await;
    let job = async |email: &str| -> (String, String) {
        sqlx::query_as(
            "select j.state, coalesce(j.error, '') from ops.jobs j
             join identity.team_invitations i on i.organization_id = j.organization_id and i.id = j.subject_id
             where i.email = $1",
        )
        .bind(email)
        .fetch_one(&mut database(data.path()).await)
        .await
        .unwrap()
    };
    within_async("the job was tried in vain", async || {
        let (state, error) = job("grace@example.org").await;
        (state == "queued" && error.contains("cannot be reached")).then_some(())
    })
    .await;

    let smtp = Smtp::at(address).await;
    let token = smtp.mail("grace@example.org", "invites").await.token("invitation");
    let offer = Person::nobody(&server.url)
        .post("/v1/auth/invitation-offer")
        .json(&json!({ "token": token }));
    assert_eq!(answered(offer).await["email"], "grace@example.org");

    // Later is another try, never is the end.
    let busy = answered(invite("busy@example.org")).await;
    smtp.mail("busy@example.org", "invites").await;
    assert_eq!(smtp.refused(), 1);
    assert!(busy["by_mail"] == true);
    answered(invite("nobody@example.org")).await;
    within_async("the job failed", async || {
        let (state, error) = job("nobody@example.org").await;
        (state == "failed" && error.contains("no such mailbox")).then_some(())
    })
    .await;
    assert_eq!(smtp.waiting("nobody@example.org"), 0);
    smtp.was_spoken_to_properly();
}

#[tokio::test]
async fn mails_go_by_tls_to_a_server_that_is_whom_it_claims_to_be() {
    for protection in [Protection::StartTls, Protection::Tls] {
        let data = data_folder();
        let smtp = Smtp::protected(protection).await;
        let trusting = |data: &Path| {
            let mut command = ephor();
            command
                .args(["serve", "--bind", "127.0.0.1:0", "--data"])
                .arg(data)
                .env("EPHOR_MAIL_URL", smtp.url())
                .env("EPHOR_MAIL_FROM", "ephor@example.org");
            command
        };
        let server = Server::start(trusting(data.path()).env("SSL_CERT_FILE", authority()));
        Person::sign_up(&server.url, "ada@example.org").await;
        smtp.mail("ada@example.org", "Is this your address?").await;
        assert!(server.interrupt().success());
        smtp.was_spoken_to_properly();

        let server = Server::start(trusting(data.path()).env_remove("SSL_CERT_FILE"));
        Person::sign_up(&server.url, "eve@example.org").await;
        within_async("the certificate is refused", async || {
            let errors: Vec<String> =
                sqlx::query_scalar("select error from ops.jobs where error is not null")
                    .fetch_all(&mut database(data.path()).await)
                    .await
                    .unwrap();
            errors.iter().any(|error| error.contains("certificate")).then_some(())
        })
        .await;
        assert_eq!(smtp.waiting("eve@example.org"), 0);
    }
}

#[tokio::test]
async fn without_mail_links_are_handed_over() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let nobody = Person::nobody(&server.url);
    let email = json!({ "email": "ada@example.org" });
    let (code, _, detail) = refusal(nobody.post("/v1/auth/forgot-password").json(&email)).await;
    assert_eq!(code, 409);
    assert!(detail.contains("Mail is not set up"), "{detail}");
    assert_eq!(status(ada.post("/v1/me/verify-email")).await, StatusCode::CONFLICT);
    let page = nobody.get("/forgot-password").header("accept", "text/html").send().await.unwrap();
    assert!(page.text().await.unwrap().contains("Mail is not set up in this Ephor"));

    let invite = json!({ "email": "grace@example.org", "role": "viewer" });
    let invited = answered(ada.post("/v1/team_invitations").json(&invite)).await;
    assert_eq!(invited["by_mail"], false);
    let first = invited["link"]["token"].as_str().unwrap().to_owned();
    let path = format!("/v1/team_invitations/{}/resend", invited["id"].as_str().unwrap());
    let again = answered(ada.post(&path)).await;
    let token = again["link"]["token"].as_str().unwrap();
    let offer =
        |token: &str| nobody.post("/v1/auth/invitation-offer").json(&json!({ "token": token }));
    assert_eq!(status(offer(&first)).await, StatusCode::NOT_FOUND);
    assert_eq!(status(offer(token)).await, StatusCode::OK);
    let body = json!({ "token": token, "password": PASSWORD, "full_name": "Grace Hopper" });
    let grace = Person::nobody(&server.url);
    assert_eq!(
        status(grace.post("/v1/auth/accept-invitation").json(&body)).await,
        StatusCode::NO_CONTENT
    );
    let me = grace.json("/v1/me").await;
    assert!(me["user"]["email_verified_at"].is_null(), "a handed link proves no address: {me}");

    let output = ephor()
        .args(["admin", "password-link", "ada@example.org", "--data"])
        .arg(data.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let link = String::from_utf8(output.stdout).unwrap();
    let token = link.trim().split("/reset-password?token=").nth(1).unwrap();
    let body = json!({ "token": token, "password": "a new long password" });
    assert_eq!(
        status(nobody.post("/v1/auth/reset-password").json(&body)).await,
        StatusCode::NO_CONTENT
    );
    Person::log_in(&server.url, "ada@example.org", "a new long password").await;
    let output = ephor()
        .args(["admin", "password-link", "ada@example.org", "--json", "--data"])
        .arg(data.path())
        .output()
        .unwrap();
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["email"], "ada@example.org");
    assert!(told["link"].as_str().unwrap().contains("/reset-password?token="), "{told}");
    let unknown = ephor()
        .args(["admin", "password-link", "nobody@example.org", "--data"])
        .arg(data.path())
        .output()
        .unwrap();
    assert!(!unknown.status.success());
}
