//! What an analysis found as one table: a line for each disparity of each attribute, of where
//! attributes meet, of individuals, and of single classes where they are judged.

use ephor_fairness::{
    Disparity, Status,
    task::{Found, TaskResult},
};
use ephor_kernel::Problem;
use serde_json::{Value, json};

const COLUMNS: [&str; 21] = [
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
    "class",
];

/// The findings as CSV that no spreadsheet takes for formulas.
pub(super) fn table(result: &TaskResult) -> Result<String, Problem> {
    let rows: Vec<Value> = result.disparities().iter().map(row).collect();
    ephor_rest::csv_table(&COLUMNS, &rows).map_err(|_| Problem::internal())
}

fn row(found: &Found<'_>) -> Value {
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
    } = found.disparity;
    let interval = interval.as_ref();
    let pair = worst_pair.as_ref();
    json!({
        "attribute": found.attribute,
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
        "class": found.class,
    })
}
