//! The actions: `POST /v1/bias_analyses`, its result, and how to stop it.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use ephor_fairness::law::Rule;
use ephor_kernel::{AnalysisId, Problem};
use ephor_rest::{ApiError, Body, Id, Permitted, permissions};

use crate::{
    Assurance,
    analysis::{
        AnalysisAsked, analysis_cancel, analysis_create, analysis_data, analysis_get, analysis_law,
        analysis_result,
    },
    explanation, mitigation, reports,
};

permissions! {
    /// Ask for an analysis.
    pub AnalysesCreate = "bias_analyses", "create";
    /// See analyses.
    pub AnalysesRead = "bias_analyses", "read";
    /// Stop an analysis.
    pub AnalysesCancel = "bias_analyses", "cancel";
}

/// The routes, to be merged with those of the resource engine.
pub fn routes(state: Assurance) -> Router {
    Router::new()
        .route("/v1/bias_analyses", post(create))
        .route("/v1/bias_analyses/{id}/result", get(result))
        .route("/v1/bias_analyses/{id}/cancel", post(cancel))
        .route("/v1/bias_analyses/{id}/data", get(data))
        .route("/v1/bias_analyses/{id}/law/ll144", get(ll144))
        .route("/v1/bias_analyses/{id}/law/eeoc", get(eeoc))
        .merge(reports::routes())
        .merge(mitigation::routes())
        .merge(explanation::routes())
        .with_state(state)
}

async fn create(
    State(state): State<Assurance>,
    Permitted { scope, .. }: Permitted<AnalysesCreate>,
    Body(asked): Body<AnalysisAsked>,
) -> Result<Response, ApiError> {
    let create = asked.read()?;
    // Outside of any transaction: opening a data set reads the object store.
    let table = (state.open_dataset)(scope.clone(), create.dataset_id).await?;
    Problem::unless_empty(create.faults(&table))?;
    let mut tx = state.store.begin(&scope).await.map_err(Problem::from)?;
    let id = analysis_create(&mut tx, &create).await?;
    let analysis = analysis_get(&mut tx, id).await?;
    tx.commit().await.map_err(Problem::from)?;
    let mut response = (StatusCode::ACCEPTED, Json(analysis)).into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/bias_analyses/{id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

async fn result(
    State(state): State<Assurance>,
    Permitted { scope, .. }: Permitted<AnalysesRead>,
    Id(id): Id<AnalysisId>,
) -> Result<Response, ApiError> {
    let mut tx = state.store.begin(&scope).await.map_err(Problem::from)?;
    match analysis_result(&mut tx, id).await? {
        Some(result) => Ok(Json(result).into_response()),
        None => Err(Problem::not_found(
            "result; the analysis has not completed, or another system ran it",
        )
        .into()),
    }
}

async fn data(
    State(state): State<Assurance>,
    Permitted { scope, .. }: Permitted<AnalysesRead>,
    Id(id): Id<AnalysisId>,
) -> Result<Response, ApiError> {
    let mut tx = state.store.begin(&scope).await.map_err(Problem::from)?;
    let found = analysis_data(&mut tx, id).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(Json(found.report).into_response())
}

async fn ll144(
    state: State<Assurance>,
    permitted: Permitted<AnalysesRead>,
    id: Id<AnalysisId>,
) -> Result<Response, ApiError> {
    law(state, permitted, id, Rule::Ll144).await
}

async fn eeoc(
    state: State<Assurance>,
    permitted: Permitted<AnalysesRead>,
    id: Id<AnalysisId>,
) -> Result<Response, ApiError> {
    law(state, permitted, id, Rule::Eeoc).await
}

async fn law(
    State(state): State<Assurance>,
    Permitted { scope, .. }: Permitted<AnalysesRead>,
    Id(id): Id<AnalysisId>,
    rule: Rule,
) -> Result<Response, ApiError> {
    let mut tx = state.store.begin(&scope).await.map_err(Problem::from)?;
    let found = analysis_law(&mut tx, id, rule).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(Json(found.report).into_response())
}

async fn cancel(
    State(state): State<Assurance>,
    Permitted { scope, .. }: Permitted<AnalysesCancel>,
    Id(id): Id<AnalysisId>,
) -> Result<Response, ApiError> {
    let mut tx = state.store.begin(&scope).await.map_err(Problem::from)?;
    analysis_cancel(&mut tx, id).await?;
    let analysis = analysis_get(&mut tx, id).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok((StatusCode::ACCEPTED, Json(analysis)).into_response())
}
