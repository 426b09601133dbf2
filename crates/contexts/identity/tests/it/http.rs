//! The API as browsers and programs meet it: cookies, forms, other sites, hostile input.

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use ephor_identity::IdentityConfig;
use serde_json::json;

use crate::support::{PASSWORD, cheap, send, world, world_with};

fn log_in_request(email: &str) -> Request<Body> {
    Request::post("/v1/auth/log-in")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(json!({ "email": email, "password": PASSWORD }).to_string()))
        .unwrap()
}

#[tokio::test]
async fn log_in_sets_a_cookie_that_scripts_and_other_sites_do_not_get() {
    for secure in [false, true] {
        let world = world_with(IdentityConfig { secure_cookies: secure, ..cheap() }).await;
        let input = json!({
            "email": "ada@example.org", "password": PASSWORD, "full_name": "Ada",
            "organization_name": "Acme", "consent": true,
        });
        let request = Request::post("/v1/auth/sign-up")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(input.to_string()))
            .unwrap();
        let answer = send(&world.router(), request).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        for answer in [answer, send(&world.router(), log_in_request("ada@example.org")).await] {
            let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
            for part in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=1209600"] {
                assert!(cookie.contains(part), "{cookie}");
            }
            assert_eq!(cookie.contains("; Secure"), secure);
            assert_eq!(cookie.starts_with("__Host-"), secure);
            assert!(!cookie.contains("Domain"));
            assert_eq!(answer.headers["cache-control"], "no-store");
            assert!(
                !answer.body.to_string().contains(&cookie[20..50]),
                "the body tells the secret"
            );
        }
    }
}

#[tokio::test]
async fn refusals_are_problems_and_tell_when_to_come_back() {
    let world = world_with(IdentityConfig { log_ins_per_account: 1, ..cheap() }).await;
    let first = send(&world.router(), log_in_request("eve@example.org")).await;
    assert_eq!((first.status.as_u16(), first.code()), (401, "wrong_credentials"));
    assert_eq!(first.headers[header::CONTENT_TYPE], "application/problem+json");
    let second = send(&world.router(), log_in_request("eve@example.org")).await;
    assert_eq!((second.status.as_u16(), second.code()), (429, "rate_limited"));
    let wait: u64 = second.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=900).contains(&wait));
}

#[tokio::test]
async fn requests_of_other_sites_change_nothing() {
    let world = world().await;
    let (_, _, browser) = world.owner("ada@example.org", "Acme").await;
    let request = |site: Option<&str>, origin: Option<&str>| {
        let mut request = Request::post("/v1/auth/log-out")
            .header(header::HOST, "ephor.test")
            .header(header::COOKIE, &browser.cookie)
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        request.body(Body::from("{}")).unwrap()
    };
    for (site, origin) in [
        (Some("cross-site"), None),
        (Some("same-site"), None),
        (None, Some("https://evil.test")),
        (None, Some("null")),
    ] {
        let answer = send(&world.router(), request(site, origin)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (403, "cross_site"),
            "{site:?} {origin:?}"
        );
    }
    assert_eq!(browser.get("/v1/me").await.status, 200);
    let own = send(&world.router(), request(None, Some("http://ephor.test"))).await;
    assert_eq!(own.status, 204, "{own:?}");
    let mut cross = log_in_request("ada@example.org");
    cross.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
    assert_eq!(
        send(&world.router(), cross).await.status,
        403,
        "nobody is logged in from elsewhere"
    );
}

#[tokio::test]
async fn forms_of_a_session_need_its_token() {
    let world = world().await;
    let (_, scope, ada) = world.owner("ada@example.org", "Acme").await;
    let (_, bob) = world.join(&scope, "bob@example.org", "member").await;
    let token = ada.get("/v1/me").await.body["csrf_token"].as_str().unwrap().to_owned();
    let others = bob.get("/v1/me").await.body["csrf_token"].as_str().unwrap().to_owned();
    let form = |kind: &str, header: Option<&str>, body: String| {
        let mut request = Request::post("/form")
            .header(header::COOKIE, &ada.cookie)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, kind);
        if let Some(token) = header {
            request = request.header("x-csrf-token", token);
        }
        request.body(Body::from(body)).unwrap()
    };
    let urlencoded = "application/x-www-form-urlencoded";
    // A page of the console: what it gets is what was sent.
    let router = axum::Router::new()
        .route("/form", axum::routing::post(|body: String| async move { body }))
        .layer(axum::middleware::from_fn_with_state(
            world.identity.clone(),
            ephor_identity::authenticate,
        ));
    let good = form(urlencoded, None, format!("name=x&_csrf={token}&more=y"));
    let answer = send(&router, good).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body.as_str(), Some(format!("name=x&_csrf={token}&more=y").as_str()));
    let header = form("multipart/form-data; boundary=x", Some(&token), "--x--".into());
    assert_eq!(send(&router, header).await.status, 200);
    for (kind, header, body) in [
        (urlencoded, None, "name=x".to_owned()),
        (urlencoded, None, format!("_csrf={others}")),
        (urlencoded, None, "_csrf=".to_owned()),
        (urlencoded, Some(others.as_str()), format!("_csrf={token}")),
        ("multipart/form-data; boundary=x", None, format!("_csrf={token}")),
        ("text/plain", None, format!("_csrf={token}")),
    ] {
        let answer = send(&router, form(kind, header, body.clone())).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (403, "cross_site"), "{kind} {body}");
    }
    let huge = form(urlencoded, None, format!("_csrf={token}&x={}", "y".repeat(2_000_000)));
    assert_eq!(send(&router, huge).await.status, 413);
}

#[tokio::test]
async fn hostile_bodies_are_refused_with_what_is_wrong() {
    let world = world().await;
    let (_, _, browser) = world.owner("ada@example.org", "Acme").await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let nul = json!({ "name": "a\u{0}b", "permissions": ["models:read"] }).to_string();
    for (path, body) in [
        ("/v1/auth/log-in", "{"),
        ("/v1/auth/log-in", "[]"),
        ("/v1/auth/log-in", r#"{"email": 1, "password": "x"}"#),
        ("/v1/auth/log-in", r#"{"email": "a@b", "password": "x", "admin": true}"#),
        ("/v1/auth/sign-up", "null"),
        ("/v1/auth/join", r#"{"token": "join_x", "password": "x"}"#),
        ("/v1/api-keys", nul.as_str()),
        ("/v1/api-keys", deep.as_str()),
        (
            "/v1/members",
            r#"{"email": "'; drop table identity.users; --", "full_name": "x", "role": "x"}"#,
        ),
        ("/v1/session/organization", r#"{"organization_id": "../../etc/passwd"}"#),
        ("/v1/roles", r#"{"name": "<script>", "permissions": ["models:read; --"]}"#),
    ] {
        let request = Request::post(path)
            .header(header::COOKIE, &browser.cookie)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap();
        let answer = send(&world.router(), request).await;
        assert!(answer.status.is_client_error(), "{path} {body:.60}: {answer:?}");
        assert!(!answer.code().is_empty(), "{path} {body:.60}: {answer:?}");
    }
    let big = "x".repeat(3 * 1024 * 1024);
    let request = Request::post("/v1/auth/log-in")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(json!({ "email": "a@b.c", "password": big }).to_string()))
        .unwrap();
    assert_eq!(send(&world.router(), request).await.status, 413);
    for path in ["/v1/members/x", "/v1/sessions/..%2f", "/v1/roles/0", "/v1/api-keys/%00"] {
        let answer = browser.send(Method::DELETE, path, None).await;
        assert!(answer.status.is_client_error(), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn the_catalogue_of_permissions_is_there_for_role_editors() {
    let world = world().await;
    let (_, _, browser) = world.owner("ada@example.org", "Acme").await;
    let answer = browser.get("/v1/permissions").await;
    let resources = answer.body["resources"].as_array().unwrap();
    assert!(resources.iter().any(|entry| entry["resource"] == "models"), "{answer:?}");
    assert_eq!(answer.body["builtin_roles"].as_array().map(Vec::len), Some(6));
}
