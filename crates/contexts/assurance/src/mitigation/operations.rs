//! The same, described for the OpenAPI document.

use ephor_rest::Operation;
use serde_json::{Map, Value, json};

pub(crate) fn operations() -> Vec<Operation> {
    let mitigation = || {
        row(
            "mitigation_artifacts",
            &[
                "id",
                "name",
                "analysis_id",
                "dataset_id",
                "kind",
                "fairness_constraint",
                "parameters",
                "status",
                "job_id",
                "row_count",
                "artifact_sha256",
                "expected",
                "failure",
                "created_by",
                "created_at",
                "started_at",
                "completed_at",
            ],
        )
    };
    let application = || {
        row(
            "mitigation_applications",
            &[
                "id",
                "name",
                "artifact_id",
                "dataset_id",
                "column_name",
                "row_id_column",
                "status",
                "job_id",
                "result_dataset_id",
                "before_analysis_id",
                "after_analysis_id",
                "row_count",
                "report",
                "note",
                "failure",
                "created_by",
                "created_at",
                "started_at",
                "completed_at",
            ],
        )
    };
    vec![
        Operation::post("/v1/bias_analyses/{id}/mitigations", "Compute a mitigation from an analysis' data set")
            .tag("bias mitigations")
            .about("What it does not say of columns and groups is as the analysis has it. It is checked at once and computed in the background; the same one that is under way already is not begun again. Different thresholds for different groups can be disparate treatment, which law may forbid. Needs the permission `bias_analyses:read` as well.")
            .permission("mitigation_artifacts", "create")
            .request(create())
            .response(202, mitigation()),
        Operation::get("/v1/mitigation_artifacts/{id}/artifact", "The artefact of a mitigation")
            .tag("bias mitigations")
            .about("A download, as `ephor mitigate apply` takes it: rules by group, what is expected of them, the frontier between accuracy and disparity. 409 until the mitigation has completed.")
            .permission("mitigation_artifacts", "read")
            .response(200, json!({ "type": "object" })),
        Operation::post("/v1/mitigation_artifacts/{id}/apply", "Apply a mitigation to a data set")
            .tag("bias mitigations")
            .about("Makes a new data set with one more column and, where it has labels, asks for the analyses of it before and after. 409 until the mitigation has completed. Needs the permissions `datasets:create` and `bias_analyses:create` as well.")
            .permission("mitigation_artifacts", "apply")
            .request(json!({
                "type": "object",
                "additionalProperties": false,
                "required": ["dataset_id"],
                "properties": {
                    "dataset_id": { "type": "string", "format": "uuid" },
                    "name": { "type": ["string", "null"], "minLength": 1, "maxLength": 200, "pattern": "\\S", "description": "The new data set's name." },
                    "column": { "type": ["string", "null"], "minLength": 1, "maxLength": 200, "pattern": "\\S", "description": "The new column's name, if not mitigated_weight or mitigated_prediction." },
                    "row_id": { "type": ["string", "null"], "description": "The column that names rows: draws then follow the row, wherever it is." }
                }
            }))
            .response(202, application()),
    ]
}

/// A row as its resource has it, with how far its job is.
fn row(resource: &str, columns: &[&str]) -> Value {
    let place = |column: &&str| {
        let reference = format!("#/components/schemas/{resource}/properties/{column}");
        ((*column).to_owned(), json!({ "$ref": reference }))
    };
    let mut properties: Map<_, _> = columns.iter().map(place).collect();
    properties.insert("progress".into(), json!({ "type": "number", "minimum": 0, "maximum": 1 }));
    properties.insert("progress_message".into(), json!({ "type": "string" }));
    let required: Vec<_> = properties.keys().cloned().collect();
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
}

fn create() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["method"],
        "properties": {
            "name": { "type": ["string", "null"], "minLength": 1, "maxLength": 200, "pattern": "\\S" },
            "method": { "enum": ["reweighing", "threshold", "reject_option"] },
            "constraint": {
                "enum": ["demographic_parity", "equal_opportunity", "false_positive_rate_parity", "equalized_odds"],
                "default": "demographic_parity",
                "description": "What is to be equal. Thresholds for equalized_odds need randomized."
            },
            "objective": { "enum": ["accuracy", "balanced_accuracy"], "default": "balanced_accuracy" },
            "tolerance": {
                "type": ["number", "null"], "minimum": 0, "maximum": 1,
                "description": "How far from equal is accepted: 0.01 if it is left out, 0 with randomized, 0.05 for a reject option."
            },
            "randomized": { "type": "boolean", "default": false, "description": "Decide scores between two thresholds by draw." },
            "seed": { "type": "integer", "minimum": 0, "maximum": u64::MAX, "default": 0 },
            "score": { "type": ["string", "null"], "description": "The column of scores, if not the analysis' own." },
            "protected": {
                "type": ["array", "null"], "items": { "type": "string" }, "minItems": 1, "maxItems": 8,
                "description": "The attributes whose combinations are groups, if not all of the analysis."
            },
            "reference_groups": {
                "type": ["object", "null"], "additionalProperties": { "type": "string" },
                "description": "The advantaged group of each attribute, for a reject option."
            },
            "min_group_size": { "type": ["integer", "null"], "minimum": 0, "maximum": u64::MAX }
        }
    })
}
