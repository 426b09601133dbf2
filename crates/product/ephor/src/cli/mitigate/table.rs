//! Mitigations, for a terminal. Names come from files: no control character of theirs reaches it.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table};
use ephor_fairness::mitigation::{
    ApplyReport, GroupMeasures, Measures, MitigationArtifact, Rules, ScoreRule,
};

use crate::cli::printed::{plain, safe};

/// So many groups are shown before the rest is counted.
const MOST_GROUPS: usize = 25;

/// What was computed.
pub fn fitted(artifact: &MitigationArtifact, source: &str, out: &str) -> String {
    let mut text = String::new();
    let data = &artifact.data;
    let _ = writeln!(
        text,
        "{}: {} rows, {} used, {} groups; positive label {}",
        safe(source),
        data.rows,
        data.used,
        data.groups,
        safe(&artifact.labels.positive)
    );
    match &artifact.rules {
        Rules::Weights { groups } => {
            let mut table = heads(&["group", "rows", "weight of positives", "weight of negatives"]);
            for group in groups.iter().take(MOST_GROUPS) {
                table.add_row([
                    safe(&group.values.join("|")),
                    group.n.to_string(),
                    number(group.positive),
                    number(group.negative),
                ]);
            }
            put(&mut text, table, 1, groups.len());
        }
        Rules::Scores { band, groups, .. } => {
            if let Some(band) = band {
                let _ = writeln!(text, "band: {:.6} ± {:.6}", band.threshold, band.margin);
            }
            let mut table = heads(&["group", "rows", "selected"]);
            for group in groups.iter().take(MOST_GROUPS) {
                let name = safe(&group.values.join("|"));
                table.add_row([name, group.n.to_string(), rule(&group.rule)]);
            }
            put(&mut text, table, 1, groups.len());
        }
    }
    expected(&mut text, &artifact.expected.before, &artifact.expected.after);
    if !artifact.frontier.is_empty() {
        let mut table = heads(&["tolerance", "disparity", "accuracy", "balanced accuracy"]);
        for point in &artifact.frontier {
            table.add_row([
                number(Some(point.tolerance)),
                number(point.disparity),
                number(point.accuracy),
                number(point.balanced_accuracy),
            ]);
        }
        let _ = writeln!(text, "\nFrontier");
        put(&mut text, table, 0, 0);
    }
    let left_out =
        artifact.left_out.iter().take(MOST_GROUPS).map(|one| {
            format!("left out: {} ({} rows): {}", one.values.join("|"), one.n, one.reason)
        });
    let notes = artifact.notes.iter().cloned();
    list(&mut text, notes.chain([artifact.expected.note.clone()]).chain(left_out));
    let _ = writeln!(text, "\nWritten to {}", safe(out));
    text
}

/// What applying it did.
pub fn applied(
    artifact: &MitigationArtifact,
    report: &ApplyReport,
    source: &str,
    out: &str,
) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{}: {} rows written to {} with the column {}",
        safe(source),
        report.rows,
        safe(out),
        safe(&report.column)
    );
    if !report.measured.is_empty() {
        let mut table = heads(&["measure", "of", "before", "after"]);
        for one in &report.measured {
            table.add_row([
                one.id.clone(),
                one.attribute.as_ref().map_or_else(|| "everybody".to_owned(), |name| safe(name)),
                number(one.before),
                number(one.after),
            ]);
        }
        let _ = writeln!(text);
        put(&mut text, table, 2, 0);
    }
    let mut notes = Vec::new();
    let mut count = |rows: u64, what: &str| {
        if rows > 0 {
            notes.push(format!("{rows} rows {what}"));
        }
    };
    count(report.drawn, "decided by draw");
    count(report.left_out, "of groups that the artefact leaves out: see its notes");
    count(report.unknown, "of groups that the artefact does not know: the same");
    count(report.without_score, "without a score, which are not decided");
    count(report.without_label, "without a label, which have no weight");
    count(
        report.unseen_labels,
        "with a label that their group did not have: they keep their weight",
    );
    if !report.unknown_groups.is_empty() {
        let names: Vec<String> =
            report.unknown_groups.iter().map(|values| values.join("|")).collect();
        notes.push(format!("unknown groups: {}", names.join(", ")));
    }
    if let Some(why) = &report.not_measured {
        notes.push(format!("nothing was measured: {why}"));
    }
    list(&mut text, notes.into_iter().chain(artifact.notes.iter().cloned()));
    text
}

/// One number of all measures.
type Get = fn(&Measures) -> Option<f64>;

fn expected(text: &mut String, before: &Measures, after: &Measures) {
    let mut table = heads(&["measure", "before", "after"]);
    let measures: [(&str, Get); 7] = [
        ("accuracy", |one| one.accuracy),
        ("balanced accuracy", |one| one.balanced_accuracy),
        ("base rate difference", |one| one.base_rate_difference),
        ("demographic parity difference", |one| one.demographic_parity_difference),
        ("equal opportunity difference", |one| one.equal_opportunity_difference),
        ("false positive rate difference", |one| one.false_positive_rate_difference),
        ("equalized odds difference", |one| one.equalized_odds_difference),
    ];
    for (name, get) in measures {
        if get(before).is_some() || get(after).is_some() {
            table.add_row([name.to_owned(), number(get(before)), number(get(after))]);
        }
    }
    let rate = |group: &GroupMeasures| group.selection_rate.or(group.base_rate);
    for (was, is) in before.groups.iter().zip(&after.groups).take(MOST_GROUPS) {
        let what = if is.selection_rate.is_some() { "selection rate" } else { "base rate" };
        let name = format!("{what} of {}", safe(&is.values.join("|")));
        table.add_row([name, number(rate(was)), number(rate(is))]);
    }
    let _ = writeln!(text, "\nExpected");
    put(text, table, 1, 0);
}

/// A rule, in words.
fn rule(rule: &ScoreRule) -> String {
    let percent = |probability: f64| match probability {
        1.0 => "all".to_owned(),
        0.0 => "none".to_owned(),
        drawn => format!("{:.1} %", drawn * 100.0),
    };
    let mut parts = Vec::new();
    if rule.steps.is_empty() || rule.below > 0.0 {
        let whom = if rule.steps.is_empty() { "whatever the score" } else { "below" };
        parts.push(format!("{} {whom}", percent(rule.below)));
    }
    parts.extend(
        rule.steps
            .iter()
            .map(|step| format!("{} from {:.6}", percent(step.probability), step.from)),
    );
    parts.join(", ")
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"))
}

fn heads(heads: &[&str]) -> Table {
    let mut table = plain();
    table.set_header(heads.iter());
    table
}

/// Prints a table with its columns from `right` on aligned right, and how many of `all` groups it leaves out.
fn put(text: &mut String, mut table: Table, right: usize, all: usize) {
    for (_, column) in table.column_iter_mut().enumerate().filter(|(index, _)| *index >= right) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let _ = writeln!(text, "{table}");
    if all > MOST_GROUPS {
        let _ = writeln!(text, "… and {} more groups; --json has all", all - MOST_GROUPS);
    }
}

fn list(text: &mut String, notes: impl Iterator<Item = String>) {
    let notes: Vec<String> = notes.collect();
    if !notes.is_empty() {
        let _ = writeln!(text, "\nNotes");
        for note in notes {
            let _ = writeln!(text, "- {}", safe(&note));
        }
    }
}
