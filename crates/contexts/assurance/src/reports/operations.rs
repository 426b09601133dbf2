//! The same, described for the OpenAPI document.

use ephor_fairness::{catalogue, task::Task};
use ephor_rest::Operation;
use serde_json::{Value, json};

pub(crate) fn operations() -> Vec<Operation> {
    let object = || json!({ "type": "object" });
    let text = || json!({ "type": "string" });
    let binary = || json!({ "type": "string", "format": "binary" });
    vec![
        Operation::get("/v1/bias_analyses/{id}/comparison", "Compare an analysis with another")
            .tag("bias analyses")
            .about("What got better, worse or stayed since the other one, of everybody, group by group and disparity by disparity; what is new or gone, and what cannot be compared. Both are of one task, whichever. 409 until both have completed, of one that another system ran, and (`other_task`) of two tasks.")
            .permission("bias_analyses", "read")
            .needs_query("with", json!({ "type": "string", "format": "uuid" }), "The analysis to compare with: what was before.")
            .response(200, object()),
        Operation::get("/v1/bias_analyses/{id}/report", "The report of an analysis")
            .tag("bias analyses")
            .about("A download: one HTML page with plots that needs nothing but itself, the same as PDF (PDF/A-2a and PDF/UA-1), the whole result as JSON, or its disparities as CSV. 409 until it has completed, and of one that another system ran.")
            .permission("bias_analyses", "read")
            .query("format", json!({ "enum": ["html", "pdf", "json", "csv"], "default": "html" }), "The format.")
            .response_as(200, "text/html", text())
            .or_as("application/pdf", binary())
            .or_as("application/json", object())
            .or_as("text/csv", text()),
        Operation::get("/v1/models/{id}/trend", "How fair a model was, version after version")
            .tag("models")
            .about("Its latest 100 completed analyses in the order of its versions: compliance score, and each judged disparity of each protected attribute with interval, threshold and status. Needs the permission `models:read` as well.")
            .permission("bias_analyses", "read")
            .query("metric", json!({ "enum": metrics() }), "One disparity alone, such as `demographic_parity_difference`.")
            .response(200, trend()),
        Operation::get("/v1/models/{id}/card", "The model card")
            .tag("models")
            .about("A download in the shape of Mitchell et al. (2019): HTML, PDF, Markdown with the metadata that hubs of models read, or JSON. What its registry entry does not say is \"not stated\"; the fairness measured by the latest analysis is there for whoever may read analyses.")
            .permission("models", "read")
            .query("format", json!({ "enum": ["html", "pdf", "markdown", "json"], "default": "html" }), "The format.")
            .response_as(200, "text/html", text())
            .or_as("application/pdf", binary())
            .or_as("text/markdown", text())
            .or_as("application/json", object()),
    ]
}

fn metrics() -> Vec<&'static str> {
    catalogue::disparity_ids().map(|(id, _)| id).collect()
}

fn task() -> Value {
    json!({ "enum": Task::ALL.map(Task::as_str), "description": "What the model predicts." })
}

fn trend() -> Value {
    let number = || json!({ "type": ["number", "null"] });
    let integer = || json!({ "type": ["integer", "null"] });
    let text = || json!({ "type": ["string", "null"] });
    let uuid = || json!({ "type": "string", "format": "uuid" });
    let maybe_uuid = || json!({ "type": ["string", "null"], "format": "uuid" });
    let whole = |properties: Value| {
        let required: Vec<String> =
            properties.as_object().into_iter().flat_map(|all| all.keys().cloned()).collect();
        json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
    };
    let point = whole(json!({
        "analysis_id": uuid(),
        "name": { "type": "string" },
        "completed_at": { "type": "string", "format": "date-time" },
        "model_version_id": maybe_uuid(),
        "semantic_version": text(),
        "dataset_id": maybe_uuid(),
        "task": task(),
        "outcome": { "enum": ["pass", "warning", "fail", null] },
        // As a text, so that no digit is lost.
        "compliance_score": text(),
        "failed_count": integer(),
        "warning_count": integer(),
    }));
    let mark = whole(json!({
        "analysis_id": uuid(),
        "value": number(),
        "interval_low": number(),
        "interval_high": number(),
        "threshold": number(),
        "status": { "enum": ["pass", "warning", "fail", null] },
        "undefined_reason": text(),
    }));
    let line = whole(json!({
        "task": task(),
        "attribute": { "type": "string" },
        "metric": { "type": "string" },
        "title": { "type": "string" },
        "ideal": number(),
        "marks": { "type": "array", "items": mark },
    }));
    whole(json!({
        "model_id": uuid(),
        "model": { "type": "string" },
        "metric": text(),
        "points": { "type": "array", "items": point },
        "lines": { "type": "array", "items": line },
        "truncated": { "type": "boolean" },
    }))
}
