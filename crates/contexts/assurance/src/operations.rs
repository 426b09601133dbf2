//! The actions, described for the OpenAPI document.

use ephor_fairness::data::MAX_FEATURES;
use ephor_rest::Operation;
use serde_json::{Map, Value, json};

/// What the resource engine does not know of.
pub fn operations() -> Vec<Operation> {
    let mut all = vec![
        Operation::post("/v1/bias_analyses", "Analyse a data set for bias")
            .tag("bias analyses")
            .about("Of yes or no, of numbers, of one class of several, or of ranked lists, as `task` says. It is checked at once and run in the background; the answer says where to look. Only `binary` has a compliance score; the outcome is the worst status of any task's judged disparities, and `warning` when nothing could be judged: the result's notes say why.")
            .permission("bias_analyses", "create")
            .request(create())
            .response(202, analysis()),
        Operation::get("/v1/bias_analyses/{id}/result", "What an analysis found")
            .tag("bias analyses")
            .about("Groups with their metrics and intervals, disparities with their status, intersections; of the task `binary` curves and recommendations, of `multiclass` the confusion of each group and each class against the rest. The same as `ephor analyze --format json`. 404 until it has completed, and of one that another system ran.")
            .permission("bias_analyses", "read")
            .response(200, json!({ "type": "object" })),
        Operation::get("/v1/bias_analyses/{id}/data", "What the data of an analysis are")
            .tag("bias analyses")
            .about("The data alone, before any model: groups with their rows, shares and base rates, what is missing of whom by column, representation beside a population, and which columns give protected attributes away. For analyses whose parameters ask for it with `data`; 409 for others, until it has completed, and of one that another system ran.")
            .permission("bias_analyses", "read")
            .response(200, data_report()),
        Operation::get("/v1/bias_analyses/{id}/law/ll144", "The report of Local Law 144 that an analysis made")
            .tag("bias analyses")
            .about("Impact ratios of selection and of scores by sex, by race or ethnicity, and by both together, as New York City asks them to be published; it sets no pass line. For analyses whose parameters ask for it with `law`; 409 with what is missing for others, until it has completed, and of one that another system ran.")
            .permission("bias_analyses", "read")
            .response(200, law_report("ll144")),
        Operation::get("/v1/bias_analyses/{id}/law/eeoc", "The report of the Uniform Guidelines that an analysis made")
            .tag("bias analyses")
            .about("Selection rates by four-fifths and by two-sided tests, within strata too (29 CFR part 1607). For analyses whose parameters ask for it with `law`; 409 with what is missing for others, until it has completed, and of one that another system ran.")
            .permission("bias_analyses", "read")
            .response(200, law_report("eeoc")),
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
    all.extend(crate::explanation::operations());
    all
}

fn data_report() -> Value {
    let list = || json!({ "type": "array", "items": { "type": "object" } });
    json!({
        "type": "object",
        "required": ["rows", "tables", "associations", "proxies", "notes"],
        "properties": {
            "rows": { "type": "integer", "minimum": 0 },
            "tables": list(),
            "associations": list(),
            "proxies": list(),
            "notes": { "type": "array", "items": { "type": "string" } }
        }
    })
}

fn law_report(rule: &str) -> Value {
    json!({ "type": "object", "required": ["report"], "properties": { "report": { "enum": [rule] } } })
}

/// An analysis without its result.
fn analysis() -> Value {
    const COLUMNS: [&str; 22] = [
        "id",
        "name",
        "description",
        "dataset_id",
        "model_id",
        "model_version_id",
        "task",
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

/// A specification of yes or no.
fn binary() -> Value {
    let mut fields = common();
    fields.extend(object(json!({
        "analysis_type": {
            "enum": ["demographic_parity", "equalized_odds", "individual_fairness", "comprehensive"],
            "default": "comprehensive"
        },
        "target": {
            "type": ["string", "null"],
            "description": "The column of true labels. May be left out where a prediction or a score is named: then what needs labels is left out too."
        },
        "prediction": { "type": ["string", "null"], "description": "The column of predicted labels." },
        "score": { "type": ["string", "null"], "description": "The column of scores." },
        "score_threshold": { "type": "number", "default": 0.5 },
        "positive_label": { "type": ["string", "null"] },
        "weight": weight(),
        "strata": {
            "type": ["string", "null"],
            "description": "A column of strata, such as jobs, within which groups are compared too."
        },
        "features": {
            "type": "array", "items": { "type": "string" }, "maxItems": 64,
            "description": "With individual_fairness: the columns that say who is like whom."
        },
        "neighbours": { "type": "integer", "minimum": 1, "maximum": 1000, "default": 5 },
        "flipped": {
            "type": ["string", "null"],
            "description": "The column of decisions with a protected attribute changed and all else as it is: predictions where `prediction` is named, scores otherwise. How many flip is told beside the analysis."
        },
        "data": data(),
        "law": law()
    })));
    specification(&["protected"], fields)
}

/// The report of the data alone to make beside the analysis.
fn data() -> Value {
    json!({
        "type": ["object", "null"],
        "description": "The data alone, before any model: what is missing of whom, representation, and what gives protected attributes away.",
        "additionalProperties": false,
        "properties": {
            "features": {
                "type": "array", "items": { "type": "string" }, "maxItems": MAX_FEATURES, "uniqueItems": true,
                "description": "Columns that may give the protected attributes away: each is one pass over the rows, or two."
            },
            "population": {
                "type": "object", "maxProperties": 255,
                "description": "Shares of the population, by attribute (or several joined by `|`) and group; those of one attribute add up to 1.",
                "additionalProperties": {
                    "type": "object",
                    "additionalProperties": { "type": "number", "exclusiveMinimum": 0, "maximum": 1 }
                }
            }
        }
    })
}

/// Reports of the law to make beside the analysis.
fn law() -> Value {
    json!({
        "type": ["object", "null"],
        "description": "Reports of the law to make of the same rows: its categories are the values of the protected attributes. Rows cannot be weighted.",
        "additionalProperties": false,
        "required": ["rules"],
        "properties": {
            "rules": { "type": "array", "items": { "enum": ["ll144", "eeoc"] }, "minItems": 1, "maxItems": 2, "uniqueItems": true },
            "exclude_below": {
                "type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 0.02,
                "description": "Categories with a lesser share of the rows are left out of the comparison."
            },
            "exclude_reason": {
                "type": ["string", "null"], "maxLength": 2000,
                "description": "Why they are; Local Law 144 asks for it."
            },
            "unknown": {
                "type": "array", "items": { "type": "string" }, "maxItems": 100, "uniqueItems": true,
                "description": "Values that say that somebody's category is not known."
            }
        }
    })
}

/// A specification of any task: what row feeds take too.
pub(crate) fn parameters() -> Value {
    let tagged = |task: &str, title: &str, mut schema: Value, needed: &[&str]| {
        schema["title"] = title.into();
        schema["properties"]["task"] = json!({ "enum": [task] });
        schema["required"] = json!(needed);
        schema
    };
    let target = |what: &str| json!({ "type": "string", "description": what });
    let other = |more: Value| {
        let mut fields = common();
        fields.extend(object(more));
        specification(&[], fields)
    };
    let regression = other(json!({
        "target": target("The column of true numbers."),
        "prediction": target("The column of predicted numbers."),
        "loss": { "enum": ["squared", "absolute"], "default": "squared" },
        "loss_bound": {
            "type": ["number", "null"], "minimum": 0,
            "description": "No group's mean loss may be above it. Without one, the worst group's loss is told and not judged."
        },
        "weight": weight()
    }));
    let multiclass = other(json!({
        "target": target("The column of true classes."),
        "prediction": target("The column of predicted classes."),
        "weight": weight()
    }));
    let ranking = other(json!({
        "list": { "type": ["string", "null"], "description": "The column that says which list a row is of; without it, all rows are one list." },
        "position": { "type": ["string", "null"], "description": "The column of positions: less is seen first. Either this or `score` is named." },
        "score": { "type": ["string", "null"], "description": "The column of scores: more is seen first." },
        "top": { "type": "integer", "minimum": 1, "maximum": 4_294_967_295_u32, "default": 10, "description": "How many rows of a list are its top." }
    }));
    json!({
        "description": "What to analyse, by the task: `binary` (yes or no) unless it is named.",
        "oneOf": [
            tagged("binary", "Yes or no", binary(), &["protected"]),
            tagged("regression", "Numbers", regression, &["task", "target", "prediction", "protected"]),
            tagged("multiclass", "One class of several", multiclass, &["task", "target", "prediction", "protected"]),
            tagged("ranking", "The order of lists", ranking, &["task", "protected"]),
        ]
    })
}

fn specification(required: &[&str], properties: Map<String, Value>) -> Value {
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn weight() -> Value {
    json!({ "type": ["string", "null"], "description": "The column of weights, each at least 0." })
}

/// What every task is asked.
fn common() -> Map<String, Value> {
    object(json!({
        "protected": { "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": 8 },
        "reference_groups": { "type": "object", "additionalProperties": { "type": "string" } },
        "intersection_depth": { "type": ["integer", "null"], "minimum": 1 },
        "min_group_size": { "type": "integer", "minimum": 0, "maximum": u64::MAX, "default": 30 },
        "thresholds": { "type": "object", "additionalProperties": { "type": "number", "minimum": 0 } },
        "confidence": { "type": "number", "minimum": 0.5, "exclusiveMaximum": 1, "default": 0.95 },
        "seed": { "type": "integer", "minimum": 0, "maximum": u64::MAX, "default": 0 },
        "bootstrap_draws": { "type": "integer", "minimum": 0, "maximum": 100_000, "default": 1000 },
    }))
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
            "parameters": parameters()
        }
    })
}
