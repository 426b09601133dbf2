//! The actions: what is used, and which payment method is charged.

use axum::{
    Json, Router,
    extract::{FromRef, State},
    routing::{get, post},
};
use ephor_kernel::{PaymentMethodId, Problem};
use ephor_rest::{ApiError, Engine, Id, ListRequest, Permitted, permissions};
use serde_json::Value;

use crate::{Billing, Usage};

permissions! {
    /// See what is used.
    pub UsageRead = "usage_records", "read";
    /// Choose what is charged.
    pub PaymentMethodsUpdate = "payment_methods", "update";
}

#[derive(Clone, FromRef)]
struct Parts {
    billing: Billing,
    engine: Engine,
}

/// The routes, to be merged with those of the resource engine.
pub fn routes(billing: Billing, engine: Engine) -> Router {
    Router::new()
        .route("/v1/usage", get(usage))
        .route("/v1/payment_methods/{id}/default", post(make_default))
        .with_state(Parts { billing, engine })
}

async fn usage(
    State(billing): State<Billing>,
    Permitted { scope, .. }: Permitted<UsageRead>,
) -> Result<Json<Usage>, ApiError> {
    Ok(Json(billing.usage(&scope).await?))
}

async fn make_default(
    State(Parts { billing, engine }): State<Parts>,
    Permitted { scope, .. }: Permitted<PaymentMethodsUpdate>,
    Id(id): Id<PaymentMethodId>,
) -> Result<Json<Value>, ApiError> {
    let mut tx = billing.payment_method_default(&scope, id).await?;
    let row = engine.get(&mut tx, "payment_methods", id.uuid(), &ListRequest::new()).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(Json(row))
}
