//! Whether columns drifted: p-values adjusted over all of them, one test chosen for each, and its verdict.

use super::{
    ColumnDrift, ColumnKind, DriftSpec, DriftTest, SMALL, bins::short, missing_share, registry,
};
use crate::result::Status;

/// Judges all columns; `of_chunks` are the thresholds that the reference's chunks give, by column and test.
pub(super) fn judge(
    columns: &mut [ColumnDrift],
    spec: &DriftSpec,
    of_chunks: &dyn Fn(&str, &str) -> Option<f64>,
) {
    adjust(columns, spec);
    for column in columns {
        let few = column.reference_values.min(column.current_values) < spec.min_rows;
        let chosen = chosen(column, spec.chunks.is_some());
        let named = |test: &DriftTest| {
            test.id != missing_share::DEFINITION.id && spec.thresholds.contains_key(&test.id)
        };
        let is_named = column.tests.iter().any(|test| named(test) && test.value.is_some());
        let significant = column
            .tests
            .iter()
            .find_map(|test| test.p_adjusted)
            .is_some_and(|p| p <= 1.0 - spec.confidence);
        let name = column.name.clone();
        for test in &mut column.tests {
            let is_missing = test.id == missing_share::DEFINITION.id;
            test.chosen = Some(test.id.as_str()) == chosen;
            let is_judged = !few && if is_named { named(test) } else { test.chosen };
            if is_missing || is_judged {
                let own = spec.thresholds.get(&test.id).copied();
                let chunks = of_chunks(&name, &test.id).filter(|_| own.is_none());
                let usual = registry::find(&test.id).and_then(|test| test.default_threshold);
                test.threshold = own.or(chunks).or(usual);
                test.threshold_of_chunks = chunks.is_some();
                test.status = status(test, spec.confidence, significant);
            }
            test.sentence = sentence(test, spec, few);
        }
        column.status = column.tests.iter().filter_map(|test| test.status).max();
        column.sentence = of_column(column, few, spec.min_rows);
    }
}

/// Adjusts the p-values of all columns that have enough values.
fn adjust(columns: &mut [ColumnDrift], spec: &DriftSpec) {
    let mut tests: Vec<&mut DriftTest> = columns
        .iter_mut()
        .filter(|column| column.reference_values.min(column.current_values) >= spec.min_rows)
        .flat_map(|column| column.tests.iter_mut())
        .filter(|test| test.p_value.is_some())
        .collect();
    let p: Vec<f64> = tests.iter().filter_map(|test| test.p_value).collect();
    for (test, p) in tests.iter_mut().zip(spec.adjustment.of(p)) {
        test.p_adjusted = Some(p);
    }
}

/// The test that decides, by kind and size: the first that is defined.
fn chosen(column: &ColumnDrift, has_chunks: bool) -> Option<&'static str> {
    let is_small = column.reference_values.min(column.current_values) <= SMALL;
    let order: &[&str] = match (column.kind, is_small && !has_chunks) {
        (ColumnKind::Number, true) => &["kolmogorov_smirnov"],
        (ColumnKind::Number, false) => &["wasserstein", "jensen_shannon"],
        (ColumnKind::Category, true) => &["chi_square", "jensen_shannon"],
        (ColumnKind::Category, false) => &["jensen_shannon"],
    };
    let is_defined =
        |id: &str| column.tests.iter().any(|test| test.id == id && test.value.is_some());
    order.iter().copied().find(|id| is_defined(id))
}

/// Fail: beyond the threshold, and chance does not explain it. Warning: beyond it, but chance could, or it is one of many columns.
fn status(test: &DriftTest, confidence: f64, significant: bool) -> Option<Status> {
    let value = test.value?;
    let alpha = 1.0 - confidence;
    let beyond = |is_sure: bool| if is_sure { Status::Fail } else { Status::Warning };
    Some(match (test.threshold, &test.interval, test.p_value) {
        (Some(threshold), Some(interval), _) => {
            // The end of the interval that is nearer to 0.
            let nearest = if interval.lower <= 0.0 && interval.upper >= 0.0 {
                0.0
            } else {
                interval.lower.abs().min(interval.upper.abs())
            };
            if value.abs() <= threshold { Status::Pass } else { beyond(nearest > threshold) }
        }
        (Some(threshold), None, _) => {
            if value <= threshold {
                Status::Pass
            } else {
                beyond(significant)
            }
        }
        (None, _, Some(p)) => {
            if p > alpha {
                Status::Pass
            } else {
                beyond(significant)
            }
        }
        (None, _, None) => return None,
    })
}

fn sentence(test: &DriftTest, spec: &DriftSpec, few: bool) -> String {
    let Some(value) = test.value else {
        let reason = test.undefined.as_deref().unwrap_or("it is undefined");
        return format!("{} cannot be computed: {reason}.", test.title);
    };
    let mut text = if test.id == missing_share::DEFINITION.id {
        format!("The share of missing values changed by {} percentage points", short(100.0 * value))
    } else {
        format!("{} is {}", test.title, short(value))
    };
    if let Some(p) = test.p_value {
        text.push_str(&format!(", p = {}", probability(p)));
        if let Some(adjusted) = test.p_adjusted.filter(|adjusted| *adjusted != p) {
            text.push_str(&format!(" ({} among all columns)", probability(adjusted)));
        }
    }
    match (test.status, test.threshold) {
        (None, _) if few && test.id != missing_share::DEFINITION.id => {
            text.push_str(&format!("; not judged: fewer than {} values.", spec.min_rows));
        }
        (None, _) => text.push('.'),
        (Some(status), Some(threshold)) => {
            let of = if test.threshold_of_chunks {
                "the reference's chunks give"
            } else {
                "the threshold is"
            };
            let noise = if status == Status::Warning { "; chance could explain it" } else { "" };
            let threshold = if test.id == missing_share::DEFINITION.id {
                format!("{} points", short(100.0 * threshold))
            } else {
                short(threshold)
            };
            text.push_str(&format!("; {of} {threshold}{noise}."));
        }
        (Some(Status::Pass), None) => text.push_str("; chance could explain it."),
        (Some(Status::Warning), None) => {
            text.push_str("; chance hardly explains it alone, but could among so many columns.");
        }
        (Some(Status::Fail), None) => text.push_str("; chance hardly explains it."),
    }
    text
}

fn of_column(column: &ColumnDrift, few: bool, min_rows: u64) -> String {
    let name = &column.name;
    let worst =
        column.tests.iter().filter(|test| test.status.is_some()).max_by_key(|test| test.status);
    match (column.status, worst) {
        (Some(Status::Fail), Some(test)) => format!("`{name}` drifted. {}", test.sentence),
        (Some(Status::Warning), Some(test)) => {
            format!("`{name}` may have drifted. {}", test.sentence)
        }
        _ if few => format!("`{name}` cannot be judged: a table has fewer than {min_rows} values."),
        _ => {
            let is_judged = |test: &&DriftTest| {
                test.status.is_some() && test.id != missing_share::DEFINITION.id
            };
            if let Some(test) = column.tests.iter().find(is_judged) {
                return format!("`{name}` did not drift. {}", test.sentence);
            }
            let reason = column.tests.iter().find_map(|test| test.undefined.as_deref());
            format!("`{name}` cannot be judged: {}.", reason.unwrap_or("no test is defined"))
        }
    }
}

fn probability(p: f64) -> String {
    if p < 0.0001 { "less than 0.0001".to_owned() } else { format!("{p:.4}") }
}
