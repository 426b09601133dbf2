//! The trust centre, for anybody: the posts of an organization, one post, and the feed.

mod answer;
mod feed;
mod page;

use std::time::Duration;

use axum::{
    Router,
    extract::{Path, Query, State},
    response::Response,
    routing::get,
};
use ephor_rest::ApiError;
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use tower_http::timeout::TimeoutLayer;

use crate::Content;

/// The pages and the feed. They look at no session, so they stand outside of authentication;
/// `timeout` bounds them.
pub fn public(content: Content, timeout: Duration) -> Router {
    Router::new()
        .route("/p/{organization}", get(list))
        .route("/p/{organization}/feed.atom", get(atom))
        .route("/p/{organization}/{slug}", get(post))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, timeout))
        .with_state(content)
}

#[derive(Debug, Deserialize)]
struct Asked {
    tag: Option<String>,
}

async fn list(
    State(content): State<Content>,
    Path(organization): Path<String>,
    Query(Asked { tag }): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let tag = tag.as_deref().filter(|tag| !tag.is_empty());
    let found = content.trust_center(&organization, tag).await?;
    let page = page::list(&organization, tag, &found)?;
    Ok(answer::html(page, found.changed_at, &headers))
}

async fn atom(
    State(content): State<Content>,
    Path(organization): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let found = content.trust_center(&organization, None).await?;
    let feed = feed::atom(content.url(), &organization, &found)?;
    Ok(answer::atom(feed, found.changed_at, &headers))
}

async fn post(
    State(content): State<Content>,
    Path((organization, slug)): Path<(String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let found = content.post(&organization, &slug).await?;
    let page = page::post(&organization, &found)?;
    let answer = answer::html(page, found.updated_at, &headers);
    // Who asks for the head alone, or has it already, does not read it now.
    if method == Method::GET && answer.status() == StatusCode::OK {
        content.viewed(&found);
    }
    Ok(answer)
}
