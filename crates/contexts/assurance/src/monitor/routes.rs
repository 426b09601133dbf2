//! The actions: run a monitor now, acknowledge an alert, close it.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use ephor_kernel::{AlertId, MonitorId, Problem};
use ephor_rest::{ApiError, Body, Engine, Id, Permitted, permissions};
use serde_json::Value;

use super::{AlertClose, alert_acknowledge, alert_close, monitor_run_now};
use crate::Assurance;

permissions! {
    /// Have monitors run.
    pub MonitorsUpdate = "monitors", "update";
    /// Acknowledge and close alerts.
    pub AlertsUpdate = "monitoring_alerts", "update";
}

#[derive(Clone)]
struct Parts {
    assurance: Assurance,
    engine: Engine,
}

/// The routes, to be merged with those of the resource engine.
pub fn routes(assurance: Assurance, engine: Engine) -> Router {
    Router::new()
        .route("/v1/monitors/{id}/run", post(run))
        .route("/v1/monitoring_alerts/{id}/acknowledge", post(acknowledge))
        .route("/v1/monitoring_alerts/{id}/close", post(close))
        .with_state(Parts { assurance, engine })
}

async fn run(
    State(parts): State<Parts>,
    Permitted { scope, .. }: Permitted<MonitorsUpdate>,
    Id(id): Id<MonitorId>,
) -> Result<Response, ApiError> {
    let mut tx = parts.assurance.store.begin(&scope).await.map_err(Problem::from)?;
    let run = monitor_run_now(&mut tx, id).await?;
    tx.commit().await.map_err(Problem::from)?;
    let mut response = (StatusCode::ACCEPTED, Json(run)).into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/monitors/{id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

async fn acknowledge(
    State(parts): State<Parts>,
    Permitted { scope, .. }: Permitted<AlertsUpdate>,
    Id(id): Id<AlertId>,
) -> Result<Json<Value>, ApiError> {
    let mut tx = parts.assurance.store.begin(&scope).await.map_err(Problem::from)?;
    let row = alert_acknowledge(&parts.engine, &mut tx, id).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(Json(row))
}

async fn close(
    State(parts): State<Parts>,
    Permitted { scope, .. }: Permitted<AlertsUpdate>,
    Id(id): Id<AlertId>,
    Body(closing): Body<AlertClose>,
) -> Result<Json<Value>, ApiError> {
    Problem::unless_empty(closing.faults())?;
    let mut tx = parts.assurance.store.begin(&scope).await.map_err(Problem::from)?;
    let row = alert_close(&parts.engine, &mut tx, id, &closing).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(Json(row))
}
