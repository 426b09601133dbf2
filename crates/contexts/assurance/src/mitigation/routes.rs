//! The actions: compute a mitigation, download its artefact, apply it to a data set.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use ephor_kernel::{AnalysisId, MitigationId, Problem};
use ephor_rest::{ApiError, Body, Id, Permitted, permissions};
use serde::Serialize;

use super::{
    ApplicationCreate, MitigationCreate, application_get, mitigation_apply, mitigation_artifact,
    mitigation_ask, mitigation_file, mitigation_get,
};
use crate::Assurance;

permissions! {
    /// Compute mitigations.
    pub MitigationsCreate = "mitigation_artifacts", "create";
    /// See mitigations.
    pub MitigationsRead = "mitigation_artifacts", "read";
    /// Apply mitigations to data sets.
    pub MitigationsApply = "mitigation_artifacts", "apply";
}

/// The routes, to be merged with the others of this context.
pub(crate) fn routes() -> Router<Assurance> {
    Router::new()
        .route("/v1/bias_analyses/{id}/mitigations", post(create))
        .route("/v1/mitigation_artifacts/{id}/artifact", get(artifact))
        .route("/v1/mitigation_artifacts/{id}/apply", post(apply))
}

async fn create(
    State(state): State<Assurance>,
    Permitted { scope, .. }: Permitted<MitigationsCreate>,
    Id(id): Id<AnalysisId>,
    Body(create): Body<MitigationCreate>,
) -> Result<Response, ApiError> {
    let made = mitigation_ask(&state, &scope, id, &create).await?;
    let mut tx = state.store.begin(&scope).await.map_err(Problem::from)?;
    let mitigation = mitigation_get(&mut tx, made).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(accepted(&format!("/v1/mitigation_artifacts/{made}"), mitigation))
}

async fn artifact(
    State(state): State<Assurance>,
    Permitted { scope, .. }: Permitted<MitigationsRead>,
    Id(id): Id<MitigationId>,
) -> Result<Response, ApiError> {
    let mut tx = state.store.begin(&scope).await.map_err(Problem::from)?;
    let artifact = mitigation_artifact(&mut tx, id).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(mitigation_file(id, &artifact)?)
}

async fn apply(
    State(state): State<Assurance>,
    Permitted { scope, .. }: Permitted<MitigationsApply>,
    Id(id): Id<MitigationId>,
    Body(create): Body<ApplicationCreate>,
) -> Result<Response, ApiError> {
    let made = mitigation_apply(&state, &scope, id, &create).await?;
    let mut tx = state.store.begin(&scope).await.map_err(Problem::from)?;
    let application = application_get(&mut tx, made).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(accepted(&format!("/v1/mitigation_applications/{made}"), application))
}

fn accepted(place: &str, body: impl Serialize) -> Response {
    let mut response = (StatusCode::ACCEPTED, Json(body)).into_response();
    if let Ok(place) = HeaderValue::from_str(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}
