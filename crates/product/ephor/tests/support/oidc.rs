//! A complete small OpenID Connect provider: discovery, authorization code with PKCE, rotating keys,
//! userinfo. It checks what it is sent, and can be told to lie.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use aws_lc_rs::{
    digest, hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
        RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use axum::{
    Form, Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{
    Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD,
};
use serde_json::{Value, json};

pub const CLIENT: &str = "ephor";
pub const SECRET: &str = "the client's secret: &=";

/// A key that signs.
pub enum Key {
    Rsa(Box<RsaKeyPair>),
    Ec(Box<EcdsaKeyPair>),
    Ed(Box<Ed25519KeyPair>),
}

impl Key {
    pub fn rsa() -> Self {
        Self::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()))
    }

    pub fn ec() -> Self {
        Self::Ec(Box::new(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()))
    }

    pub fn ed() -> Self {
        Self::Ed(Box::new(Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()))
    }

    fn alg(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::Ec(_) => "ES256",
            Self::Ed(_) => "EdDSA",
        }
    }

    fn jwk(&self, kid: &str) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa(key) => {
                // PKCS #1: a sequence of the modulus (256 bytes after nine of framing) and 65537.
                let n = text(&key.public_key().as_ref()[9..265]);
                json!({ "kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256", "n": n, "e": "AQAB" })
            }
            Self::Ec(key) => {
                let point = key.public_key().as_ref();
                json!({ "kty": "EC", "kid": kid, "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..]) })
            }
            Self::Ed(key) => {
                json!({ "kty": "OKP", "kid": kid, "crv": "Ed25519", "x": text(key.public_key().as_ref()) })
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let rng = SystemRandom::new();
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &rng, message, &mut signature).unwrap();
                signature
            }
            Self::Ec(key) => key.sign(&rng, message).unwrap().as_ref().to_vec(),
            Self::Ed(key) => key.sign(message).as_ref().to_vec(),
        }
    }
}

/// Whom the provider knows at the moment, and how it lies.
#[derive(Clone)]
pub struct Person {
    pub claims: Value,
    /// Laid over the claims of tokens: `null` takes one away.
    pub lies: Value,
    /// `none`, `HS256` (signed with the public key) or nothing special.
    pub alg: &'static str,
    /// Is the e-mail address told by userinfo alone?
    pub by_userinfo: bool,
}

impl Person {
    pub fn new(subject: &str, email: &str) -> Self {
        let claims = json!({ "sub": subject, "email": email, "email_verified": true, "name": format!("Name of {subject}") });
        Self { claims, lies: json!({}), alg: "", by_userinfo: false }
    }

    pub fn lying(subject: &str, lies: Value) -> Self {
        Self { lies, ..Self::new(subject, &format!("{subject}@example.org")) }
    }
}

struct Inner {
    url: String,
    keys: Mutex<Vec<(String, Arc<Key>)>>,
    person: Mutex<Person>,
    codes: Mutex<HashMap<String, HashMap<String, String>>>,
    made: AtomicUsize,
    keys_read: AtomicUsize,
}

/// A running provider.
#[derive(Clone)]
pub struct Provider(Arc<Inner>);

impl Provider {
    pub async fn start(key: Key) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Self(Arc::new(Inner {
            url: format!("http://{}", listener.local_addr().unwrap()),
            keys: Mutex::new(vec![("first".to_owned(), Arc::new(key))]),
            person: Mutex::new(Person::new("nobody", "nobody@example.org")),
            codes: Mutex::default(),
            made: AtomicUsize::new(0),
            keys_read: AtomicUsize::new(0),
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/jwks", get(jwks))
            .route("/userinfo", get(userinfo))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        provider
    }

    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// Who signs in next.
    pub fn knows(&self, person: Person) {
        *self.0.person.lock().unwrap() = person;
    }

    /// Replaces the key.
    pub fn rotate(&self, kid: &str, key: Key) {
        *self.0.keys.lock().unwrap() = vec![(kid.to_owned(), Arc::new(key))];
    }

    /// How often the keys were read.
    pub fn keys_read(&self) -> usize {
        self.0.keys_read.load(Ordering::SeqCst)
    }

    /// A token of the present person, with these claims laid over it.
    pub fn token(&self, over: &Value) -> String {
        let person = self.0.person.lock().unwrap().clone();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let mut claims = json!({
            "iss": self.0.url, "aud": CLIENT, "iat": now.as_secs(), "exp": now.as_secs() + 300,
        });
        lay(&mut claims, &person.claims);
        if person.by_userinfo {
            lay(&mut claims, &json!({ "email": null, "email_verified": null }));
        }
        lay(&mut claims, over);
        lay(&mut claims, &person.lies);
        let keys = self.0.keys.lock().unwrap();
        let (kid, key) = keys.last().unwrap();
        let alg = if person.alg.is_empty() { key.alg() } else { person.alg };
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({ "alg": alg, "kid": kid })), part(&claims));
        let signature = match person.alg {
            "none" => Vec::new(),
            "HS256" => {
                let public = key.jwk(kid).to_string();
                let secret = hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes());
                hmac::sign(&secret, signed.as_bytes()).as_ref().to_vec()
            }
            _ => key.sign(signed.as_bytes()),
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn lay(claims: &mut Value, over: &Value) {
    for (name, value) in over.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
}

async fn discovery(State(provider): State<Provider>) -> Json<Value> {
    let url = provider.url();
    Json(json!({
        "issuer": url, "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"), "jwks_uri": format!("{url}/jwks"),
        "userinfo_endpoint": format!("{url}/userinfo"),
    }))
}

async fn jwks(State(provider): State<Provider>) -> Json<Value> {
    provider.0.keys_read.fetch_add(1, Ordering::SeqCst);
    let keys = provider.0.keys.lock().unwrap();
    let keys: Vec<Value> = keys.iter().map(|(kid, key)| key.jwk(kid)).collect();
    Json(json!({ "keys": keys }))
}

async fn authorize(
    State(provider): State<Provider>,
    Query(asked): Query<HashMap<String, String>>,
) -> Response {
    let is = |name: &str, value: &str| asked.get(name).is_some_and(|given| given == value);
    let enough = is("response_type", "code")
        && is("client_id", CLIENT)
        && is("code_challenge_method", "S256")
        && asked.get("scope").is_some_and(|scope| scope.split(' ').any(|word| word == "openid"))
        && ["state", "nonce"].iter().all(|name| asked.get(*name).is_some_and(|it| it.len() >= 40));
    if !enough {
        return (StatusCode::BAD_REQUEST, format!("{asked:?}")).into_response();
    }
    let code = format!("code-{}", provider.0.made.fetch_add(1, Ordering::SeqCst));
    let mut back = url::Url::parse(&asked["redirect_uri"]).unwrap();
    back.query_pairs_mut().append_pair("code", &code).append_pair("state", &asked["state"]);
    provider.0.codes.lock().unwrap().insert(code, asked);
    Redirect::to(back.as_str()).into_response()
}

async fn token(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let no = |why: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": why }))).into_response();
    let secret: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{secret}")));
    if headers.get(header::AUTHORIZATION).is_none_or(|given| given != basic.as_str()) {
        return no("invalid_client");
    }
    // A code is good for once.
    let Some(asked) = provider.0.codes.lock().unwrap().remove(&form["code"]) else {
        return no("invalid_grant");
    };
    let verifier = digest::digest(&digest::SHA256, form["code_verifier"].as_bytes());
    if form["grant_type"] != "authorization_code"
        || form["redirect_uri"] != asked["redirect_uri"]
        || URL_SAFE_NO_PAD.encode(verifier) != asked["code_challenge"]
    {
        return no("invalid_grant");
    }
    let id_token = provider.token(&json!({ "nonce": asked["nonce"] }));
    let answer = json!({ "id_token": id_token, "access_token": "opaque", "token_type": "Bearer" });
    Json(answer).into_response()
}

async fn userinfo(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    if headers.get(header::AUTHORIZATION).is_none_or(|given| given != "Bearer opaque") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(provider.0.person.lock().unwrap().claims.clone()).into_response()
}
