//! What the gate found and what became of a baseline, for a terminal.

use std::fmt::Write as _;

use ephor_fairness::{
    Status,
    comparison::{AttributeChange, Comparison, DisparityChange, Verdict},
    gate::{Check, Compared, Gate},
};

use super::table::{mark, plain, right};
use crate::cli::printed::safe;

/// The most lines of a table.
const MOST: usize = 40;

/// What the table of the analysis does not say: what a policy asks beyond disparities, what is known, and what changed.
pub fn render(gate: &Gate, compared: Option<&Compared<'_>>, colour: bool) -> String {
    let mut out = String::new();
    asked(&mut out, gate, colour);
    known(&mut out, gate);
    if let Some(compared) = compared {
        since(&mut out, &compared.comparison, colour);
    }
    if !gate.notes.is_empty() {
        let _ = writeln!(out, "\nPolicy");
        gate.notes.iter().for_each(|note| {
            let _ = writeln!(out, "- {}", safe(note));
        });
    }
    let stopping = gate.stopping().count();
    let _ = writeln!(
        out,
        "\n{}",
        match stopping {
            0 => format!("Nothing stops it (on {}).", gate.fail_on.as_str()),
            1 => format!("1 finding stops it (on {}).", gate.fail_on.as_str()),
            many => format!("{many} findings stop it (on {}).", gate.fail_on.as_str()),
        }
    );
    out
}

/// The attribute, and the class that is held against the rest.
fn name(one: &AttributeChange) -> String {
    match &one.class {
        Some(class) => format!("{}: {class}", one.name),
        None => one.name.clone(),
    }
}

fn asked(out: &mut String, gate: &Gate, colour: bool) {
    let asked: Vec<&Check> = gate
        .checks
        .iter()
        .filter(|check| {
            check.id.is_none() || check.rule == "metric_bound" || check.unshown.is_some()
        })
        .collect();
    if asked.is_empty() {
        return;
    }
    let _ = writeln!(out, "\nAsked by name");
    let mut beyond: Vec<&&Check> = asked.iter().filter(|check| check.is_finding()).collect();
    beyond.sort_by_key(|check| std::cmp::Reverse(check.status));
    for check in beyond.iter().take(MOST) {
        let status = check.status.map_or_else(|| "–".to_owned(), |status| mark(status, colour));
        // The sentences of bounds and of rows say what they are of.
        let of = if check.id.is_some() && check.rule != "metric_bound" {
            format!("{}: ", check.of())
        } else {
            String::new()
        };
        let _ = writeln!(out, "{status} {}", safe(&format!("{of}{}", check.sentence)));
    }
    if beyond.len() > MOST {
        let _ = writeln!(out, "… and {} more; --format json has all", beyond.len() - MOST);
    }
    let held = asked.iter().filter(|check| check.status == Some(Status::Pass)).count();
    let _ = writeln!(out, "{held} of {} hold", asked.len());
}

fn known(out: &mut String, gate: &Gate) {
    let known = gate.checks.iter().filter_map(|check| Some((check, check.known.as_ref()?)));
    for (number, (check, known)) in known.enumerate() {
        if number == 0 {
            let _ = writeln!(out, "\nKnown findings");
        }
        let _ = writeln!(
            out,
            "- {} of {}, until {}: {}",
            check.id.as_deref().unwrap_or(&check.rule),
            safe(&check.of()),
            known.expires,
            safe(&known.reason)
        );
    }
}

fn since(out: &mut String, comparison: &Comparison, colour: bool) {
    let _ = writeln!(out, "\nSince the baseline\n{}", safe(&comparison.sentence));
    for difference in &comparison.differences {
        let _ = writeln!(out, "- {}", safe(&difference.sentence));
    }
    // Single classes have the groups of all.
    for one in comparison.attributes.iter().filter(|one| one.class.is_none()) {
        for (groups, what) in [(&one.groups_new, "new"), (&one.groups_gone, "gone")] {
            if !groups.is_empty() && !matches!(one.verdict, Verdict::New | Verdict::Gone) {
                let shown =
                    groups.iter().take(10).map(String::as_str).collect::<Vec<_>>().join(", ");
                let rest = groups.len().saturating_sub(10);
                let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
                let _ =
                    writeln!(out, "- {}: {what} groups: {}{more}", safe(&one.name), safe(&shown));
            }
        }
    }
    let mut changed: Vec<(&AttributeChange, &DisparityChange)> = comparison
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
    changed.sort_by_key(|(_, change)| {
        (!change.stops(), change.verdict != Verdict::Worse, !change.regressed)
    });
    let mut table = plain();
    table.set_header(["what", "of", "was", "is", "change of gap", "status"]);
    for (one, change) in changed.iter().take(MOST) {
        let number = |value: Option<f64>| {
            value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
        };
        let status =
            |status: Option<Status>| status.map_or("–".to_owned(), |status| mark(status, colour));
        let gap = match (change.gap_change, &change.gap_interval) {
            (Some(gap), Some(interval)) => {
                format!("{gap:+.3} [{:+.3}, {:+.3}]", interval.lower, interval.upper)
            }
            (Some(gap), None) => format!("{gap:+.3}"),
            (None, _) => String::new(),
        };
        table.add_row([
            format!("{} {}", change.verdict.as_str(), change.id),
            safe(&name(one)),
            number(change.baseline),
            number(change.current),
            gap,
            format!("{} → {}", status(change.baseline_status), status(change.current_status)),
        ]);
    }
    right(&mut table, 2..5);
    let _ = writeln!(out, "{table}");
    if changed.len() > MOST {
        let _ = writeln!(out, "… and {} more; --format json has all", changed.len() - MOST);
    }
}
