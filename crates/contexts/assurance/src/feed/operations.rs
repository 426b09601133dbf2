//! Row feeds, described for the OpenAPI document.

use ephor_rest::Operation;
use serde_json::{Value, json};

use super::MAX_BATCH_ROWS;
use crate::operations::parameters;

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/v1/row_feeds", "Make a row feed")
            .tag("row feeds")
            .about("An address with a token, to which programs push rows. The token is in this answer alone: it is not shown again. 409 when the name is taken, or there are 100 row feeds.")
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
            .about("What waits becomes a data set, and is analysed if the row feed has a specification. 409 when nothing waits; 429 when it was stored 60 times within an hour.")
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
    let parameters = parameters();
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
            "schedule": { "type": ["string", "null"], "maxLength": 100, "pattern": "^\\S+( \\S+){4}$", "description": "When what waits is stored and analysed: a cron expression of five fields, in UTC." },
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
