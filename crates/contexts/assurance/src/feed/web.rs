//! The actions: make a row feed, its tokens, and store what waits now.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use ephor_kernel::{Problem, RowFeedId};
use ephor_rest::{ApiError, Body, Id, Permitted, permissions};

use super::{
    FlushAsked, RowFeedCreate, RowFeedSecret, RowFeeds, row_feed_create, row_feed_flush,
    row_feed_revoke_token, row_feed_rotate_token,
};

permissions! {
    /// Make row feeds.
    pub RowFeedsCreate = "row_feeds", "create";
    /// Change row feeds and their tokens.
    pub RowFeedsUpdate = "row_feeds", "update";
}

/// The routes, to be merged with those of the resource engine.
pub fn routes(state: RowFeeds) -> Router {
    Router::new()
        .route("/v1/row_feeds", post(create))
        .route("/v1/row_feeds/{id}/rotate_token", post(rotate))
        .route("/v1/row_feeds/{id}/revoke_token", post(revoke))
        .route("/v1/row_feeds/{id}/flush", post(flush))
        .with_state(state)
}

async fn create(
    State(feeds): State<RowFeeds>,
    Permitted { scope, .. }: Permitted<RowFeedsCreate>,
    Body(create): Body<RowFeedCreate>,
) -> Result<Response, ApiError> {
    let mut tx = feeds.store.begin(&scope).await.map_err(Problem::from)?;
    let made = row_feed_create(&mut tx, &create).await?;
    tx.commit().await.map_err(Problem::from)?;
    let location = HeaderValue::from_str(&format!("/v1/row_feeds/{}", made.id));
    let mut response = (StatusCode::CREATED, Json(made)).into_response();
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn rotate(
    State(feeds): State<RowFeeds>,
    Permitted { scope, .. }: Permitted<RowFeedsUpdate>,
    Id(id): Id<RowFeedId>,
) -> Result<Response, ApiError> {
    let mut tx = feeds.store.begin(&scope).await.map_err(Problem::from)?;
    let made: RowFeedSecret = row_feed_rotate_token(&mut tx, id).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(made)).into_response())
}

async fn revoke(
    State(feeds): State<RowFeeds>,
    Permitted { scope, .. }: Permitted<RowFeedsUpdate>,
    Id(id): Id<RowFeedId>,
) -> Result<StatusCode, ApiError> {
    let mut tx = feeds.store.begin(&scope).await.map_err(Problem::from)?;
    row_feed_revoke_token(&mut tx, id).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn flush(
    State(feeds): State<RowFeeds>,
    Permitted { scope, .. }: Permitted<RowFeedsUpdate>,
    Id(id): Id<RowFeedId>,
) -> Result<Response, ApiError> {
    let mut tx = feeds.store.begin(&scope).await.map_err(Problem::from)?;
    let asked: FlushAsked = row_feed_flush(&mut tx, id).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok((StatusCode::ACCEPTED, Json(asked)).into_response())
}
