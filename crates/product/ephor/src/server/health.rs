//! `/healthz` and `/readyz`: is the process alive, and can it serve?

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use ephor_store::{audit, platform};
use serde_json::json;

use super::App;

/// The process is alive.
pub async fn alive() -> impl IntoResponse {
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

/// It can serve: the database answers, with the schema that this binary knows. What is weaker than it could be is
/// told, too.
pub async fn ready(State(app): State<App>) -> impl IntoResponse {
    let database = app.store.is_schema_current().await;
    let mut weaknesses = Vec::new();
    if app.store.shares_login() {
        weaknesses.push("one log-in serves for several roles; `ephor db bootstrap` prints how to have one for each");
    }
    let unpublished = match &database {
        Ok(_) => audit::publication_list(&app.store).await.unwrap_or_default(),
        Err(_) => Vec::new(),
    };
    // Anybody may ask this: where to, and why not, is for the operator.
    if unpublished.iter().any(|one| one.fault.is_some()) {
        weaknesses.push("checkpoints are not published; `ephor audit status` tells why");
    }
    if database.is_ok()
        && platform::erasures_open(&app.store).await.is_ok_and(|open| open.need_help())
    {
        weaknesses
            .push("people asked to be erased and are not; `ephor admin erasure list` tells why");
    }
    let reason = match database {
        Ok(true) => {
            return (StatusCode::OK, Json(json!({ "status": "ready", "weaknesses": weaknesses })));
        }
        Ok(false) => {
            tracing::warn!("not ready: the schema is not the one that this version knows");
            "the database's schema is not the one that this version of Ephor knows; `ephor db status` tells what differs"
        }
        Err(error) => {
            tracing::warn!(%error, "not ready");
            "the database does not answer"
        }
    };
    let told = json!({ "status": "unavailable", "reason": reason });
    (StatusCode::SERVICE_UNAVAILABLE, Json(told))
}
