//! `GET /v1/bias_analyses/{id}/report` and `/comparison`, `GET /v1/models/{id}/trend` and `/card`.

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use ephor_fairness::catalogue;
use ephor_kernel::{AnalysisId, Fault, ModelId, Problem};
use ephor_rest::{ApiError, Id, Permitted, Query, permissions};
use serde::Deserialize;

use super::{CardFormat, ReportFormat, analysis_file, card_file};
use crate::{
    Assurance,
    analysis::{analysis_comparison, completed_get},
    card::model_card,
    trend::model_trend,
};

permissions! {
    /// See analyses.
    pub AnalysesRead = "bias_analyses", "read";
    /// See models.
    pub ModelsRead = "models", "read";
}

/// The routes, to be merged with the others of this context.
pub(crate) fn routes() -> Router<Assurance> {
    Router::new()
        .route("/v1/bias_analyses/{id}/comparison", get(comparison))
        .route("/v1/bias_analyses/{id}/report", get(report))
        .route("/v1/models/{id}/trend", get(trend))
        .route("/v1/models/{id}/card", get(card))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ComparisonQuery {
    with: AnalysisId,
}

async fn comparison(
    State(state): State<Assurance>,
    Permitted { scope, .. }: Permitted<AnalysesRead>,
    Id(id): Id<AnalysisId>,
    Query(query): Query<ComparisonQuery>,
) -> Result<Response, ApiError> {
    let mut tx = state.store.begin(&scope).await.map_err(Problem::from)?;
    let compared = analysis_comparison(&mut tx, id, query.with).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(Json(compared.comparison).into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReportQuery {
    #[serde(default)]
    format: ReportFormat,
}

async fn report(
    State(state): State<Assurance>,
    Permitted { scope, .. }: Permitted<AnalysesRead>,
    Id(id): Id<AnalysisId>,
    Query(query): Query<ReportQuery>,
) -> Result<Response, ApiError> {
    let mut tx = state.store.begin(&scope).await.map_err(Problem::from)?;
    let completed = completed_get(&mut tx, id).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(analysis_file(state.pages, completed, query.format, None).await?)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrendQuery {
    #[serde(default)]
    metric: Option<String>,
}

/// A disparity by its id or another of its names.
///
/// # Errors
/// `invalid`, with the name that was most likely meant.
pub fn metric_named(name: &str) -> Result<&'static str, Problem> {
    if let Some(found) = catalogue::disparity_named(name) {
        return Ok(found);
    }
    let cut: String = name.chars().take(60).collect();
    let fault = Fault::new(
        "query:metric",
        "vocabulary",
        format!("`{cut}` is no disparity that Ephor knows"),
    );
    let fault = match catalogue::nearest(&cut) {
        Some(near) => fault.hint(format!("Did you mean `{near}`? `ephor metrics` lists them all.")),
        None => fault.hint("`ephor metrics` lists them all."),
    };
    Err(Problem::invalid(vec![fault]))
}

async fn trend(
    State(state): State<Assurance>,
    Permitted { scope, .. }: Permitted<AnalysesRead>,
    Id(id): Id<ModelId>,
    Query(query): Query<TrendQuery>,
) -> Result<Response, ApiError> {
    // The trend names the model.
    scope.require("models", "read")?;
    let metric = query.metric.as_deref().map(metric_named).transpose()?;
    let mut tx = state.store.begin(&scope).await.map_err(Problem::from)?;
    let trend = model_trend(&mut tx, id, metric).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(Json(trend).into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CardQuery {
    #[serde(default)]
    format: CardFormat,
}

async fn card(
    State(state): State<Assurance>,
    Permitted { scope, .. }: Permitted<ModelsRead>,
    Id(id): Id<ModelId>,
    Query(query): Query<CardQuery>,
) -> Result<Response, ApiError> {
    let mut tx = state.store.begin(&scope).await.map_err(Problem::from)?;
    let card = model_card(&mut tx, id).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(card_file(state.pages, card, query.format).await?)
}
