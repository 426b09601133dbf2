//! The metadata that hubs of models read: `model-index` as the Hugging Face Hub describes it
//! (<https://huggingface.co/docs/hub/model-cards>), one result with a metric for each number.

use serde_json::{Value, json};

use super::{Details, NOT_STATED, Quantities};

/// The results; none when nothing is defined.
pub(super) fn of(details: &Details, found: &Quantities) -> Option<Value> {
    let mut metrics = Vec::new();
    let mut metric = |id: &str, name: String, value: Option<f64>| {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            metrics.push(json!({ "type": id, "name": name, "value": value }));
        }
    };
    for one in &found.overall.metrics {
        metric(&one.id, one.title.clone(), one.value);
    }
    for attribute in &found.attributes {
        for one in &attribute.disparities {
            metric(&one.id, format!("{} by {}", one.title, attribute.name), one.value);
        }
    }
    let score = found.compliance_score.and_then(|score| score.to_string().parse().ok());
    metric("compliance_score", "Ephor compliance score".to_owned(), score);
    if metrics.is_empty() {
        return None;
    }
    let result = json!({
        "task": { "type": task(&details.model_type), "name": ephor_rest::label(&details.model_type) },
        "dataset": {
            "type": "tabular",
            "name": found.dataset.as_deref().unwrap_or(NOT_STATED),
        },
        "metrics": metrics,
        "source": { "name": format!("Ephor {} analysis {}", found.engine_version, found.analysis_id) },
    });
    Some(json!([{ "name": details.name, "results": [result] }]))
}

/// The Hub's word for what a model does; its own where the Hub has none.
fn task(model_type: &str) -> &str {
    match model_type {
        "classification" => "tabular-classification",
        "regression" => "tabular-regression",
        "generation" => "text-generation",
        "embedding" => "feature-extraction",
        other => other,
    }
}
