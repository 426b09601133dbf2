//! The actions: publishing a post, and taking it back.

use axum::{Json, Router, extract::State, routing::post};
use ephor_kernel::{PostId, Problem, Scope};
use ephor_rest::{ApiError, Engine, Id, Permitted, permissions};
use ephor_store::Store;
use serde_json::{Value, json};

use crate::Content;

permissions! {
    /// Change posts, whether they are published too.
    pub PostsUpdate = "posts", "update";
}

#[derive(Clone)]
struct Parts {
    store: Store,
    engine: Engine,
}

/// The routes, to be merged with those of the resource engine.
pub fn routes(content: &Content, engine: Engine) -> Router {
    Router::new()
        .route("/v1/posts/{id}/publish", post(publish))
        .route("/v1/posts/{id}/unpublish", post(unpublish))
        .with_state(Parts { store: content.store().clone(), engine })
}

async fn publish(
    State(parts): State<Parts>,
    Permitted { scope, .. }: Permitted<PostsUpdate>,
    Id(id): Id<PostId>,
) -> Result<Json<Value>, ApiError> {
    step(&parts, &scope, id, "published").await
}

async fn unpublish(
    State(parts): State<Parts>,
    Permitted { scope, .. }: Permitted<PostsUpdate>,
    Id(id): Id<PostId>,
) -> Result<Json<Value>, ApiError> {
    step(&parts, &scope, id, "draft").await
}

/// The database keeps the state machine, stamps the time and makes the address.
async fn step(
    parts: &Parts,
    scope: &Scope,
    id: PostId,
    status: &str,
) -> Result<Json<Value>, ApiError> {
    let mut tx = parts.engine.begin_write(&parts.store, scope, "posts").await?;
    let patch = json!({ "status": status });
    let row = parts.engine.update(&mut tx, "posts", id.uuid(), &patch, None).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(Json(row))
}
