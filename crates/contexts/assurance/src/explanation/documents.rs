//! The columns of JSON that other systems read: parts of the digest, under the names that they know.

use ephor_explain::summary::{Summary, Waterfall};
use serde_json::{Map, Value, json};

/// So many rows are kept in them.
const MOST_ROWS: usize = 20;
/// So many features, of those that count most.
const MOST_FEATURES: usize = 100;

/// Each is an empty object when the method has nothing to say in it.
pub(super) struct Documents {
    /// What features added to single predictions.
    pub shap_values: Value,
    /// Linear models near single rows.
    pub lime_explanation: Value,
    /// What the model loses without each feature.
    pub feature_importance: Value,
    /// What moves the model over all rows.
    pub global_explanations: Value,
}

impl Documents {
    pub(super) fn of(summary: &Summary) -> Self {
        Self {
            shap_values: shap_values(summary),
            lime_explanation: lime(summary),
            feature_importance: importance(summary),
            global_explanations: global(summary),
        }
    }
}

fn shap_values(summary: &Summary) -> Value {
    if summary.waterfalls.is_empty() {
        return json!({});
    }
    let row = |row: &Waterfall| {
        let values: Map<String, Value> = row
            .parts
            .iter()
            .map(|part| (summary.name(part.feature).to_owned(), part.adds.into()))
            .collect();
        json!({
            "row": row.row, "prediction": row.prediction, "total": row.total, "values": values,
            "others": row.others_add,
        })
    };
    let rows: Vec<Value> = summary.waterfalls.iter().take(MOST_ROWS).map(row).collect();
    json!({ "base": summary.base, "unit": summary.unit, "output": summary.output, "rows": rows })
}

fn lime(summary: &Summary) -> Value {
    if summary.near.is_empty() {
        return json!({});
    }
    let rows: Vec<Value> = summary
        .near
        .iter()
        .take(MOST_ROWS)
        .map(|near| {
            let weights: Vec<Value> = near
                .weights
                .iter()
                .map(|weight| {
                    let name = summary.name(weight.feature);
                    json!({
                        "feature": name,
                        "stands_for": weight.words(name, |number| number.to_string()),
                        "weight": weight.weight,
                        "standard_error": weight.error,
                    })
                })
                .collect();
            json!({
                "row": near.row, "prediction": near.prediction, "local_prediction": near.local,
                "intercept": near.intercept, "r2": near.r2, "weights": weights,
            })
        })
        .collect();
    json!({ "output": summary.output, "rows": rows })
}

fn importance(summary: &Summary) -> Value {
    let Some(found) = &summary.importance else { return json!({}) };
    let mut order: Vec<usize> = (0..found.features.len()).collect();
    order.sort_by(|a, b| found.features[*b].mean.total_cmp(&found.features[*a].mean));
    let features: Vec<Value> = order
        .into_iter()
        .take(MOST_FEATURES)
        .map(|place| {
            let lost = found.features[place];
            json!({
                "feature": summary.name(place), "mean": lost.mean, "deviation": lost.deviation,
                "least": lost.least, "greatest": lost.greatest,
            })
        })
        .collect();
    json!({
        "metric": found.metric, "baseline": found.baseline, "repeats": found.repeats, "features": features,
    })
}

fn global(summary: &Summary) -> Value {
    let ranked = summary.ranked();
    if ranked.is_empty() && summary.curves.is_empty() {
        return json!({});
    }
    let features: Vec<Value> = ranked
        .into_iter()
        .take(MOST_FEATURES)
        .map(|(place, spread)| {
            json!({
                "feature": summary.name(place), "mean_absolute": spread.size, "share": spread.share,
                "mean": spread.mean, "deviation": spread.deviation,
            })
        })
        .collect();
    let effects: Vec<Value> = summary
        .curves
        .iter()
        .map(|curve| {
            json!({
                "feature": summary.name(curve.feature), "effect": curve.effect, "values": curve.grid,
                "mean": curve.mean,
            })
        })
        .collect();
    json!({ "base": summary.base, "unit": summary.unit, "features": features, "effects": effects })
}
