//! The actions: ask for an explanation, see what it found, download its values, stop it.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use ephor_kernel::{ExplanationId, Problem};
use ephor_rest::{ApiError, Body, Id, Permitted, Query, permissions};
use serde::Deserialize;

use super::{
    ExplanationAsked, ValuesFormat, explanation_ask, explanation_cancel, explanation_file,
    explanation_get, explanation_summary,
};
use crate::Assurance;

permissions! {
    /// Ask for explanations.
    pub ExplanationsCreate = "model_explanations", "create";
    /// See explanations.
    pub ExplanationsRead = "model_explanations", "read";
    /// Stop explanations.
    pub ExplanationsCancel = "model_explanations", "cancel";
}

/// The routes, to be merged with the others of this context.
pub(crate) fn routes() -> Router<Assurance> {
    Router::new()
        .route("/v1/model_explanations", post(create))
        .route("/v1/model_explanations/{id}/summary", get(summary))
        .route("/v1/model_explanations/{id}/values", get(values))
        .route("/v1/model_explanations/{id}/cancel", post(cancel))
}

async fn create(
    State(state): State<Assurance>,
    Permitted { scope, .. }: Permitted<ExplanationsCreate>,
    Body(asked): Body<ExplanationAsked>,
) -> Result<Response, ApiError> {
    let id = explanation_ask(&state, &scope, &asked).await?;
    let mut tx = state.store.begin(&scope).await.map_err(Problem::from)?;
    let explanation = explanation_get(&mut tx, id).await?;
    tx.commit().await.map_err(Problem::from)?;
    let mut response = (StatusCode::ACCEPTED, Json(explanation)).into_response();
    if let Ok(place) = HeaderValue::from_str(&format!("/v1/model_explanations/{id}")) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

async fn summary(
    State(state): State<Assurance>,
    Permitted { scope, .. }: Permitted<ExplanationsRead>,
    Id(id): Id<ExplanationId>,
) -> Result<Response, ApiError> {
    let mut tx = state.store.begin(&scope).await.map_err(Problem::from)?;
    let summary = explanation_summary(&mut tx, id).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(Json(summary).into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ValuesQuery {
    #[serde(default)]
    format: ValuesFormat,
}

async fn values(
    State(state): State<Assurance>,
    Permitted { scope, .. }: Permitted<ExplanationsRead>,
    Id(id): Id<ExplanationId>,
    Query(query): Query<ValuesQuery>,
) -> Result<Response, ApiError> {
    Ok(explanation_file(&state, &scope, id, query.format).await?)
}

async fn cancel(
    State(state): State<Assurance>,
    Permitted { scope, .. }: Permitted<ExplanationsCancel>,
    Id(id): Id<ExplanationId>,
) -> Result<Response, ApiError> {
    let mut tx = state.store.begin(&scope).await.map_err(Problem::from)?;
    explanation_cancel(&mut tx, id).await?;
    let explanation = explanation_get(&mut tx, id).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok((StatusCode::ACCEPTED, Json(explanation)).into_response())
}
