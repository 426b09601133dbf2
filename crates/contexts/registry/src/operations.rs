//! The actions, described for the OpenAPI document.

use ephor_rest::Operation;
use serde_json::{Map, Value, json};

/// What the resource engine does not know of.
pub fn operations() -> Vec<Operation> {
    let text = || json!({ "type": "string" });
    let model = |path, summary| {
        Operation::post(path, summary).tag("models").permission("models", "update").empty(204)
    };
    vec![
        Operation::post("/v1/datasets/upload", "Upload a data set")
            .tag("data sets")
            .about("CSV, NDJSON, JSON or Parquet, as the body itself or as the field `file` of a form. It is checked, profiled and stored as Parquet; a broken file is refused with line and column, and nothing is kept.")
            .permission("datasets", "create")
            .query("name", text(), "A name for people; the file's if it is left out.")
            .query("description", text(), "What is in it and where it comes from.")
            .query("file_name", text(), "The file's name, for a bare body.")
            .query("format", json!({ "enum": ["csv", "ndjson", "json", "parquet"] }), "The format; else what the content says.")
            .request_as("application/octet-stream", json!({ "type": "string", "format": "binary" }))
            .response(201, dataset()),
        Operation::get("/v1/datasets/{id}/profile", "What the columns of a data set hold")
            .tag("data sets")
            .permission("datasets", "read")
            .response(200, object()),
        Operation::get("/v1/datasets/{id}/rows", "The first rows of a data set")
            .tag("data sets")
            .about("As JSON, or by Accept as NDJSON or CSV.")
            .permission("datasets", "read")
            .query("limit", json!({ "type": "integer", "minimum": 0, "maximum": 1000, "default": 50 }), "How many rows.")
            .response(200, json!({ "type": "array", "items": object() })),
        Operation::get("/v1/datasets/{id}/file", "A data set as Parquet")
            .tag("data sets")
            .permission("datasets", "read")
            .response_as(200, "application/vnd.apache.parquet", json!({ "type": "string", "format": "binary" })),
        Operation::post("/v1/model_versions/{id}/artifacts", "Upload the file of a model's version")
            .tag("model artefacts")
            .about("XGBoost's JSON or UBJSON, LightGBM's text, ONNX, or scikit-learn's parameters as JSON, as the body itself or as the field `file` of a form; at most 256 MiB. It is read and never run; what cannot be read is refused with the place of the fault, and nothing is kept. A version has one file: the same one sent again answers 200, another one 409.")
            .permission("model_artifacts", "create")
            .query("file_name", text(), "The file's name, for a bare body.")
            .request_as("application/octet-stream", json!({ "type": "string", "format": "binary" }))
            .response(201, artifact())
            .or(200, artifact()),
        Operation::get("/v1/model_artifacts/{id}/file", "The file of a model's version")
            .tag("model artefacts")
            .about("A download of what was uploaded, to the byte.")
            .permission("model_artifacts", "read")
            .response_as(200, "application/octet-stream", json!({ "type": "string", "format": "binary" })),
        model("/v1/models/{id}/activate", "Take a model into use"),
        model("/v1/models/{id}/deprecate", "Deprecate a model"),
        model("/v1/models/{id}/archive", "Archive a model"),
        model("/v1/models/{id}/roll_back/{version}", "Make a model what it was at a version"),
    ]
}

/// What an upload answers: the row, as far as it concerns whoever uploaded it, with its profile.
fn dataset() -> Value {
    const COLUMNS: [&str; 13] = [
        "id",
        "name",
        "description",
        "status",
        "source_format",
        "source_name",
        "schema",
        "row_count",
        "size_bytes",
        "sha256",
        "metadata",
        "created_by",
        "created_at",
    ];
    let place = |column: &str| {
        let reference = format!("#/components/schemas/datasets/properties/{column}");
        (column.to_owned(), json!({ "$ref": reference }))
    };
    let mut properties: Map<_, _> = COLUMNS.into_iter().map(place).collect();
    properties.insert("profile".into(), json!({ "type": ["object", "null"] }));
    let required: Vec<_> = properties.keys().cloned().collect();
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
}

/// The row of an artefact.
fn artifact() -> Value {
    const COLUMNS: [&str; 14] = [
        "id",
        "model_id",
        "model_version_id",
        "file_name",
        "format",
        "size_bytes",
        "sha256",
        "features",
        "outputs",
        "trees",
        "link",
        "has_covers",
        "created_by",
        "created_at",
    ];
    let place = |column: &str| {
        let reference = format!("#/components/schemas/model_artifacts/properties/{column}");
        (column.to_owned(), json!({ "$ref": reference }))
    };
    let properties: Map<_, _> = COLUMNS.into_iter().map(place).collect();
    json!({ "type": "object", "required": COLUMNS, "properties": properties, "additionalProperties": false })
}

fn object() -> Value {
    json!({ "type": "object" })
}
