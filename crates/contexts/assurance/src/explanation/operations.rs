//! The same, described for the OpenAPI document.

use ephor_rest::Operation;
use serde_json::{Map, Value, json};

use super::faults::{MOST_BACKGROUND, MOST_EFFECTS, MOST_NEAR, MOST_RESAMPLES};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/v1/model_explanations", "Explain a model on a data set")
            .tag("explanations")
            .about("From the file of a version of the model. SHAP values are exact for trees and linear models. It is checked at once and computed in the background; the same one that is under way already is not begun again. Beside an analysis, model and data set are the analysis' own where they are left out. Needs the permissions `model_artifacts:read` and `datasets:read` as well, and `bias_analyses:read` beside an analysis.")
            .permission("model_explanations", "create")
            .request(create())
            .response(202, explanation()),
        Operation::get("/v1/model_explanations/{id}/summary", "What an explanation found")
            .tag("explanations")
            .about("A digest of bounded size: what each feature adds over all rows, rows drawn by chance, single rows, effects. 409 until it has completed, and of one that another system made.")
            .permission("model_explanations", "read")
            .response(200, json!({ "type": "object" })),
        Operation::get("/v1/model_explanations/{id}/values", "The values of an explanation")
            .tag("explanations")
            .about("A download of all of them: a line for each row with what each feature adds, or for each weight, repeat or point of a curve. 409 until it has completed.")
            .permission("model_explanations", "read")
            .query("format", json!({ "enum": ["parquet", "csv"], "default": "parquet" }), "The format.")
            .response_as(200, "application/vnd.apache.parquet", json!({ "type": "string", "format": "binary" }))
            .or_as("text/csv", json!({ "type": "string" })),
        Operation::post("/v1/model_explanations/{id}/cancel", "Cancel an explanation")
            .tag("explanations")
            .about("At once while it waits, else as soon as its work notices. 409 when it has come to its end.")
            .permission("model_explanations", "cancel")
            .response(202, explanation()),
    ]
}

/// An explanation without what it found.
fn explanation() -> Value {
    const COLUMNS: [&str; 20] = [
        "id",
        "model_id",
        "artifact_id",
        "dataset_id",
        "background_dataset_id",
        "analysis_id",
        "explanation_type",
        "parameters",
        "status",
        "job_id",
        "progress",
        "progress_message",
        "row_count",
        "values_bytes",
        "values_sha256",
        "failure",
        "created_by",
        "created_at",
        "started_at",
        "completed_at",
    ];
    let place = |column: &str| {
        let reference = format!("#/components/schemas/model_explanations/properties/{column}");
        (column.to_owned(), json!({ "$ref": reference }))
    };
    let properties: Map<_, _> = COLUMNS.into_iter().map(place).collect();
    json!({ "type": "object", "required": COLUMNS, "properties": properties, "additionalProperties": false })
}

fn create() -> Value {
    let id =
        |what: &str| json!({ "type": ["string", "null"], "format": "uuid", "description": what });
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["explanation_type"],
        "properties": {
            "model_id": id("The model; the analysis' own beside one."),
            "artifact_id": id("Which file of it: of the version in force by default, or of the latest that has one."),
            "dataset_id": id("The data set; the analysis' own beside one."),
            "background_dataset_id": id("shap, lime and global: the data set whose rows are compared with, such as the training data; the same data set by default. Its columns have the same names."),
            "analysis_id": id("The bias analysis that it goes with."),
            "explanation_type": { "enum": ["shap", "lime", "permutation", "global"] },
            "parameters": parameters()
        }
    })
}

fn parameters() -> Value {
    let count = |least: usize, most: usize, what: &str| json!({ "type": ["integer", "null"], "minimum": least, "maximum": most, "description": what });
    let names = |most: usize, what: &str| json!({ "type": ["array", "null"], "items": { "type": "string" }, "minItems": 1, "maxItems": most, "description": what });
    let column = |what: &str| json!({ "type": ["string", "null"], "description": what });
    json!({
        "type": "object",
        "additionalProperties": false,
        "default": {},
        "properties": {
            "columns": names(10_000, "The data set's columns in the model's order, where they have other names than its features."),
            "output": count(0, 1_000_000, "shap, lime and global: which output, counted from 0; the one, or class 1 of two."),
            "rows": count(1, u32::MAX as usize, "How many rows: the first of them for shap (all by default; with kernel SHAP, of models that are neither trees nor linear, 100, and at most 10000) and lime (at most 100), drawn by chance for the others (at most 100000)."),
            "background": count(1, MOST_BACKGROUND, "shap, lime and global: how many rows to compare with, drawn by chance from the background data set, or else from the data set itself. With neither, trees are explained by the ways of their training rows."),
            "scale": { "enum": ["margin", "probability"], "default": "margin", "description": "shap: the unit in which values add up." },
            "interactions": { "type": "boolean", "default": false, "description": "shap, of trees: what pairs of features add together, of some rows." },
            "group": column("shap: the column that says who belongs to which group."),
            "reference": column("shap: the group that others are compared with; the largest by default."),
            "resamples": count(20, MOST_RESAMPLES, "shap with `group`: how often rows are drawn again for intervals and shuffled for p-values; by default 1000, or 20 for each test up to 10000. At most 2^25 / (2 x features)."),
            "precision": { "type": ["number", "null"], "exclusiveMinimum": 0, "description": "shap of models that are neither trees nor linear: enough when the largest standard error of a row's values is below this, in the unit of the prediction. Refused where values are exact." },
            "single_rows": { "type": ["array", "null"], "items": { "type": "integer", "minimum": 0 }, "minItems": 1, "maxItems": MOST_NEAR, "description": "shap: the rows to be shown each by itself, counted from 0; the first ten by default." },
            "target": column("permutation: the column of true labels."),
            "metric": { "enum": ["accuracy", "log_loss", "roc_auc", "r2", "mean_squared_error", "mean_absolute_error", null], "description": "permutation: how good the model is." },
            "repeats": count(1, 100, "permutation and lime: how often."),
            "samples": count(100, 50_000, "lime: how many made-up rows; shap of models that are neither trees nor linear: how many coalitions of features are tried for a row; refused where values are exact."),
            "top": count(1, 100, "lime: how many features a linear model has at most."),
            "categorical": { "type": "array", "items": { "type": "string" }, "default": [], "description": "lime and global: the features whose numbers are categories." },
            "features": names(MOST_EFFECTS, "global: the features whose effects are shown; those that count most by default."),
            "effect": { "enum": ["partial", "accumulated"], "default": "partial", "description": "global: which effect." },
            "points": count(2, 200, "global: at how many values of a feature."),
            "seed": { "type": "integer", "minimum": 0, "maximum": u64::MAX, "default": 0 }
        }
    })
}
