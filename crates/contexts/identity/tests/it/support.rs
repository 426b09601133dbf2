//! A database, the service on it, people who signed up, and a browser.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::FromRef,
    http::{HeaderMap, Method, Request, StatusCode, header},
    middleware::{from_fn, from_fn_with_state},
};
use ephor_identity::{
    AddMember, Identity, IdentityConfig, Join, LogIn, Password, SignUp, SignedUp,
};
use ephor_kernel::{
    FixedClock, MemberId, PermissionSet, Principal, RequestContext, RequestId, Scope,
};
use ephor_rest::{Catalog, Engine, name_request};
use ephor_store::{Store, testing::TestDatabase};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

pub const PASSWORD: &str = "correct horse battery";

pub struct World {
    pub db: TestDatabase,
    pub identity: Identity,
    router: Router,
}

#[derive(Clone)]
struct AppState {
    store: Store,
    identity: Identity,
}

impl FromRef<AppState> for Store {
    fn from_ref(state: &AppState) -> Self {
        state.store.clone()
    }
}

impl FromRef<AppState> for Identity {
    fn from_ref(state: &AppState) -> Self {
        state.identity.clone()
    }
}

/// The API as the binary composes it.
async fn router(db: &TestDatabase, identity: &Identity) -> Router {
    let mut conn = db.admin().acquire().await.unwrap();
    let catalog = Catalog::read(&mut conn).await.unwrap();
    let engine = Engine::with_operations(
        &catalog,
        ephor_identity::RESOURCES.iter().copied(),
        [7; 32],
        ephor_identity::operations(),
    )
    .unwrap();
    engine
        .router()
        .merge(ephor_identity::routes())
        .layer(from_fn_with_state(identity.clone(), ephor_identity::authenticate))
        .layer(from_fn(name_request))
        .with_state(AppState { store: db.store(), identity: identity.clone() })
}

/// Passwords as cheap as argon2 allows, refused at once: what they cost is not what most tests are about.
pub fn cheap() -> IdentityConfig {
    IdentityConfig {
        password_memory_kib: 64,
        password_passes: 1,
        refusal_milliseconds: 0,
        ..IdentityConfig::default()
    }
}

pub async fn world() -> World {
    world_with(cheap()).await
}

pub async fn world_with(config: IdentityConfig) -> World {
    let db = ephor_store::testing::database().await;
    let identity = another(&db, config);
    let router = router(&db, &identity).await;
    World { db, identity, router }
}

/// A replica: the same database, nothing else shared.
pub fn another(db: &TestDatabase, config: IdentityConfig) -> Identity {
    let now = "2030-01-01T00:00:00Z".parse().unwrap();
    Identity::new(db.store(), config, Arc::new(FixedClock::at(now))).unwrap()
}

/// A request from an address.
pub fn from(ip: &str) -> RequestContext {
    RequestContext::new(Some(ip.parse().unwrap()), Some("test browser"), RequestId::new())
}

pub fn somewhere() -> RequestContext {
    from("192.0.2.1")
}

pub fn sign_up(email: &str, organization: &str) -> SignUp {
    SignUp {
        email: email.into(),
        password: Password::new(PASSWORD),
        full_name: format!("Name of {email}"),
        organization_name: organization.into(),
        kind: None,
        consent: true,
    }
}

pub fn log_in(email: &str, password: &str) -> LogIn {
    LogIn { email: email.into(), password: Password::new(password), organization_id: None }
}

impl World {
    pub async fn owner(&self, email: &str, organization: &str) -> (SignedUp, Scope, Browser) {
        let (signed_up, cookie) =
            self.identity.sign_up(&somewhere(), &sign_up(email, organization)).await.unwrap();
        let scope = Scope::new(
            Principal::User(signed_up.user_id),
            signed_up.organization_id,
            PermissionSet::all(),
            somewhere(),
        );
        (signed_up, scope, self.browser(cookie.header().to_str().unwrap()))
    }

    /// Adds somebody with a built-in role, who joins with a new account.
    pub async fn join(&self, scope: &Scope, email: &str, role: &str) -> (MemberId, Browser) {
        let added = self.identity.member_add(scope, &add(email, role)).await.unwrap();
        let join = Join {
            token: added.join.token,
            password: Password::new(PASSWORD),
            full_name: None,
            consent: true,
        };
        let cookie = self.identity.join(&somewhere(), &join).await.unwrap().session().unwrap();
        (added.id, self.browser(cookie.header().to_str().unwrap()))
    }

    pub fn browser(&self, set_cookie: &str) -> Browser {
        Browser { router: self.router(), cookie: pair(set_cookie) }
    }

    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// The API of a replica: the same database, nothing else shared.
    pub async fn replica(&self) -> Router {
        router(&self.db, &another(&self.db, cheap())).await
    }
}

pub fn add(email: &str, role: &str) -> AddMember {
    AddMember {
        email: email.into(),
        full_name: format!("Name of {email}"),
        role_id: None,
        role: Some(role.into()),
    }
}

fn pair(set_cookie: &str) -> String {
    set_cookie.split(';').next().unwrap().to_owned()
}

/// A browser on one of Ephor's pages, with a session.
#[derive(Clone)]
pub struct Browser {
    router: Router,
    pub cookie: String,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

impl Browser {
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = Request::builder()
            .method(method.clone())
            .uri(path)
            .header(header::COOKIE, &self.cookie)
            .header("sec-fetch-site", "same-origin");
        if method == Method::PATCH {
            request = request
                .header(header::CONTENT_TYPE, "application/merge-patch+json")
                .header(header::IF_MATCH, "*");
        } else if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        send(&self.router, request.body(body).unwrap()).await
    }

    /// A change of a version, or of none.
    pub async fn patch(&self, path: &str, version: Option<&str>, body: Value) -> Answer {
        let mut request = Request::patch(path)
            .header(header::COOKIE, &self.cookie)
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(version) = version {
            request = request.header(header::IF_MATCH, version);
        }
        send(&self.router, request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// Takes over the cookie that an answer sets.
    pub fn take(&mut self, answer: &Answer) {
        self.cookie = pair(answer.headers[header::SET_COOKIE].to_str().unwrap());
    }
}

pub async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    Answer { status: parts.status, headers: parts.headers, body }
}
