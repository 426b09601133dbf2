//! The result of an analysis, for a terminal.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets::NOTHING};
use ephor_fairness::{
    AnalysisResult, AttributeResult, Disparity, Group, Interval, Mitigation, Status, Strata,
};

use crate::cli::printed::safe;

/// What a group's line shows, as far as the data have it.
const COLUMNS: &[(&str, &str)] = &[
    ("base_rate", "base rate"),
    ("selection_rate", "selection rate"),
    ("true_positive_rate", "TPR"),
    ("false_positive_rate", "FPR"),
    ("positive_predictive_value", "PPV"),
    ("accuracy", "accuracy"),
    ("roc_auc", "AUC"),
];

/// How many groups of one attribute are shown before the rest is counted.
const MOST_GROUPS: usize = 25;

/// Writes the whole report. `colour` marks statuses for the eye; words say the same. Names come from the file, and may be
/// anything: no control character of theirs reaches the terminal.
pub fn render(result: &AnalysisResult, source: &str, colour: bool) -> String {
    let mut out = String::new();
    head(&mut out, result, source, colour);
    for attribute in &result.attributes {
        section(&mut out, result, attribute, colour);
    }
    intersections(&mut out, &result.intersections, colour);
    recommendations(&mut out, result);
    notes(&mut out, result);
    out
}

fn head(out: &mut String, result: &AnalysisResult, source: &str, colour: bool) {
    let rows = &result.rows;
    let labels = match &result.spec.target {
        Some(_) => format!("positive label {}", safe(&result.labels.positive)),
        None => "no labels".to_owned(),
    };
    let _ = writeln!(
        out,
        "{}: {} rows, {} used; {}; {:.0} % confidence",
        safe(source),
        whole(rows.read),
        whole(rows.used),
        labels,
        result.spec.confidence * 100.0
    );
    let verdict =
        result.status.map_or("nothing could be judged".to_owned(), |status| mark(status, colour));
    let score = result.compliance_score.map_or("no compliance score".to_owned(), |score| {
        format!("compliance score {score:.2} of 100")
    });
    let counts = &result.counts;
    let _ = writeln!(
        out,
        "{verdict}: {score}; {} failed, {} warned, {} passed",
        counts.fail, counts.warning, counts.pass
    );
}

fn section(out: &mut String, result: &AnalysisResult, attribute: &AttributeResult, colour: bool) {
    let _ = writeln!(out, "\n{}", safe(&attribute.name));
    let shown: Vec<_> = COLUMNS
        .iter()
        .filter(|(id, _)| attribute.groups.iter().any(|group| group.metric(id).is_some()))
        .collect();
    let mut table = plain();
    table.set_header(["group", "rows"].into_iter().chain(shown.iter().map(|(_, title)| *title)));
    for group in attribute.groups.iter().take(MOST_GROUPS) {
        let why = result.not_compared(attribute, group);
        let why = why.map_or_else(String::new, |why| format!(" ({why})"));
        let mut line = vec![safe(&group.name) + &why, whole(group.n)];
        line.extend(shown.iter().map(|(id, _)| cell(group, id)));
        table.add_row(line);
    }
    right(&mut table, 1..);
    let _ = writeln!(out, "{table}");
    if attribute.groups.len() > MOST_GROUPS {
        let _ = writeln!(
            out,
            "… and {} more groups; --format json has all",
            attribute.groups.len() - MOST_GROUPS
        );
    }
    if let Some(reason) = &attribute.reason {
        let _ = writeln!(out, "Not comparable: {}", safe(reason));
    }
    disparities(out, &attribute.disparities, colour);
    if let Some(found) = &attribute.strata {
        strata(out, found);
    }
}

/// The disparities that are judged, and those that should have been but have no value.
fn disparities(out: &mut String, disparities: &[Disparity], colour: bool) {
    let judged: Vec<_> = disparities.iter().filter(|one| one.threshold.is_some()).collect();
    if judged.is_empty() {
        return;
    }
    let mut table = plain();
    // Weighted rows are not tested.
    let tested = judged.iter().any(|one| one.p_adjusted.is_some());
    let mut header = vec!["disparity", "value", "threshold", "status", "between"];
    if tested {
        header.splice(4..4, ["p", "shown from"]);
    }
    table.set_header(header);
    for one in judged {
        let value = match (one.value, &one.interval) {
            (Some(value), interval) => with_interval(value, interval.as_ref()),
            (None, _) => "undefined".to_owned(),
        };
        let between = one.worst_pair.as_ref().map_or_else(
            || one.undefined.clone().unwrap_or_default(),
            |pair| {
                format!("{} {:.3}, {} {:.3}", pair.low, pair.low_value, pair.high, pair.high_value)
            },
        );
        let mut line = vec![
            one.id.clone(),
            value,
            one.threshold.map_or_else(String::new, |threshold| format!("{threshold}")),
            one.status.map_or_else(|| "–".to_owned(), |status| mark(status, colour)),
            safe(&between),
        ];
        if tested {
            let seen = one.detectable.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
            let p = one.p_adjusted.map_or_else(|| "–".to_owned(), probability);
            line.splice(4..4, [p, seen]);
        }
        table.add_row(line);
    }
    right(&mut table, 1..3);
    if tested {
        right(&mut table, 4..6);
    }
    let _ = writeln!(out, "{table}");
}

/// A p-value, adjusted for all pairs of groups.
fn probability(p: f64) -> String {
    if p < 0.0001 { "< 0.0001".to_owned() } else { format!("{p:.4}") }
}

/// Each group against the reference group: of all rows together, and within strata.
fn strata(out: &mut String, strata: &Strata) {
    let _ = writeln!(
        out,
        "within {}: {} strata, {} too small to be compared in",
        safe(&strata.column),
        whole(strata.count),
        whole(strata.too_small_count)
    );
    if strata.pairs.is_empty() {
        return;
    }
    let mut table = plain();
    table.set_header(["rate", "group", "less", "all rows", "within strata", "p", "strata"]);
    for pair in strata.pairs.iter().take(MOST_GROUPS) {
        let apart =
            |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:+.3}"));
        let turned = if pair.reverses { " (opposite)" } else { "" };
        table.add_row([
            pair.metric.clone(),
            safe(&pair.group),
            safe(&pair.other),
            apart(pair.pooled),
            apart(pair.conditional) + turned,
            pair.p_value.map_or("–".to_owned(), probability),
            whole(pair.strata),
        ]);
    }
    right(&mut table, 3..7);
    let _ = writeln!(out, "{table}");
    if strata.pairs.len() > MOST_GROUPS {
        let _ = writeln!(
            out,
            "… and {} more pairs; --format json has all",
            strata.pairs.len() - MOST_GROUPS
        );
    }
}

fn intersections(out: &mut String, intersections: &[AttributeResult], colour: bool) {
    if intersections.is_empty() {
        return;
    }
    let mut table = plain();
    table.set_header([
        "intersection",
        "groups",
        "not compared",
        "demographic parity difference",
        "status",
    ]);
    for one in intersections {
        let parity = one.disparities.iter().find(|one| one.id == "demographic_parity_difference");
        let value =
            parity.and_then(|parity| Some(with_interval(parity.value?, parity.interval.as_ref())));
        table.add_row([
            safe(&one.name.replace('|', " × ")),
            one.groups.len().to_string(),
            one.small_groups.len().to_string(),
            value.unwrap_or_else(|| "undefined".to_owned()),
            one.status.map_or_else(|| "–".to_owned(), |status| mark(status, colour)),
        ]);
    }
    right(&mut table, 1..4);
    let _ = writeln!(out, "\n{table}");
}

fn recommendations(out: &mut String, result: &AnalysisResult) {
    if result.recommendations.is_empty() {
        return;
    }
    let _ = writeln!(out, "\nWhat to do");
    for (number, one) in result.recommendations.iter().enumerate() {
        let (title, attribute) = (safe(&one.title), safe(&one.attribute));
        let _ = writeln!(out, "{}. {title} ({attribute})", number + 1);
        let _ = writeln!(out, "   {}", safe(&one.evidence));
        if let Mitigation::Investigate { advice } = &one.mitigation {
            let _ = writeln!(out, "   {}", safe(advice));
        }
        if let Some(effect) = &one.effect {
            let _ = writeln!(out, "   {}", safe(&effect.sentence));
        }
    }
}

fn notes(out: &mut String, result: &AnalysisResult) {
    let excluded = result.excluded.iter().map(|one| one.sentence.clone());
    let left_out = result.left_out.iter().map(|one| format!("{}: {}", one.name, one.reason));
    let notes: Vec<String> =
        result.warnings.iter().cloned().chain(excluded).chain(left_out).collect();
    if !notes.is_empty() {
        let _ = writeln!(out, "\nNotes");
        for note in notes {
            let _ = writeln!(out, "- {}", safe(&note));
        }
    }
}

fn cell(group: &Group, id: &str) -> String {
    let Some(metric) = group.metric(id) else { return String::new() };
    metric
        .value
        .map_or_else(|| "–".to_owned(), |value| with_interval(value, metric.interval.as_ref()))
}

fn with_interval(value: f64, interval: Option<&Interval>) -> String {
    match interval {
        Some(Interval { lower, upper, .. }) => {
            format!("{value:.3} [{lower:.3}, {upper:.3}]")
        }
        None => format!("{value:.3}"),
    }
}

pub(super) fn mark(status: Status, colour: bool) -> String {
    let word = status.as_str().to_uppercase();
    if !colour {
        return word;
    }
    let code = match status {
        Status::Pass => 32,
        Status::Warning => 33,
        Status::Fail => 31,
    };
    format!("\u{1b}[1;{code}m{word}\u{1b}[0m")
}

/// A whole number with thin groups of three.
fn whole(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

pub(super) fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table
}

pub(super) fn right(table: &mut Table, columns: impl std::ops::RangeBounds<usize>) {
    for (index, column) in table.column_iter_mut().enumerate() {
        if columns.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(
            [0, 999, 1_000, 16_281, 10_000_000].map(whole),
            ["0", "999", "1 000", "16 281", "10 000 000"]
        );
    }
}
