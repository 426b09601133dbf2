//! The actions, described for the OpenAPI document.

use ephor_rest::Operation;
use serde_json::{Map, Value, json};

use crate::feed::MAX_BATCH_ROWS;

/// What the resource engine does not know of.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/v1/bias_analyses", "Analyse a data set for bias")
            .tag("bias analyses")
            .about("It is checked at once and run in the background; the answer says where to look.")
            .permission("bias_analyses", "create")
            .request(create())
            .response(202, analysis()),
        Operation::get("/v1/bias_analyses/{id}/result", "What an analysis found")
            .tag("bias analyses")
            .about("Groups with their metrics and intervals, disparities with their status, intersections, curves, recommendations. 404 until it has completed.")
            .permission("bias_analyses", "read")
            .response(200, json!({ "type": "object" })),
        Operation::post("/v1/bias_analyses/{id}/cancel", "Cancel a bias analysis")
            .tag("bias analyses")
            .about("At once while it waits, else as soon as its scan notices. 409 when it has come to its end.")
            .permission("bias_analyses", "cancel")
            .response(202, analysis()),
        Operation::post("/v1/row_feeds", "Make a row feed")
            .tag("row feeds")
            .about("An address with a token, to which programs push rows. The token is in this answer alone: it is not shown again.")
            .permission("row_feeds", "create")
            .request(create_row_feed())
            .response(201, row_feed_secret()),
        Operation::post("/v1/row_feeds/{id}/rotate_token", "Replace the token of a row feed")
            .tag("row feeds")
            .about("The old token is refused from now on. The new one is in this answer alone.")
            .permission("row_feeds", "update")
            .response(200, row_feed_secret()),
        Operation::post("/v1/row_feeds/{id}/revoke_token", "Take the token of a row feed away")
            .tag("row feeds")
            .permission("row_feeds", "update")
            .empty(204),
        Operation::post("/v1/row_feeds/{id}/flush", "Store the rows of a row feed now")
            .tag("row feeds")
            .about("What waits becomes a data set, and is analysed if the row feed has a specification. 409 when nothing waits.")
            .permission("row_feeds", "update")
            .response(202, json!({
                "type": "object",
                "required": ["job", "waiting"],
                "additionalProperties": false,
                "properties": { "job": { "type": "string", "format": "uuid" }, "waiting": { "type": "integer" } }
            })),
        Operation::post("/in/rows", "Push rows to a row feed")
            .tag("row feeds")
            .about("With the row feed's token as Authorization: Bearer, or as the next part of the address: /in/rows/{token}. \
                    The body is an array of objects (application/json), a line for each (application/x-ndjson), or CSV with \
                    a line of names (text/csv). A batch is kept as a whole, or refused with every fault. With the header \
                    Idempotency-Key it can be sent again without being taken in twice.")
            .public()
            .request(json!({ "type": "array", "items": { "type": "object" }, "minItems": 1, "maxItems": MAX_BATCH_ROWS }))
            .response(202, json!({
                "type": "object",
                "required": ["accepted", "total", "waiting", "job"],
                "additionalProperties": false,
                "properties": {
                    "accepted": { "type": "integer", "description": "The rows of this batch." },
                    "total": { "type": "integer", "description": "All rows that the row feed took in." },
                    "waiting": { "type": "integer", "description": "Rows that are in no data set yet." },
                    "job": { "type": ["string", "null"], "format": "uuid", "description": "The job that is to store them, if it is time." }
                }
            })),
    ]
}

fn create_row_feed() -> Value {
    let parameters = create().pointer("/properties/parameters").cloned().unwrap_or_default();
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["name"],
        "properties": {
            "name": { "type": "string", "minLength": 1, "maxLength": 200, "pattern": "\\S" },
            "description": { "type": "string", "maxLength": 10000 },
            "model_id": { "type": ["string", "null"], "format": "uuid" },
            "columns": {
                "type": "array",
                "maxItems": 500,
                "description": "What a row has. Left out, the first batch fixes it.",
                "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["name", "type"],
                    "properties": {
                        "name": { "type": "string", "minLength": 1, "maxLength": 200 },
                        "type": { "enum": ["text", "integer", "number", "boolean"] }
                    }
                }
            },
            "analyse_after": { "type": ["integer", "null"], "minimum": 1, "maximum": 1_000_000, "description": "After how many new rows they are stored and analysed." },
            "keep_rows": { "type": ["integer", "null"], "minimum": 1, "maximum": 1_000_000, "description": "How many of the newest rows a data set holds at most; 100000 if it is left out." },
            "parameters": { "anyOf": [parameters, { "type": "null" }] }
        }
    })
}

/// A token, once.
fn row_feed_secret() -> Value {
    json!({
        "type": "object",
        "required": ["id", "name", "token", "token_prefix", "path"],
        "additionalProperties": false,
        "properties": {
            "id": { "type": "string", "format": "uuid" },
            "name": { "type": "string" },
            "token": { "type": "string" },
            "token_prefix": { "type": "string" },
            "path": { "type": "string" }
        }
    })
}

/// An analysis without its result.
fn analysis() -> Value {
    const COLUMNS: [&str; 20] = [
        "id",
        "name",
        "description",
        "dataset_id",
        "model_id",
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

fn create() -> Value {
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
                    "reference_groups": { "type": "object", "additionalProperties": { "type": "string" } },
                    "intersection_depth": { "type": ["integer", "null"], "minimum": 1 },
                    "min_group_size": { "type": "integer", "minimum": 0, "default": 30 },
                    "thresholds": { "type": "object", "additionalProperties": { "type": "number", "minimum": 0 } },
                    "confidence": { "type": "number", "minimum": 0.5, "exclusiveMaximum": 1, "default": 0.95 },
                    "seed": { "type": "integer", "minimum": 0, "default": 0 },
                    "bootstrap_draws": { "type": "integer", "minimum": 0, "maximum": 100_000, "default": 2000 }
                }
            }
        }
    })
}
