//! The routes of newer versions of built-in data that wait beside changed copies.

use axum::{
    Json, Router,
    extract::{FromRef, Path, State},
    response::Response,
    routing::{MethodRouter, get, post},
};
use ephor_kernel::Problem;
use ephor_store::Store;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use super::{
    ApiError, Authenticated, Query,
    conditional::IfMatch,
    routes::{parse_id, row_response},
};
use crate::{Engine, ListRequest, OfferAnswer};

/// The version that the caller means.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Meant {
    offered_version: Option<i32>,
}

/// `GET …/offer`, `POST …/accept-offer` and `POST …/decline-offer` of the resource at `path`.
pub(super) fn routes<S>(engine: &Engine, path: &'static str) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Store: FromRef<S>,
{
    let one = format!("/v1/{path}/{{id}}");
    let read = engine.clone();
    let look = get(
        move |State(store): State<Store>,
              Authenticated(scope): Authenticated,
              Path(id): Path<String>| {
            let engine = read.clone();
            async move {
                let id = parse_id(engine.known(path)?, &id)?;
                let request = ListRequest::new();
                let mut tx = engine.begin_read(&store, &scope, path, &request).await?;
                engine.item(&mut tx, path, id, &request).await?;
                let offer = engine.offer(&mut tx, path, id).await?;
                tx.commit().await.map_err(Problem::from)?;
                let offer = offer.ok_or_else(|| Problem::not_found("offer"))?;
                Ok::<_, ApiError>(([(header::CACHE_CONTROL, "private, no-cache")], Json(offer)))
            }
        },
    );
    Router::new()
        .route(&format!("{one}/offer"), look)
        .route(&format!("{one}/accept-offer"), answer(engine, path, OfferAnswer::Accept))
        .route(&format!("{one}/decline-offer"), answer(engine, path, OfferAnswer::Decline))
}

fn answer<S>(engine: &Engine, path: &'static str, answer: OfferAnswer) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Store: FromRef<S>,
{
    let engine = engine.clone();
    post(
        move |State(store): State<Store>,
              Authenticated(scope): Authenticated,
              Path(id): Path<String>,
              Query(Meant { offered_version }): Query<Meant>,
              headers: HeaderMap| {
            let engine = engine.clone();
            async move {
                let resource = engine.known(path)?;
                scope.require(resource.spec().permission_word(), "update")?;
                let id = parse_id(resource, &id)?;
                let condition = IfMatch::of(&headers)?;
                let version = match answer {
                    OfferAnswer::Accept => condition.for_update(resource.versioned())?,
                    // The row stays as it is.
                    OfferAnswer::Decline => condition.for_delete(),
                };
                let row = engine
                    .write_answer(&store, &scope, (path, id), answer, version, offered_version)
                    .await?;
                Ok::<Response, ApiError>(row_response(StatusCode::OK, row))
            }
        },
    )
}
