//! Log-in by an OpenID Connect provider, and its tokens as bearer tokens, over real HTTP.

use reqwest::{StatusCode, redirect::Policy};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    Server,
    api::{Person, answered},
    authenticator, data_folder, ephor,
    oidc::{CLIENT, Key, Person as Known, Provider, SECRET},
};

const PASSWORD: &str = "correct horse battery";

/// A server whose people come from two providers: `acme`, whose people become members of Ada's
/// organization, and `strict`, which makes nobody.
struct World {
    server: Server,
    acme: Provider,
    strict: Provider,
    ada: Person,
    _data: TempDir,
}

async fn world() -> World {
    let (acme, strict) = (Provider::start(Key::rsa()).await, Provider::start(Key::ec()).await);
    let data = data_folder();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let file = data.path().join("ephor.toml");
    let config = format!(
        r#"
        [server]
        public_url = "http://127.0.0.1:{port}"
        [[oidc]]
        name = "acme"
        label = "Acme ID"
        issuer = "{}"
        client_id = "{CLIENT}"
        audiences = ["ephor-api"]
        organization = "organization-of-ada-example-org"
        organization_claim = "org.slug"
        role = "viewer"
        allowed_domains = ["example.org"]
        [[oidc]]
        name = "strict"
        issuer = "{}"
        client_id = "{CLIENT}"
        client_secret = {SECRET:?}
        allowed_domains = ["*"]
        "#,
        acme.url(),
        strict.url(),
    );
    std::fs::write(&file, config).unwrap();
    let server = Server::start(
        ephor()
            .args(["serve", "--bind", &format!("127.0.0.1:{port}"), "--config"])
            .arg(&file)
            .arg("--data")
            .arg(data.path())
            .env("EPHOR_OIDC_ACME_CLIENT_SECRET", SECRET),
    );
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    World { server, acme, strict, ada, _data: data }
}

/// A browser that goes where it is sent one step at a time.
struct Browser {
    client: reqwest::Client,
    url: String,
}

struct Page {
    status: StatusCode,
    location: String,
    body: String,
}

impl Browser {
    fn new(world: &World) -> Self {
        let client =
            reqwest::Client::builder().cookie_store(true).redirect(Policy::none()).build().unwrap();
        Self { client, url: world.server.url.clone() }
    }

    async fn get(&self, address: &str) -> Page {
        let address = if address.starts_with('/') {
            format!("{}{address}", self.url)
        } else {
            address.to_owned()
        };
        let answer = self.client.get(address).header("accept", "text/html").send().await.unwrap();
        let location = answer.headers().get("location").map(|it| it.to_str().unwrap().to_owned());
        Page {
            status: answer.status(),
            location: location.unwrap_or_default(),
            body: answer.text().await.unwrap(),
        }
    }

    /// To the provider and back: the address with which the browser comes back.
    async fn away(&self, provider: &str) -> String {
        let there = self.get(&format!("/sign-in/with/{provider}?next=/models")).await;
        assert_eq!(there.status, StatusCode::SEE_OTHER, "{}", there.body);
        let back = self.get(&there.location).await;
        assert!(back.location.starts_with(&self.url), "{} {}", back.status, back.body);
        back.location
    }

    async fn sign_in(&self, provider: &str) -> Page {
        let back = self.away(provider).await;
        self.get(&back).await
    }

    async fn me(&self) -> Value {
        answered(self.client.get(format!("{}/v1/me", self.url))).await
    }

    async fn signed_in(&self) -> bool {
        let answer = self.client.get(format!("{}/v1/me", self.url)).send().await.unwrap();
        answer.status() == StatusCode::OK
    }
}

#[tokio::test]
async fn a_provider_lets_its_people_in() {
    let world = world().await;
    let door = Browser::new(&world).get("/sign-in").await;
    assert!(door.body.contains("Sign in with Acme ID"), "{}", door.body);
    let offers = answered(Person::nobody(&world.server.url).get("/v1/auth/providers")).await;
    assert_eq!(offers["data"][1]["path"], "/sign-in/with/strict");

    // The first log-in makes an account and a member; the second finds them, whatever the address is by then.
    world.acme.knows(Known::new("bob", "Bob@example.org"));
    let bob = Browser::new(&world);
    let inside = bob.sign_in("acme").await;
    assert_eq!((inside.status, inside.location.as_str()), (StatusCode::SEE_OTHER, "/models"));
    let me = bob.me().await;
    assert_eq!(me["user"]["email"], "bob@example.org");
    assert_eq!(me["user"]["full_name"], "Name of bob");
    assert_eq!(
        (me["organizations"][0]["role"].as_str(), me["organizations"].as_array().unwrap().len()),
        (Some("viewer"), 1)
    );
    world.acme.knows(Known::new("bob", "robert@example.org"));
    let again = Browser::new(&world);
    again.sign_in("acme").await;
    assert_eq!(again.me().await["user"]["id"], me["user"]["id"]);
    assert_eq!(again.me().await["user"]["email"], "bob@example.org");
    let linked = answered(again.client.get(format!("{}/v1/me/identities", again.url))).await;
    assert_eq!(
        (linked["data"][0]["provider"].as_str(), linked["data"][0]["email"].as_str()),
        (Some("acme"), Some("robert@example.org"))
    );

    // Nobody takes his account by signing up with its address, and it is his only way in.
    let thief = Person::nobody(&world.server.url);
    let body = json!({ "email": "bob@example.org", "password": PASSWORD, "full_name": "B", "organization_name": "B" });
    let taken = thief.post("/v1/auth/sign-up").json(&body).send().await.unwrap();
    assert_eq!(taken.status(), StatusCode::CONFLICT);
    let id = linked["data"][0]["id"].as_str().unwrap();
    let unlink = again.client.delete(format!("{}/v1/me/identities/{id}", again.url));
    assert_eq!(unlink.send().await.unwrap().status(), StatusCode::CONFLICT);

    // An address that userinfo alone tells will do.
    world.acme.knows(Known { by_userinfo: true, ..Known::new("carol", "carol@example.org") });
    let carol = Browser::new(&world);
    assert_eq!(carol.sign_in("acme").await.location, "/models");

    // Whoever is suspended stays out, and comes back only when somebody lets them.
    let members = world.ada.json("/v1/members?email=eq.bob@example.org").await;
    let path =
        format!("{}/v1/members/{}", world.server.url, members["data"][0]["id"].as_str().unwrap());
    let suspend =
        world.ada.client.patch(path).header("if-match", "*").json(&json!({ "is_active": false }));
    assert!(suspend.send().await.unwrap().status().is_success());
    assert!(!bob.signed_in().await);
    world.acme.knows(Known::new("bob", "bob@example.org"));
    let refused = Browser::new(&world).sign_in("acme").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);

    // A second factor is asked for here too.
    world.acme.knows(Known::new("carol", "carol@example.org"));
    let person = Person::with(carol.client.clone(), &world.server.url);
    let enrolment = answered(person.post("/v1/me/second-factor")).await;
    let secret = enrolment["secret"].as_str().unwrap();
    let confirm = json!({ "code": authenticator::code(secret, 0) });
    answered(person.post("/v1/me/second-factor/confirm").json(&confirm)).await;
    let second = Browser::new(&world);
    let step = second.sign_in("acme").await;
    assert!(step.body.contains("/sign-in/code") && !second.signed_in().await, "{}", step.body);
    let token =
        step.body.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = [("token", token), ("code", &authenticator::code(secret, 1)), ("next", "/models")];
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let inside = second
        .client
        .post(format!("{}/sign-in/code", second.url))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (inside.status(), inside.headers()["location"].to_str().unwrap()),
        (StatusCode::SEE_OTHER, "/models")
    );
    assert!(second.signed_in().await);
}

#[tokio::test]
async fn what_is_not_good_opens_nothing() {
    let world = world().await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let refused = async |person: Known, provider: &str, status: StatusCode| {
        let known = if provider == "acme" { &world.acme } else { &world.strict };
        let what = format!("{provider} {} {}", person.claims, person.lies);
        known.knows(person);
        let browser = Browser::new(&world);
        let page = browser.sign_in(provider).await;
        assert_eq!(page.status, status, "{what}: {}", page.body);
        assert!(!browser.signed_in().await, "{what}");
    };
    let unauthenticated = StatusCode::UNAUTHORIZED;
    for lies in [
        json!({ "nonce": "another" }),
        json!({ "nonce": null }),
        json!({ "iss": "https://evil.example.org" }),
        json!({ "aud": "another" }),
        json!({ "aud": ["ephor", "another"] }),
        json!({ "azp": "another" }),
        json!({ "exp": now - 120 }),
        json!({ "exp": null }),
        json!({ "nbf": now + 600 }),
        json!({ "sub": "" }),
    ] {
        refused(Known::lying("mallory", lies), "acme", unauthenticated).await;
    }
    for alg in ["none", "HS256"] {
        refused(Known { alg, ..Known::lying("mallory", json!({})) }, "acme", unauthenticated).await;
    }

    // By policy: an address that is not verified, or of another domain; nobody is made by the strict one; and
    // an account with a password is nobody else's, whatever a provider says.
    let forbidden = StatusCode::FORBIDDEN;
    refused(Known::lying("eve", json!({ "email_verified": false })), "acme", forbidden).await;
    refused(Known::lying("eve", json!({ "email_verified": null })), "acme", forbidden).await;
    refused(Known::new("eve", "eve@evil-example.org"), "acme", forbidden).await;
    refused(Known::new("eve", "eve@example.org"), "strict", forbidden).await;
    refused(Known::new("eve", "ada@example.org"), "acme", StatusCode::CONFLICT).await;
    refused(Known::new("eve", "ada@example.org"), "strict", StatusCode::CONFLICT).await;

    // An answer counts in the browser that asked, with its own state, and once.
    world.acme.knows(Known::new("bob", "bob@example.org"));
    let (bob, victim) = (Browser::new(&world), Browser::new(&world));
    let back = bob.away("acme").await;
    assert_eq!(victim.get(&back).await.status, forbidden, "without a departure");
    victim.away("acme").await;
    assert_eq!(victim.get(&back).await.status, forbidden, "with another state");
    assert!(!victim.signed_in().await);
    let to_strict = back.replace("/acme/", "/strict/");
    assert_eq!(Browser::new(&world).get(&to_strict).await.status, forbidden);
    let elsewhere = format!("{back}&iss=https%3A%2F%2Fevil.example.org");
    let bob2 = Browser::new(&world);
    let own = bob2.away("acme").await;
    assert_eq!(
        bob2.get(&format!("{own}&iss=https%3A%2F%2Fevil.example.org")).await.status,
        forbidden,
        "{elsewhere}"
    );
    assert_eq!(bob.get(&back).await.location, "/models");
    assert_eq!(Browser::new(&world).get(&back).await.status, forbidden, "a second time");
    let no_way = Browser::new(&world).get("/sign-in/with/nobody").await;
    assert_eq!(no_way.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn somebody_signed_in_links_an_account_elsewhere() {
    let world = world().await;
    world.strict.knows(Known::new("ada-there", "elsewhere@example.com"));
    let ada = Browser {
        client: reqwest::Client::builder()
            .cookie_store(true)
            .redirect(Policy::none())
            .build()
            .unwrap(),
        url: world.server.url.clone(),
    };
    let body = json!({ "email": "ada@example.org", "password": PASSWORD });
    ada.client.post(format!("{}/v1/auth/log-in", ada.url)).json(&body).send().await.unwrap();
    let link = async |csrf: &str| {
        ada.client
            .post(format!("{}/security/link/strict", ada.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("_csrf={csrf}"))
            .send()
            .await
            .unwrap()
    };
    assert_eq!(link("forged").await.status(), StatusCode::FORBIDDEN);
    let csrf = ada.me().await["csrf_token"].as_str().unwrap().to_owned();
    let page = link(&csrf).await.text().await.unwrap();
    let there = page.split(&format!("href=\"{}", world.strict.url())).nth(1).unwrap();
    let there = there.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    let back = ada.get(&format!("{}{there}", world.strict.url())).await.location;
    let other = Browser::new(&world);
    assert_eq!(other.get(&back).await.status, StatusCode::FORBIDDEN, "not in another browser");
    assert!(ada.get(&back).await.location.starts_with("/security"));

    let fresh = Browser::new(&world);
    assert_eq!(fresh.sign_in("strict").await.location, "/models");
    assert_eq!(fresh.me().await["user"]["email"], "ada@example.org");
    let linked = ada.get("/security").await;
    assert!(linked.body.contains("elsewhere@example.com"), "{}", linked.body);
    let id = answered(ada.client.get(format!("{}/v1/me/identities", ada.url))).await;
    let id = id["data"][0]["id"].as_str().unwrap();
    let unlink = ada.client.delete(format!("{}/v1/me/identities/{id}", ada.url));
    assert_eq!(unlink.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(Browser::new(&world).sign_in("strict").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_providers_token_is_a_bearer_token() {
    let world = world().await;
    let api = json!({ "aud": "ephor-api" });
    let call = async |token: &str, path: &str| {
        let nobody = Person::nobody(&world.server.url);
        nobody.get(path).bearer_auth(token).send().await.unwrap().status()
    };
    let (ok, no) = (StatusCode::OK, StatusCode::UNAUTHORIZED);

    // First use makes a member by policy, with the policy's role.
    world.acme.knows(Known::new("bob", "bob@example.org"));
    let bob = world.acme.token(&api);
    assert_eq!(call(&bob, "/v1/models").await, ok);
    assert_eq!(call(&bob, "/v1/me").await, ok);
    let create = Person::nobody(&world.server.url).post("/v1/models").bearer_auth(&bob);
    let create = create.json(&json!({ "name": "m", "model_type": "regression" }));
    assert_eq!(create.send().await.unwrap().status(), StatusCode::FORBIDDEN, "a viewer");

    // What is not good is refused.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    for over in [
        json!({}),
        json!({ "aud": "ephor-api", "exp": now - 120 }),
        json!({ "aud": "ephor-api", "nbf": now + 600 }),
        json!({ "aud": "ephor-api", "iss": "https://evil.example.org" }),
        json!({ "aud": "ephor-api", "iss": world.strict.url() }),
    ] {
        assert_eq!(call(&world.acme.token(&over), "/v1/models").await, no, "{over}");
    }
    for alg in ["none", "HS256"] {
        world.acme.knows(Known { alg, ..Known::new("bob", "bob@example.org") });
        assert_eq!(call(&world.acme.token(&api), "/v1/models").await, no, "{alg}");
    }
    let (head, signature) = bob.rsplit_once('.').unwrap();
    assert_eq!(
        call(&format!("{head}.{}", signature.chars().rev().collect::<String>()), "/v1/me").await,
        no
    );
    assert_eq!(call("a.b.c", "/v1/me").await, no);
    world.strict.knows(Known::new("bob", "bob@example.org"));
    assert_eq!(call(&world.strict.token(&api), "/v1/me").await, no, "it has no audiences");
    world.acme.knows(Known::lying("eve", json!({ "email_verified": false })));
    assert_eq!(call(&world.acme.token(&api), "/v1/me").await, no);

    // Another organization is not reached by naming it, one's own is.
    let eve = Person::sign_up(&world.server.url, "eve@example.com").await;
    let foreign = eve.json("/v1/me").await["organizations"][0]["slug"].as_str().unwrap().to_owned();
    world.acme.knows(Known::new("bob", "bob@example.org"));
    let there = world.acme.token(&json!({ "aud": "ephor-api", "org": { "slug": foreign } }));
    assert_eq!(call(&there, "/v1/models").await, no);
    let own = json!({ "aud": "ephor-api", "org": { "slug": "organization-of-ada-example-org" } });
    assert_eq!(call(&world.acme.token(&own), "/v1/models").await, ok);

    // A new key is fetched once its name is met, and the old one is done with; but not each time that
    // somebody makes up a name.
    let before = world.acme.keys_read();
    world.acme.rotate("second", Key::ed());
    let fresh = world.acme.token(&api);
    assert_eq!(call(&fresh, "/v1/models").await, ok);
    assert_eq!(world.acme.keys_read(), before + 1);
    assert_eq!(call(&bob, "/v1/models").await, no);
    world.acme.rotate("third", Key::ec());
    for _ in 0..3 {
        assert_eq!(call(&world.acme.token(&api), "/v1/models").await, no);
    }
    assert_eq!(world.acme.keys_read(), before + 1);

    // Suspended and removed members are refused at once, and not let in again by first use.
    let members = world.ada.json("/v1/members?email=eq.bob@example.org").await;
    let member = members["data"][0]["id"].as_str().unwrap();
    let path = format!("{}/v1/members/{member}", world.server.url);
    let active = async |active: bool| {
        let change = world.ada.client.patch(&path).header("if-match", "*");
        let change = change.json(&json!({ "is_active": active })).send().await.unwrap();
        assert!(change.status().is_success());
    };
    active(false).await;
    assert_eq!(call(&fresh, "/v1/models").await, no);
    active(true).await;
    assert_eq!(call(&fresh, "/v1/models").await, ok);
    assert!(world.ada.client.delete(&path).send().await.unwrap().status().is_success());
    assert_eq!(call(&fresh, "/v1/models").await, no);

    let log = world.server.log();
    for secret in [bob.as_str(), fresh.as_str(), SECRET] {
        assert!(!log.contains(secret), "the log holds «{secret}»");
    }
}
