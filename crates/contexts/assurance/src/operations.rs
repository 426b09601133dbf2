//! The actions, described for the OpenAPI document.

use ephor_rest::Operation;
use serde_json::{Map, Value, json};

/// What the resource engine does not know of.
pub fn operations() -> Vec<Operation> {
    let mut all = vec![
        Operation::post("/v1/bias_analyses", "Analyse a data set for bias")
            .tag("bias analyses")
            .about("It is checked at once and run in the background; the answer says where to look.")
            .permission("bias_analyses", "create")
            .request(create())
            .response(202, analysis()),
        Operation::get("/v1/bias_analyses/{id}/result", "What an analysis found")
            .tag("bias analyses")
            .about("Groups with their metrics and intervals, disparities with their status, intersections, curves, recommendations. 404 until it has completed, and of one that another system ran.")
            .permission("bias_analyses", "read")
            .response(200, json!({ "type": "object" })),
        Operation::post("/v1/bias_analyses/{id}/cancel", "Cancel a bias analysis")
            .tag("bias analyses")
            .about("At once while it waits, else as soon as its scan notices. 409 when it has come to its end.")
            .permission("bias_analyses", "cancel")
            .response(202, analysis()),
    ];
    all.extend(crate::reports::operations());
    all.extend(crate::monitor::operations());
    all.extend(crate::feed::operations());
    all.extend(crate::mitigation::operations());
    all
}

/// An analysis without its result.
fn analysis() -> Value {
    const COLUMNS: [&str; 21] = [
        "id",
        "name",
        "description",
        "dataset_id",
        "model_id",
        "model_version_id",
        "analysis_type",
        "parameters",
        "status",
        "job_id",
        "progress",
        "progress_message",
        "outcome",
        "row_count",
        "failed_count",
        "warning_count",
        "metrics_sha256",
        "failure",
        "created_by",
        "created_at",
        "started_at",
    ];
    let place = |column: &str| {
        let reference = format!("#/components/schemas/bias_analyses/properties/{column}");
        (column.to_owned(), json!({ "$ref": reference }))
    };
    let mut properties: Map<_, _> = COLUMNS.into_iter().map(place).collect();
    properties.insert(
        "completed_at".into(),
        json!({ "type": ["string", "null"], "format": "date-time" }),
    );
    // As a text, so that no digit is lost.
    properties.insert("compliance_score".into(), json!({ "type": ["string", "null"] }));
    let required: Vec<_> = properties.keys().cloned().collect();
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
}

pub(crate) fn create() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["dataset_id", "parameters"],
        "properties": {
            "name": { "type": "string", "minLength": 1, "maxLength": 200 },
            "description": { "type": "string", "maxLength": 10000 },
            "dataset_id": { "type": "string", "format": "uuid" },
            "model_id": { "type": ["string", "null"], "format": "uuid" },
            "parameters": {
                "type": "object",
                "additionalProperties": false,
                "required": ["target", "protected"],
                "properties": {
                    "analysis_type": {
                        "enum": ["demographic_parity", "equalized_odds", "individual_fairness", "comprehensive"],
                        "default": "comprehensive"
                    },
                    "target": { "type": "string", "description": "The column of true labels." },
                    "prediction": { "type": ["string", "null"], "description": "The column of predicted labels." },
                    "score": { "type": ["string", "null"], "description": "The column of scores." },
                    "score_threshold": { "type": "number", "default": 0.5 },
                    "positive_label": { "type": ["string", "null"] },
                    "protected": { "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": 8 },
                    "weight": { "type": ["string", "null"] },
                    "strata": {
                        "type": ["string", "null"],
                        "description": "A column of strata, such as jobs, within which groups are compared too."
                    },
                    "reference_groups": { "type": "object", "additionalProperties": { "type": "string" } },
                    "intersection_depth": { "type": ["integer", "null"], "minimum": 1 },
                    "min_group_size": { "type": "integer", "minimum": 0, "default": 30 },
                    "thresholds": { "type": "object", "additionalProperties": { "type": "number", "minimum": 0 } },
                    "confidence": { "type": "number", "minimum": 0.5, "exclusiveMaximum": 1, "default": 0.95 },
                    "seed": { "type": "integer", "minimum": 0, "default": 0 },
                    "bootstrap_draws": { "type": "integer", "minimum": 0, "maximum": 100_000, "default": 2000 },
                    "features": {
                        "type": "array", "items": { "type": "string" }, "maxItems": 64,
                        "description": "With individual_fairness: the columns that say who is like whom."
                    },
                    "neighbours": { "type": "integer", "minimum": 1, "maximum": 1000, "default": 5 }
                }
            }
        }
    })
}
