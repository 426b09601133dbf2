//! A database, everything that the pages stand on, and a browser without scripts.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::FromRef,
    http::{HeaderMap, Method, Request, StatusCode, header},
    middleware::{from_fn, from_fn_with_state},
};
use ephor_assurance::{
    Assurance, OpenDataset, OpenModel,
    explanation::ExplanationRunner,
    feed::{RowFeeds, RowsToStore, StoreRows},
    mitigation::{ApplyRunner, FitRunner},
    runner::AnalysisRunner,
};
use ephor_billing::Billing;
use ephor_console::{ConsoleState, problem_pages};
use ephor_identity::{Identity, IdentityConfig};
use ephor_kernel::{Clock as _, SystemClock};
use ephor_registry::{ObjectStoreConfig, Registry, dataset::NewDataset};
use ephor_rest::{Catalog, Engine, name_request};
use ephor_seal::SealKey;
use ephor_store::{
    Store,
    jobs::{JobHandler, Workers, WorkersConfig, WorkersHandle},
    testing::TestDatabase,
};
use http_body_util::BodyExt;
use tower::ServiceExt;

pub const PASSWORD: &str = "correct horse battery";

pub struct World {
    pub db: TestDatabase,
    pub seal_key: SealKey,
    pub state: ConsoleState,
    router: Router,
    _objects: tempfile::TempDir,
}

#[derive(Clone)]
struct Api {
    store: Store,
    identity: Identity,
}

impl FromRef<Api> for Store {
    fn from_ref(state: &Api) -> Self {
        state.store.clone()
    }
}

impl FromRef<Api> for Identity {
    fn from_ref(state: &Api) -> Self {
        state.identity.clone()
    }
}

pub async fn world() -> World {
    let db = ephor_store::testing::database().await;
    let store = db.store();
    // Passwords as cheap as argon2 allows: what they cost is not what these tests are about.
    let config = IdentityConfig {
        password_memory_kib: 64,
        password_passes: 1,
        refusal_milliseconds: 0,
        ..IdentityConfig::default()
    };
    let identity = Identity::new(store.clone(), config, Arc::new(SystemClock)).unwrap();
    let objects = tempfile::tempdir().unwrap();
    let folder = ObjectStoreConfig {
        url: None,
        folder: objects.path().to_path_buf(),
        max_upload_bytes: 64 << 20,
    };
    let registry = Registry::new(store.clone(), &folder, 64 << 20).unwrap();
    let assurance = Assurance {
        store: store.clone(),
        open_dataset: open_dataset(&registry),
        read_elsewhere: None,
        open_model: open_model(&registry),
        objects: folder.open().unwrap(),
        pages: ephor_console::report::PAGES,
    };
    let mut conn = db.admin().acquire().await.unwrap();
    let catalog = Catalog::read(&mut conn).await.unwrap();
    drop(conn);
    let specs = ephor_identity::RESOURCES
        .iter()
        .chain(ephor_registry::RESOURCES)
        .chain(ephor_assurance::resources::RESOURCES)
        .copied();
    let engine = Engine::new(&catalog, specs, [7; 32]).unwrap();
    let seal_key = SealKey::from_seed(&[9; 32]);
    let state = ConsoleState {
        store: store.clone(),
        engine,
        identity: identity.clone(),
        registry: registry.clone(),
        assurance,
        billing: Billing::new(store.clone(), Arc::new(SystemClock)),
        seal_key: seal_key.public(),
        data_folder: objects.path().to_path_buf(),
        started_at: SystemClock.now(),
    };
    let router = ephor_identity::routes()
        .with_state(Api { store, identity: identity.clone() })
        .merge(ephor_registry::routes(registry))
        .merge(ephor_assurance::routes(state.assurance.clone()))
        .merge(ephor_console::routes(state.clone()))
        .layer(from_fn_with_state(identity, ephor_identity::authenticate))
        .layer(from_fn(name_request))
        .layer(from_fn(problem_pages));
    World { db, seal_key, state, router, _objects: objects }
}

fn open_dataset(registry: &Registry) -> OpenDataset {
    let registry = registry.clone();
    Arc::new(move |scope, dataset| {
        let registry = registry.clone();
        Box::pin(async move { registry.dataset_open(&scope, dataset).await })
    })
}

fn open_model(registry: &Registry) -> OpenModel {
    let registry = registry.clone();
    Arc::new(move |scope, artifact| {
        let registry = registry.clone();
        Box::pin(async move { registry.artifact_open(&scope, artifact).await })
    })
}

fn store_rows(registry: &Registry) -> StoreRows {
    let registry = registry.clone();
    Arc::new(move |scope, rows| {
        let registry = registry.clone();
        Box::pin(async move {
            let RowsToStore { name, description, metadata, format, body, cancel, settle } = rows;
            let format = Some(format);
            let new = NewDataset { name, description, format, metadata, ..NewDataset::default() };
            registry.dataset_upload_with(&scope, new, body, &|_| {}, &cancel, settle).await
        })
    })
}

impl World {
    pub fn browser(&self) -> Browser {
        Browser { router: self.router.clone(), cookies: BTreeMap::new() }
    }

    /// Somebody who opened an organization through the door.
    pub async fn owner(&self, email: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser
            .submit(
                "/sign-up",
                &[
                    ("email", email),
                    ("password", PASSWORD),
                    ("full_name", "Ada Lovelace"),
                    ("organization_name", "Analytical Engines"),
                    ("consent", "true"),
                ],
            )
            .await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        browser
    }

    pub fn workers(&self) -> WorkersHandle {
        let assurance = &self.state.assurance;
        let feeds = RowFeeds::new(self.state.store.clone(), store_rows(&self.state.registry));
        let runners: Vec<Arc<dyn JobHandler>> = vec![
            Arc::new(AnalysisRunner::new(assurance)),
            Arc::new(FitRunner::new(assurance)),
            Arc::new(ExplanationRunner::new(assurance)),
            Arc::new(ApplyRunner::new(assurance, &feeds)),
        ];
        Workers::start(self.state.store.clone(), runners, WorkersConfig::default())
    }
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |place| place.to_str().unwrap())
    }

    #[track_caller]
    pub fn shows(&self, text: &str) {
        assert!(
            self.body.contains(text),
            "`{text}` is not in the page ({}):\n{}",
            self.status,
            self.body
        );
    }
}

/// A browser that keeps its cookies and fills in the tokens of forms.
#[derive(Clone)]
pub struct Browser {
    router: Router,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, None, Body::empty()).await
    }

    /// Keeps a cookie; an empty one is forgotten.
    pub fn keep(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Follows one redirect after a form, as browsers do.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut fields: Vec<(String, String)> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        if !self.cookies.is_empty() {
            fields.push(("_csrf".into(), self.token().await));
        }
        self.post(path, &fields).await
    }

    /// Sends a form just as it is.
    pub async fn post(&mut self, path: &str, fields: &[(String, String)]) -> Answer {
        let request = fields
            .iter()
            .fold(ephor_rest::ListRequest::new(), |form, (name, value)| form.with(name, value));
        self.send(
            Method::POST,
            path,
            Some("application/x-www-form-urlencoded"),
            Body::from(request.to_query()),
        )
        .await
    }

    /// Sends JSON, as a page's script does.
    pub async fn send_json(&mut self, path: &str, body: &serde_json::Value) -> Answer {
        let token = self.token().await;
        let request = self
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-csrf-token", token)
            .body(Body::from(body.to_string()))
            .unwrap();
        self.take(request).await
    }

    /// The token that this session's pages carry.
    pub async fn token(&mut self) -> String {
        let page = self.get("/sessions").await;
        let rest = page.body.split("data-csrf=\"").nth(1).expect("a page with a token");
        rest.split('"').next().unwrap().to_owned()
    }

    /// Uploads a file, as the page's script does.
    pub async fn upload(&mut self, name: &str, bytes: &[u8]) -> Answer {
        self.upload_to("/v1/datasets/upload", name, bytes).await
    }

    pub async fn upload_to(&mut self, path: &str, name: &str, bytes: &[u8]) -> Answer {
        let token = self.token().await;
        let mut body = format!(
            "--edge\r\ncontent-disposition: form-data; name=\"name\"\r\n\r\n{name}\r\n--edge\r\n\
             content-disposition: form-data; name=\"file\"; filename=\"{name}.csv\"\r\n\
             content-type: text/csv\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--edge--\r\n");
        let request = self
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge")
            .header("x-csrf-token", token)
            .body(Body::from(body))
            .unwrap();
        self.take(request).await
    }

    fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "ephor.test")
            .header(header::ACCEPT, "text/html,application/xhtml+xml")
            .header("sec-fetch-site", "same-origin");
        if !self.cookies.is_empty() {
            let pairs: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, pairs.join("; "));
        }
        request
    }

    async fn send(&mut self, method: Method, path: &str, kind: Option<&str>, body: Body) -> Answer {
        let mut request = self.request(method, path);
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        self.take(request.body(body).unwrap()).await
    }

    async fn take(&mut self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.keep(name, value);
        }
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }
}

/// Polls until `check` has something, or a minute is over.
pub async fn until<T>(what: &str, mut check: impl AsyncFnMut() -> Option<T>) -> T {
    let polled = async {
        loop {
            if let Some(found) = check().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), polled)
        .await
        .unwrap_or_else(|_| panic!("{what} took too long"))
}
