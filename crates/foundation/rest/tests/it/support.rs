//! A shelf of things: its tables, its resources, and callers.

use axum::{Extension, Router, body::Body, middleware};
use ephor_kernel::{Fault, PermissionSet, Scope};
use ephor_rest::{Actions, Catalog, Engine, Include, ResourceSpec, Shape, name_request};
use ephor_store::testing::TestDatabase;
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

pub const ITEMS: ResourceSpec = ResourceSpec::new("items", "shelf.items")
    .labels("item", "items")
    .actions(Actions::ALL)
    .create(&[
        "name",
        "description",
        "status",
        "score",
        "weight",
        "count",
        "is_public",
        "tags",
        "metadata",
        "due_on",
        "maker_id",
    ])
    .update(&["name", "description", "status", "score", "metadata", "maker_id"])
    .json(&[(
        "metadata",
        Shape::Record(&[("size", Shape::Number), ("labels", Shape::Map(&Shape::Text(5), 2))]),
    )])
    .search(&["name", "description"])
    .include(&[
        Include::one("maker", "makers", "maker_id"),
        Include::many("notes", "notes", "item_id"),
    ])
    .check(no_free_gold)
    .reach();

pub const MAKERS: ResourceSpec = ResourceSpec::new("makers", "shelf.makers")
    .labels("maker", "makers")
    .actions(Actions::ALL)
    .create(&["name"])
    .update(&["name"])
    .include(&[Include::many("items", "items", "maker_id")])
    .reach();

pub const NOTES: ResourceSpec = ResourceSpec::new("notes", "shelf.notes")
    .labels("note", "notes")
    .actions(Actions::ALL)
    .create(&["item_id", "body"])
    .update(&["body"])
    .parent("items", "item_id", "notes")
    .personal("user_id");

fn no_free_gold(new: &Value, _old: Option<&Value>) -> Vec<Fault> {
    if new["name"] == "gold" && new["score"] == 0 {
        vec![Fault::new("/score", "free_gold", "gold has a score")]
    } else {
        Vec::new()
    }
}

pub async fn shelf() -> (TestDatabase, Engine) {
    let db = ephor_store::testing::database().await;
    sqlx::raw_sql(include_str!("shelf.sql")).execute(&db.admin()).await.unwrap();
    let store = db.store();
    let mut door = store.door().await.unwrap();
    let catalog = Catalog::read(door.conn()).await.unwrap();
    let engine = Engine::new(&catalog, [ITEMS, MAKERS, NOTES], [7; 32]).unwrap();
    (db, engine)
}

/// Somebody who calls the API.
pub struct Caller {
    pub scope: Scope,
    router: Router,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The problem's code, and `pointer code` of each fault.
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let body = self.json();
        assert_eq!(body["status"], self.status.as_u16());
        assert_eq!(body["request_id"].as_str().unwrap(), self.header("x-request-id"));
        let faults = body["faults"].as_array().cloned().unwrap_or_default();
        let faults = faults.iter().map(|fault| {
            format!(" {} {}", fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap())
        });
        format!("{}{}", body["code"].as_str().unwrap(), faults.collect::<String>())
    }

    pub fn names(&self) -> Vec<String> {
        let data = self.json()["data"].as_array().unwrap_or_else(|| panic!("{self:?}")).clone();
        data.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    }
}

impl Caller {
    pub fn new(db: &TestDatabase, engine: &Engine, scope: Scope) -> Self {
        let router = engine
            .router()
            .with_state(db.store())
            .layer(Extension(scope.clone()))
            .layer(middleware::from_fn(name_request));
        Self { scope, router }
    }

    /// The same person with fewer permissions.
    pub fn limited(
        db: &TestDatabase,
        engine: &Engine,
        scope: &Scope,
        permissions: &[&str],
    ) -> Self {
        let permissions = PermissionSet::parse(permissions.iter().copied()).unwrap();
        let scope = Scope::new(
            scope.principal(),
            scope.organization(),
            permissions,
            scope.request().clone(),
        );
        Self::new(db, engine, scope)
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        read(self.router.clone().oneshot(request).await.unwrap()).await
    }

    pub async fn get(&self, address: &str) -> Answer {
        self.send(Request::get(address).body(Body::empty()).unwrap()).await
    }

    pub async fn get_as(&self, address: &str, kind: &str) -> Answer {
        self.send(Request::get(address).header(header::ACCEPT, kind).body(Body::empty()).unwrap())
            .await
    }

    pub async fn post(&self, address: &str, body: Value) -> Answer {
        self.post_text(address, body.to_string()).await
    }

    pub async fn post_text(&self, address: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(address).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(body.into()).unwrap()).await
    }

    pub async fn patch(&self, address: &str, version: Option<&str>, body: Value) -> Answer {
        let mut request =
            Request::patch(address).header(header::CONTENT_TYPE, "application/merge-patch+json");
        if let Some(version) = version {
            request = request.header(header::IF_MATCH, version);
        }
        self.send(request.body(body.to_string().into()).unwrap()).await
    }

    pub async fn delete(&self, address: &str) -> Answer {
        self.send(Request::delete(address).body(Body::empty()).unwrap()).await
    }

    /// Makes an item and gives its address.
    pub async fn item(&self, body: Value) -> String {
        let made = self.post("/v1/items", body).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.header("location").to_owned()
    }

    /// The same router for somebody who is not signed in.
    pub fn anonymous(db: &TestDatabase, engine: &Engine) -> Router {
        engine.router().with_state(db.store()).layer(middleware::from_fn(name_request))
    }
}

pub async fn read(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}
