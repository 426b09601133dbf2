//! How the parts of Ephor are, over the API. They belong to the installation, so everybody sees the same.

use axum::{Json, Router, extract::State, routing::get};
use ephor_kernel::Problem;
use ephor_rest::{ApiError, Operation, Permitted, permissions};
use ephor_store::{HealthRecord, Store, health_list, platform::is_platform_administrator};
use serde::Serialize;
use serde_json::{Value, json};

permissions! {
    /// See how Ephor is.
    pub SystemInspect = "system", "inspect";
}

/// The route, to be merged with those of the resource engine.
pub fn routes(store: Store) -> Router {
    Router::new().route("/v1/system_health", get(list)).with_state(store)
}

/// All of them: there are some ten.
#[derive(Serialize)]
struct Parts {
    data: Vec<HealthRecord>,
}

async fn list(
    State(store): State<Store>,
    Permitted { scope, .. }: Permitted<SystemInspect>,
) -> Result<Json<Parts>, ApiError> {
    let mut data = health_list(&store).await.map_err(Problem::from)?;
    // What went wrong may speak of any organization.
    if !is_platform_administrator(&store, &scope).await.map_err(Problem::from)? {
        for part in &mut data {
            part.details = json!({});
        }
    }
    Ok(Json(Parts { data }))
}

fn part() -> Value {
    let time =
        |about: &str| json!({ "type": "string", "format": "date-time", "description": about });
    json!({
        "type": "object",
        "required": ["service_name", "status", "silent", "health_data", "last_check", "changed_at"],
        "properties": {
            "service_name": { "type": "string", "description": "The part, such as relay." },
            "status": { "type": "string", "enum": ["healthy", "degraded", "unhealthy"] },
            "silent": {
                "type": "boolean",
                "description": "It gave no sign of life for longer than it should, and counts as unhealthy.",
            },
            "health_data": {
                "type": "object",
                "description": "What is known beyond that; empty for all but administrators of the platform.",
            },
            "last_check": time("When it was looked at last: its last sign of life."),
            "changed_at": time("When it was found to have become what it is."),
        },
    })
}

/// The same for the OpenAPI document.
pub fn operations() -> Vec<Operation> {
    let parts = json!({
        "type": "object", "required": ["data"],
        "properties": { "data": { "type": "array", "items": part() } },
    });
    vec![
        Operation::get("/v1/system_health", "List the parts of Ephor and how they are")
            .tag("system")
            .about("Each part of the installation by its name, as it was when it was looked at last, within some minutes.")
            .permission("system", "inspect")
            .response(200, parts),
    ]
}
