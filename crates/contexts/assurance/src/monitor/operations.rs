//! The actions, described for the OpenAPI document.

use ephor_rest::Operation;
use serde_json::json;

/// What the resource engine does not know of.
pub(crate) fn operations() -> Vec<Operation> {
    let alert = json!({ "$ref": "#/components/schemas/monitoring_alerts" });
    vec![
        Operation::post("/v1/monitors/{id}/run", "Run a monitor now")
            .tag("monitors")
            .about("In the background; `last_run_at`, `last_outcome` and `last_result` of the monitor tell what came of it. While a run waits or goes on, that is the one. 409 unless the monitor is active; 422 with all that is missing when it is not complete, and with every column that its data sets do not have.")
            .permission("monitors", "update")
            .response(202, json!({
                "type": "object",
                "additionalProperties": false,
                "required": ["monitor_id", "job_id"],
                "properties": {
                    "monitor_id": { "type": "string", "format": "uuid" },
                    "job_id": { "type": "string", "format": "uuid" },
                },
            })),
        Operation::post("/v1/monitoring_alerts/{id}/acknowledge", "Acknowledge an alert")
            .tag("alerts")
            .about("Says that somebody looks after it; who and when is kept. It stays until it recovers or is closed. 409 unless it is open.")
            .permission("monitoring_alerts", "update")
            .response(200, alert.clone()),
        Operation::post("/v1/monitoring_alerts/{id}/close", "Close an alert")
            .tag("alerts")
            .about("Who, when and why is kept. What is still wrong at the monitor's next run raises a new one. 409 when it is closed already.")
            .permission("monitoring_alerts", "update")
            .request(json!({
                "type": "object",
                "additionalProperties": false,
                "required": ["reason"],
                "properties": { "reason": { "type": "string", "minLength": 1, "maxLength": 2000 } },
            }))
            .response(200, alert),
    ]
}
