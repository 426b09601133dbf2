//! The routes of resources.

use std::sync::Arc;

use axum::{
    Router,
    body::Body as HttpBody,
    extract::{FromRef, Path, Request, State},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, patch, post},
};
use ephor_kernel::{Code, Fault, Problem, Scope};
use ephor_store::Store;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use serde_json::Value;
use uuid::Uuid;

use super::{
    ApiError, Authenticated,
    accept::Format,
    conditional::{IfMatch, etag, unchanged},
    docs,
    extract::{self, MAX_BODY_BYTES},
    offer, rows,
};
use crate::{
    Engine, ListRequest, Resource,
    engine::{Item, Written},
    spec::Parent,
};

/// The largest body of a bulk create, in bytes.
const MAX_BULK_BYTES: usize = 8 << 20;

type Answer = Result<Response, ApiError>;

impl Engine {
    /// The routes of all resources below `/v1`, `/openapi.json` and `/docs`.
    pub fn router<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
        Store: FromRef<S>,
    {
        let mut router = docs::router(self);
        for resource in self.resources() {
            let spec = resource.spec();
            let served = Served { engine: self.clone(), path: spec.path };
            let all = format!("/v1/{}", spec.path);
            let actions = spec.actions;
            let mut collection = MethodRouter::new();
            if actions.list {
                collection = collection.merge(served.clone().list_route(None));
            }
            if actions.create || actions.bulk {
                collection = collection.merge(served.clone().create_route(None));
            }
            router = router.route(&all, collection);
            let mut one = MethodRouter::new();
            if actions.get {
                one = one.merge(served.clone().get_route());
            }
            if actions.update {
                one = one.merge(served.clone().update_route());
            }
            if actions.delete {
                one = one.merge(served.clone().delete_route());
            }
            router = router.route(&format!("{all}/{{id}}"), one);
            if spec.builtin {
                router = router.merge(offer::routes(self, spec.path));
            }
            if let Some(parent) = spec.parent {
                let nested = format!("/v1/{}/{{id}}/{}", parent.resource, parent.segment);
                let mut collection = MethodRouter::new();
                if actions.list {
                    collection = collection.merge(served.clone().list_route(Some(parent)));
                }
                if actions.create || actions.bulk {
                    collection = collection.merge(served.clone().create_route(Some(parent)));
                }
                router = router.route(&nested, collection);
            }
        }
        router
    }
}

/// A resource as its handlers hold it.
#[derive(Clone)]
struct Served {
    engine: Engine,
    path: &'static str,
}

impl Served {
    fn resource(&self) -> Result<&Resource, Problem> {
        self.engine.known(self.path)
    }

    fn list_route<S>(self, parent: Option<Parent>) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
        Store: FromRef<S>,
    {
        let served = Arc::new(self);
        get(
            move |State(store): State<Store>,
                  Authenticated(scope): Authenticated,
                  path: Option<Path<String>>,
                  uri: Uri,
                  headers: HeaderMap| {
                let served = Arc::clone(&served);
                async move {
                    let mut asked = ListRequest::from_query(uri.query().unwrap_or_default());
                    if let (Some(parent), Some(Path(id))) = (parent, path) {
                        let id = served.parent(&store, &scope, parent, &id, &asked).await?;
                        asked = asked.filter(parent.column, format!("eq.{id}"));
                    }
                    served.list(&store, &scope, &asked, &headers).await
                }
            },
        )
    }

    fn get_route<S>(self) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
        Store: FromRef<S>,
    {
        let served = Arc::new(self);
        get(
            move |State(store): State<Store>,
                  Authenticated(scope): Authenticated,
                  Path(id): Path<String>,
                  uri: Uri,
                  headers: HeaderMap| {
                let served = Arc::clone(&served);
                async move {
                    let asked = ListRequest::from_query(uri.query().unwrap_or_default());
                    served.get(&store, &scope, &id, &asked, &headers).await
                }
            },
        )
    }

    fn create_route<S>(self, parent: Option<Parent>) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
        Store: FromRef<S>,
    {
        let served = Arc::new(self);
        post(
            move |State(store): State<Store>,
                  Authenticated(scope): Authenticated,
                  path: Option<Path<String>>,
                  request: Request| {
                let served = Arc::clone(&served);
                async move {
                    // Who may not write need not send a body that is read.
                    scope.require(served.resource()?.spec.permission, "create")?;
                    let parent = match (parent, path) {
                        (Some(parent), Some(Path(id))) => {
                            let id = served.parent_of_new(&store, &scope, parent, &id).await?;
                            Some((parent.column, id))
                        }
                        _ => None,
                    };
                    served.create(&store, &scope, parent, request).await
                }
            },
        )
    }

    fn update_route<S>(self) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
        Store: FromRef<S>,
    {
        let served = Arc::new(self);
        patch(
            move |State(store): State<Store>,
                  Authenticated(scope): Authenticated,
                  Path(id): Path<String>,
                  request: Request| {
                let served = Arc::clone(&served);
                async move { served.update(&store, &scope, &id, request).await }
            },
        )
    }

    fn delete_route<S>(self) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
        Store: FromRef<S>,
    {
        let served = Arc::new(self);
        axum::routing::delete(
            move |State(store): State<Store>,
                  Authenticated(scope): Authenticated,
                  Path(id): Path<String>,
                  headers: HeaderMap| {
                let served = Arc::clone(&served);
                async move { served.delete(&store, &scope, &id, &headers).await }
            },
        )
    }

    /// The parent's id, once it is certain that the caller may know of it.
    async fn parent(
        &self,
        store: &Store,
        scope: &Scope,
        parent: Parent,
        id: &str,
        asked: &ListRequest,
    ) -> Result<Uuid, Problem> {
        let path = parent.resource;
        let resource = self.engine.known(path)?;
        let id = parse_id(resource, id)?;
        let mut look = ListRequest::new().fields(&["id"]);
        if let Some(organizations) = asked.get("organizations").filter(|_| resource.spec.reach) {
            look = look.with("organizations", organizations);
        }
        let mut tx = self.engine.begin_read(store, scope, path, &look).await?;
        self.engine.get(&mut tx, path, id, &look).await?;
        Ok(id)
    }

    /// The same for a new row, whose parent may lie in a subsidiary if a holding decides on it.
    async fn parent_of_new(
        &self,
        store: &Store,
        scope: &Scope,
        parent: Parent,
        id: &str,
    ) -> Result<Uuid, Problem> {
        let found = self.parent(store, scope, parent, id, &ListRequest::new()).await;
        let below = self.resource()?.spec.below.filter(|below| below.resource == parent.resource);
        if let (Err(problem), Some(below)) = (&found, below)
            && problem.code == Code::NotFound
        {
            let id = parse_id(self.engine.known(parent.resource)?, id)?;
            if self.engine.place_below(store, scope, below, id).await?.is_some() {
                return Ok(id);
            }
        }
        found
    }

    async fn list(
        &self,
        store: &Store,
        scope: &Scope,
        asked: &ListRequest,
        headers: &HeaderMap,
    ) -> Answer {
        let format = Format::negotiate(headers, &Format::ALL)?;
        if format == Format::Json {
            let resource = self.resource()?;
            let mut tx = self.engine.begin_read(store, scope, self.path, asked).await?;
            return Ok(rows::page(&self.engine, &mut tx, resource, asked).await?);
        }
        let (export, next) = self.engine.export(store, scope, self.path, asked).await?;
        let next = next.map(|cursor| asked.clone().without("cursor").cursor(cursor));
        let link =
            next.map(|next| format!("</v1/{}?{}>; rel=\"next\"", self.path, next.to_query()));
        Ok(rows::stream(export, format, link).await?)
    }

    async fn get(
        &self,
        store: &Store,
        scope: &Scope,
        id: &str,
        asked: &ListRequest,
        headers: &HeaderMap,
    ) -> Answer {
        Format::negotiate(headers, &[Format::Json])?;
        let id = parse_id(self.resource()?, id)?;
        let mut tx = self.engine.begin_read(store, scope, self.path, asked).await?;
        let Item { text, version } = self.engine.item(&mut tx, self.path, id, asked).await?;
        // With related rows in place, the row's own version says too little.
        let whole = asked.get("include").is_none() && asked.get("fields").is_none();
        let tag = version.filter(|_| whole).as_deref().and_then(etag);
        if let Some(tag) = &tag
            && unchanged(headers, tag)
        {
            return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag.clone())]).into_response());
        }
        Ok(json_response(StatusCode::OK, text, tag))
    }

    async fn create(
        &self,
        store: &Store,
        scope: &Scope,
        parent: Option<(&'static str, Uuid)>,
        request: Request,
    ) -> Answer {
        Format::negotiate(request.headers(), &[Format::Json])?;
        let actions = self.resource()?.spec.actions;
        let limit = if actions.bulk { MAX_BULK_BYTES } else { MAX_BODY_BYTES };
        let mut body = extract::json(request, limit).await?;
        if let Some((column, id)) = parent {
            fill(&mut body, column, id)?;
        }
        match &body {
            Value::Array(_) if !actions.bulk => {
                let message = "this takes one object, not several".to_owned();
                Err(Problem::invalid(vec![Fault::new("", "type", message)]).into())
            }
            Value::Object(_) if !actions.create => {
                let message = "this takes an array of objects".to_owned();
                Err(Problem::invalid(vec![Fault::new("", "type", message)]).into())
            }
            Value::Array(rows) => {
                let mut tx = self.engine.begin_write(store, scope, self.path).await?;
                let made = self.engine.write_all(&mut tx, self.path, rows).await?;
                tx.commit().await?;
                let rows: Vec<_> = made.into_iter().map(|written| written.text).collect();
                let text = format!("{{\"data\":[{}]}}", rows.join(","));
                Ok(json_response(StatusCode::CREATED, text, None))
            }
            row => {
                let mut tx = self.engine.begin_create(store, scope, self.path, row).await?;
                let made = self.engine.write_new(&mut tx, self.path, row).await?;
                let place = tx.organization();
                tx.commit().await?;
                let id = made.row.get("id").and_then(Value::as_str).unwrap_or_default();
                let mut location = format!("/v1/{}/{id}", self.path);
                if place != scope.organization() {
                    location.push_str(&format!("?organizations={place}"));
                }
                let location = HeaderValue::from_str(&location).ok();
                let mut response = row_response(StatusCode::CREATED, made);
                if let Some(location) = location {
                    response.headers_mut().insert(header::LOCATION, location);
                }
                Ok(response)
            }
        }
    }

    async fn update(&self, store: &Store, scope: &Scope, id: &str, request: Request) -> Answer {
        let resource = self.resource()?;
        scope.require(resource.spec.permission, "update")?;
        Format::negotiate(request.headers(), &[Format::Json])?;
        let id = parse_id(resource, id)?;
        let version = IfMatch::of(request.headers())?.for_update(resource.versioned())?;
        let patch = extract::json(request, MAX_BODY_BYTES).await?;
        let mut tx = self.engine.begin_write(store, scope, self.path).await?;
        let row = self.engine.write_change(&mut tx, self.path, id, &patch, version).await?;
        tx.commit().await?;
        Ok(row_response(StatusCode::OK, row))
    }

    async fn delete(&self, store: &Store, scope: &Scope, id: &str, headers: &HeaderMap) -> Answer {
        let resource = self.resource()?;
        scope.require(resource.spec.permission, "delete")?;
        let id = parse_id(resource, id)?;
        let version = IfMatch::of(headers)?.for_delete();
        let mut tx = self.engine.begin_write(store, scope, self.path).await?;
        self.engine.delete(&mut tx, self.path, id, version).await?;
        tx.commit().await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    }
}

pub(super) fn parse_id(resource: &Resource, text: &str) -> Result<Uuid, Problem> {
    Uuid::try_parse(text).map_err(|_| {
        let kind = resource.spec.singular;
        extract::bad_id(ephor_kernel::ParseIdError { kind, text: text.to_owned() })
    })
}

/// Sets the parent's id in each row; one that says otherwise is refused.
fn fill(body: &mut Value, column: &str, id: Uuid) -> Result<(), Problem> {
    let id = Value::String(id.to_string());
    let several = body.is_array();
    let rows = match body {
        Value::Array(rows) => rows.as_mut_slice(),
        one => std::slice::from_mut(one),
    };
    let mut faults = Vec::new();
    for (place, row) in rows.iter_mut().enumerate() {
        let Value::Object(fields) = row else { continue };
        let sent = fields.entry(column).or_insert_with(|| id.clone());
        if *sent != id {
            let message = format!("`{column}` is not the one that the address names");
            let at = if several { format!("/{place}/{column}") } else { format!("/{column}") };
            faults.push(Fault::new(at, "conflict", message).hint("leave it out"));
        }
    }
    Problem::unless_empty(faults)
}

pub(super) fn row_response(status: StatusCode, written: Written) -> Response {
    let Written { text, row } = written;
    let version = row.get("version").and_then(Value::as_i64).map(|version| version.to_string());
    json_response(status, text, version.as_deref().and_then(etag))
}

pub(super) fn json_response(
    status: StatusCode,
    text: String,
    tag: Option<HeaderValue>,
) -> Response {
    let mut response = Response::new(HttpBody::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Some(tag) = tag {
        headers.insert(header::ETAG, tag);
    }
    response
}
