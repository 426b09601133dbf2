//! What an analysis found as one table: a line for each disparity of each attribute, of where
//! attributes meet, and of individuals.

use ephor_fairness::{AnalysisResult, Disparity, Status};
use ephor_kernel::Problem;
use serde_json::{Value, json};

const COLUMNS: [&str; 20] = [
    "attribute",
    "disparity",
    "title",
    "status",
    "value",
    "interval_low",
    "interval_high",
    "confidence",
    "interval_method",
    "ideal",
    "threshold",
    "low_group",
    "low_value",
    "high_group",
    "high_value",
    "rows",
    "p_value",
    "p_adjusted",
    "detectable",
    "undefined_reason",
];

/// The findings as CSV that no spreadsheet takes for formulas.
pub(super) fn table(result: &AnalysisResult) -> Result<String, Problem> {
    let rows: Vec<Value> =
        result.disparities().map(|(attribute, one)| row(attribute, one)).collect();
    ephor_rest::csv_table(&COLUMNS, &rows).map_err(|_| Problem::internal())
}

fn row(attribute: &str, disparity: &Disparity) -> Value {
    let Disparity {
        id,
        title,
        value,
        ideal,
        interval,
        threshold,
        status,
        worst_pair,
        n,
        undefined,
        left_out: _,
        sentence: _,
        p_value,
        p_adjusted,
        detectable,
        significance: _,
    } = disparity;
    let interval = interval.as_ref();
    let pair = worst_pair.as_ref();
    json!({
        "attribute": attribute,
        "disparity": id,
        "title": title,
        "status": status.map(Status::as_str),
        "value": value,
        "interval_low": interval.map(|interval| interval.lower),
        "interval_high": interval.map(|interval| interval.upper),
        "confidence": interval.map(|interval| interval.confidence),
        "interval_method": interval.map(|interval| interval.method),
        "ideal": ideal,
        "threshold": threshold,
        "low_group": pair.map(|pair| &pair.low),
        "low_value": pair.map(|pair| pair.low_value),
        "high_group": pair.map(|pair| &pair.high),
        "high_value": pair.map(|pair| pair.high_value),
        "rows": n,
        "p_value": p_value,
        "p_adjusted": p_adjusted,
        "detectable": detectable,
        "undefined_reason": undefined,
    })
}
