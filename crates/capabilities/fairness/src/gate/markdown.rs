//! What a gate found, as Markdown: what a pull request or the summary of a CI job shows.

use std::fmt::Write as _;

use super::{Check, Compared, FailOn, Gate, of, subject::Subject};
use crate::{
    analysis::number,
    comparison::Verdict,
    result::{AnalysisResult, Status},
    task::{Task, TaskResult},
};

/// The most findings and changes that are listed.
const MOST: usize = 100;

/// A summary: the verdict, the findings, what changed since the baseline, and notes.
pub fn markdown(
    result: &AnalysisResult,
    gate: &Gate,
    compared: Option<&Compared<'_>>,
    source: &str,
) -> String {
    written(&Subject::of_binary(result), gate, compared, source)
}

/// The same of any task.
pub fn markdown_task(
    result: &TaskResult,
    gate: &Gate,
    compared: Option<&Compared<'_>>,
    source: &str,
) -> String {
    written(&Subject::of(result), gate, compared, source)
}

fn written(
    subject: &Subject<'_>,
    gate: &Gate,
    compared: Option<&Compared<'_>>,
    source: &str,
) -> String {
    let mut out = String::new();
    let side = &subject.side;
    let verdict = match (gate.stopped, side.status) {
        (true, _) => "Stopped",
        (false, None) => "Nothing could be judged",
        (false, Some(_)) => "Passed",
    };
    let _ = writeln!(out, "## {verdict}: bias analysis of {}\n", escaped(source));
    let score = match (side.task, side.score) {
        (_, Some(score)) => format!("compliance score **{score:.2}** of 100; "),
        (Task::Binary, None) => "no compliance score; ".to_owned(),
        // Other tasks have none.
        _ => String::new(),
    };
    let counts = &subject.counts;
    let _ = writeln!(
        out,
        "{score}{} failed, {} warned, {} passed; {} of {} rows used; the gate stops on {}.\n",
        counts.fail,
        counts.warning,
        counts.pass,
        side.rows,
        subject.read,
        gate.fail_on.as_str()
    );
    findings(&mut out, gate);
    if let Some(compared) = compared {
        changes(&mut out, gate, compared);
    }
    if !gate.notes.is_empty() || !subject.notes.is_empty() {
        let _ = writeln!(out, "### Notes\n");
        for note in gate.notes.iter().chain(subject.notes) {
            let _ = writeln!(out, "- {}", escaped(note));
        }
    }
    out
}

fn findings(out: &mut String, gate: &Gate) {
    let mut found: Vec<&Check> = gate.checks.iter().filter(|check| check.is_finding()).collect();
    if found.is_empty() {
        let _ = writeln!(out, "Nothing is beyond what is accepted.\n");
        return;
    }
    found.sort_by_key(|check| (!check.stops, std::cmp::Reverse(check.status)));
    let _ = writeln!(out, "| | of | what | value | |\n|---|---|---|---:|---|");
    for check in found.iter().take(MOST) {
        let mark = match (check.known.is_some(), check.status) {
            (true, _) => "known",
            (false, Some(Status::Fail)) => "**fail**",
            (false, _) => "warning",
        };
        let group = check.group.as_ref().map_or_else(String::new, |group| format!(" [{group}]"));
        let name = check.id.as_deref().unwrap_or(&check.rule);
        let mut told = check.sentence.clone();
        if let Some(known) = &check.known {
            told.push_str(&format!(" Accepted until {}: {}", known.expires, known.reason));
        }
        let _ = writeln!(
            out,
            "| {mark} | {} | {} | {} | {} |",
            escaped(&check.of()),
            escaped(&format!("{name}{group}")),
            check.value.map_or_else(String::new, number),
            escaped(&told)
        );
    }
    more(out, found.len());
}

fn changes(out: &mut String, gate: &Gate, compared: &Compared<'_>) {
    let comparison = &compared.comparison;
    let _ = writeln!(out, "### Since the baseline\n\n{}\n", escaped(&comparison.sentence));
    for difference in &comparison.differences {
        let _ = writeln!(out, "- {}", escaped(&difference.sentence));
    }
    if !comparison.differences.is_empty() {
        out.push('\n');
    }
    let mut changed: Vec<_> = comparison
        .attributes
        .iter()
        .flat_map(|one| one.disparities.iter().map(move |change| (one, change)))
        .filter(|(_, change)| change.judged)
        .filter(|(_, change)| {
            change.regressed || matches!(change.verdict, Verdict::Worse | Verdict::Improved)
        })
        .collect();
    if changed.is_empty() {
        return;
    }
    let stops = |change: &crate::comparison::DisparityChange| {
        gate.fail_on == FailOn::Regression && change.stops()
    };
    changed.sort_by_key(|(_, change)| {
        (!stops(change), change.verdict != Verdict::Worse, !change.regressed)
    });
    let _ = writeln!(out, "| | of | disparity | was | is |\n|---|---|---|---:|---:|");
    let shown = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), number);
    for (one, change) in changed.iter().take(MOST) {
        let fails = if change.regressed { ", fails now" } else { "" };
        let _ = writeln!(
            out,
            "| {}{fails} | {} | {} | {} | {} |",
            change.verdict.as_str(),
            escaped(&of(&one.name, one.class.as_deref())),
            escaped(&change.id),
            shown(change.baseline),
            shown(change.current)
        );
    }
    more(out, changed.len());
}

fn more(out: &mut String, count: usize) {
    if count > MOST {
        let _ = writeln!(out, "\n… and {} more.", count - MOST);
    }
    out.push('\n');
}

/// A text that Markdown takes as it is: no markup, no HTML, no second line.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A name of somebody's data mentions nobody and links nowhere.
            '@' => out.push_str("&#64;"),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '#' | '~' | '!' => {
                out.push('\\');
                out.push(letter);
            }
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out.replace("://", ":&#47;&#47;").replace("www.", "www&#46;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_markup() {
        assert_eq!(escaped("a|b\n<i>`x`*_"), "a\\|b &lt;i&gt;\\`x\\`\\*\\_");
        assert_eq!(escaped("@all https://x"), "&#64;all https:&#47;&#47;x");
    }
}
