//! What a gate judged, as `JUnit` XML: what GitHub's reporters, GitLab and Jenkins read.

use std::fmt::Write as _;

use super::{Check, FailOn, Gate};
use crate::result::Status;

/// A suite for each attribute, a case for each check. Where nothing stops the gate ([`FailOn::Never`]), what fails is shown as
/// failed all the same.
pub fn junit(gate: &Gate) -> String {
    let mut suites: Vec<(&str, Vec<&Check>)> = Vec::new();
    for check in &gate.checks {
        match suites.iter_mut().find(|(name, _)| *name == check.subject) {
            Some((_, checks)) => checks.push(check),
            None => suites.push((&check.subject, vec![check])),
        }
    }
    let count = |checks: &[&Check], outcome: Outcome| {
        checks.iter().filter(|check| self::outcome(gate, check) == outcome).count()
    };
    let all: Vec<&Check> = gate.checks.iter().collect();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        out,
        "<testsuites name=\"ephor analyze\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" errors=\"0\" time=\"0\">",
        all.len(),
        count(&all, Outcome::Failed),
        count(&all, Outcome::Skipped)
    );
    for (name, checks) in &suites {
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" errors=\"0\" time=\"0\">",
            escaped(name),
            checks.len(),
            count(checks, Outcome::Failed),
            count(checks, Outcome::Skipped)
        );
        for check in checks {
            case(&mut out, gate, check);
        }
        out.push_str("  </testsuite>\n");
    }
    if !gate.notes.is_empty() {
        let _ = writeln!(out, "  <!-- {} -->", comment(&gate.notes.join(" ")));
    }
    out.push_str("</testsuites>\n");
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Skipped,
}

fn outcome(gate: &Gate, check: &Check) -> Outcome {
    if check.status.is_none() || check.known.is_some() {
        Outcome::Skipped
    } else if check.stops || (gate.fail_on == FailOn::Never && check.status == Some(Status::Fail)) {
        Outcome::Failed
    } else {
        Outcome::Passed
    }
}

fn case(out: &mut String, gate: &Gate, check: &Check) {
    let group = check.group.as_ref().map_or_else(String::new, |group| format!(" [{group}]"));
    let class = check.class.as_ref().map_or_else(String::new, |class| format!(" ({class})"));
    let name = match (&check.id, check.rule.as_str()) {
        (Some(id), "metric_bound") => format!("{id} bound{group}"),
        (_, rule) => format!("{rule}{class}{group}"),
    };
    let subject = &check.subject;
    let _ = write!(
        out,
        "    <testcase classname=\"ephor.{}\" name=\"{}\" time=\"0\"",
        escaped(subject),
        escaped(&name)
    );
    let mut text = check.sentence.clone();
    if let Some(change) = &check.change {
        text.push_str(&format!("\nSince the baseline: {}", change.sentence));
    }
    match outcome(gate, check) {
        Outcome::Failed => {
            let kind = check.status.map_or("undefined", Status::as_str);
            let (message, text) = (escaped(&check.sentence), escaped(&text));
            let _ = writeln!(
                out,
                "><failure type=\"{kind}\" message=\"{message}\">{text}</failure></testcase>"
            );
        }
        Outcome::Skipped => {
            let message = check.known.as_ref().map_or_else(
                || check.sentence.clone(),
                |known| format!("Accepted until {}: {}", known.expires, known.reason),
            );
            let _ = writeln!(out, "><skipped message=\"{}\"/></testcase>", escaped(&message));
        }
        Outcome::Passed if check.is_finding() => {
            let _ = writeln!(out, "><system-out>{}</system-out></testcase>", escaped(&text));
        }
        Outcome::Passed => out.push_str("/>\n"),
    }
}

/// A text for XML 1.0, in which most control characters cannot be, escaped or not.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push_str("&#10;"),
            '\u{fffe}' | '\u{ffff}' => {}
            letter if letter.is_control() => {}
            letter => out.push(letter),
        }
    }
    out
}

/// A text for a comment, which two dashes would end.
fn comment(text: &str) -> String {
    escaped(text).replace('-', "\u{2010}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_not_there() {
        assert_eq!(
            escaped("<a b='\"&\u{0}\u{1b}[2J\u{ffff}\n"),
            "&lt;a b=&apos;&quot;&amp;[2J&#10;"
        );
        assert!(!comment("a --> b").contains("--"));
    }
}
