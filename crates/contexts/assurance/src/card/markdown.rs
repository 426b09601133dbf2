//! The card as a `README.md`: YAML with what hubs read, then sections for people.

use std::fmt::Write as _;

use ephor_fairness::{Interval, Status};
use serde_json::{Map, Value, json};

use super::{CardAttribute, CardGroup, ModelCard, NOT_STATED, Quantities};

impl ModelCard {
    /// The card as Markdown. What people wrote stands in it as plain text: no markup of theirs,
    /// no link and no HTML has an effect.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        front_matter(self, &mut out);
        let details = &self.model_details;
        line(&mut out, format_args!("# Model card: {}", plain(&details.name)));
        line(&mut out, format_args!("## Model details\n"));
        let date = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%d").to_string();
        let version = match details.version_date {
            Some(since) => format!("{} (since {since})", details.version),
            None => details.version.clone(),
        };
        let facts = [
            ("Description", details.description.clone()),
            ("Kind", Some(ephor_rest::label(&details.model_type))),
            ("Version", Some(version)),
            ("Status", Some(details.status.clone())),
            ("Base model", details.base_model.clone()),
            ("Developers", self.stated.developers.clone()),
            ("License", self.stated.license.clone()),
            ("Citation", self.stated.citation.clone()),
            ("Contact", self.stated.contact.clone()),
            ("Registered", Some(date(details.registered_at))),
            ("Inputs and outputs", details.schema.as_ref().map(Value::to_string)),
        ];
        for (name, value) in facts {
            line(&mut out, format_args!("- **{name}**: {}", said(value.as_deref())));
        }
        for (title, text) in self.stated.sections() {
            line(&mut out, format_args!("\n## {title}\n\n{}", said(text)));
        }
        line(&mut out, format_args!("\n## Quantitative analyses"));
        match &self.quantitative_analyses {
            Some(found) => quantities(found, &mut out),
            None => line(&mut out, format_args!("\n{NOT_STATED}")),
        }
        if !self.trend.is_empty() {
            trend(self, &mut out);
        }
        line(&mut out, format_args!("\n## Caveats\n"));
        for caveat in &self.caveats {
            line(&mut out, format_args!("- {}", plain(caveat)));
        }
        if self.caveats.is_empty() {
            line(&mut out, format_args!("None were found by the analysis."));
        }
        line(&mut out, format_args!("\nMade by Ephor on {}.", date(self.created_at)));
        out
    }
}

/// Nothing can go wrong in writing to a text.
fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = writeln!(out, "{text}");
}

/// JSON is YAML, and quotes whatever needs it.
fn front_matter(card: &ModelCard, out: &mut String) {
    let mut entries = Map::new();
    if let Some(license) = &card.stated.license {
        entries.insert("license".into(), json!(license));
    }
    entries.insert("tags".into(), json!(["fairness", card.model_details.model_type]));
    if let Some(index) = &card.model_index {
        entries.insert("model-index".into(), index.clone());
    }
    out.push_str("---\n");
    for (name, value) in entries {
        // A line that begins with three dots or dashes would end the block; within JSON none does.
        line(out, format_args!("{name}: {}", yaml(&value)));
    }
    out.push_str("---\n\n");
}

/// JSON, with what YAML takes for the end of a line, or does not take at all, as escapes. All of it stands in
/// texts: beyond them JSON has neither.
fn yaml(value: &Value) -> String {
    let mut out = String::new();
    for letter in value.to_string().chars() {
        match letter {
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            other => out.push(other),
        }
    }
    out
}

fn said(text: Option<&str>) -> String {
    text.map_or_else(|| NOT_STATED.to_owned(), plain)
}

/// A text without any markup: letters that mean something are escaped, lines become one.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '~' | '!' | '$' => {
                out.push('\\');
                out.push(letter);
            }
            // An address becomes a link by itself; with these it does not.
            ':' if rest.peek() == Some(&'/') => out.push_str("&#58;"),
            '.' if out.ends_with("www") || out.ends_with("WWW") => out.push_str("&#46;"),
            '@' => out.push_str("&#64;"),
            other if other.is_control() || other == '\u{2028}' || other == '\u{2029}' => {
                out.push(' ');
            }
            other => out.push(other),
        }
    }
    // A list or a number at the start of a line.
    let out = out.trim().to_owned();
    match out.chars().next() {
        Some('-' | '+' | '=') => format!("\\{out}"),
        Some(first) if first.is_ascii_digit() => out.replacen(['.', ')'], "&#46;", 1),
        _ => out,
    }
}

fn quantities(found: &Quantities, out: &mut String) {
    let completed = found
        .completed_at
        .map_or_else(|| NOT_STATED.to_owned(), |at| at.format("%Y-%m-%d").to_string());
    let score =
        found.compliance_score.map_or_else(|| "undefined".to_owned(), |score| score.to_string());
    let facts = [
        ("Analysis", plain(&found.name)),
        ("Completed", completed),
        ("Model version", said(found.model_version.as_deref())),
        ("Data set", said(found.dataset.as_deref())),
        ("Rows used", format!("{} of {}", found.rows_used, found.rows_read)),
        ("Task", found.task.as_str().to_owned()),
        ("Label", found.label().map_or_else(|| "none".to_owned(), |label| plain(&label))),
        ("Compliance score", format!("{score} of 100")),
        ("Outcome", status(found.outcome).to_owned()),
    ];
    out.push('\n');
    for (name, value) in facts {
        line(out, format_args!("- **{name}**: {value}"));
    }
    line(out, format_args!("\nIntervals are of confidence {}.", found.confidence));
    for attribute in &found.attributes {
        groups(attribute, &found.overall, out);
        disparities(attribute, out);
    }
}

fn groups(attribute: &CardAttribute, overall: &CardGroup, out: &mut String) {
    line(out, format_args!("\n### By {}\n", plain(&attribute.name)));
    let titles: Vec<&str> = overall.metrics.iter().map(|metric| metric.title.as_str()).collect();
    line(out, format_args!("| Group | Rows | {} |", titles.join(" | ")));
    line(out, format_args!("|---|---:|{}", "---:|".repeat(titles.len().max(1))));
    for group in std::iter::once(overall).chain(&attribute.groups) {
        let cells: Vec<String> = overall
            .metrics
            .iter()
            .map(|wanted| {
                let metric = group.metrics.iter().find(|metric| metric.id == wanted.id);
                metric.map_or_else(
                    || "undefined".to_owned(),
                    |metric| number(metric.value, metric.interval.as_ref()),
                )
            })
            .collect();
        let note = group.not_compared.map_or_else(String::new, |why| format!(" ({why})"));
        let name = plain(&group.name);
        line(out, format_args!("| {name}{note} | {} | {} |", group.n, cells.join(" | ")));
    }
}

fn disparities(attribute: &CardAttribute, out: &mut String) {
    if attribute.disparities.is_empty() {
        return;
    }
    out.push_str("\n| Disparity | Value | Accepted deviation | Status |\n|---|---:|---:|---|\n");
    for one in &attribute.disparities {
        let value = match &one.undefined {
            Some(reason) => format!("undefined: {}", plain(reason)),
            None => number(one.value, one.interval.as_ref()),
        };
        let accepted = one.threshold.map_or_else(String::new, |accepted| accepted.to_string());
        let status = status(one.status);
        line(out, format_args!("| {} | {value} | {accepted} | {status} |", plain(&one.title)));
    }
}

fn trend(card: &ModelCard, out: &mut String) {
    out.push_str("\n### Over the versions\n\n| Version | Completed | Compliance score | Outcome |\n|---|---|---:|---|\n");
    for point in &card.trend {
        let version = said(point.semantic_version.as_deref());
        let score = point
            .compliance_score
            .map_or_else(|| "undefined".to_owned(), |score| score.to_string());
        let outcome = said(point.outcome.as_deref());
        let date = point.completed_at.format("%Y-%m-%d");
        line(out, format_args!("| {version} | {date} | {score} | {outcome} |"));
    }
}

fn number(value: Option<f64>, interval: Option<&Interval>) -> String {
    let Some(value) = value.filter(|value| value.is_finite()) else {
        return "undefined".to_owned();
    };
    match interval {
        Some(at) => format!("{value:.3} ({:.3} to {:.3})", at.lower, at.upper),
        None => format!("{value:.3}"),
    }
}

fn status(status: Option<Status>) -> &'static str {
    status.map_or("not judged", Status::as_str)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::{plain, yaml};

    #[test]
    fn no_text_ends_a_line_of_the_metadata() {
        let text = json!({ "name": "a\u{2028}---\u{85}b\u{7f}\u{feff}\n\u{e9}" });
        let line = yaml(&text);
        assert!(
            line.chars().all(|letter| letter == '\u{e9}' || (' '..='~').contains(&letter)),
            "{line}"
        );
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), text);
    }

    #[test]
    fn what_people_wrote_is_plain_text() {
        assert_eq!(plain("<b>*x*</b>\n# y | z"), "&lt;b&gt;\\*x\\*&lt;/b&gt; \\# y \\| z");
        assert_eq!(plain("[a](http://x) me@x.org"), "\\[a\\](http&#58;//x) me&#64;x.org");
        assert_eq!(plain("see: www.x.org."), "see: www&#46;x.org.");
        assert_eq!(plain("- a"), "\\- a");
        assert_eq!(plain("1. a. b"), "1&#46; a. b");
        assert_eq!(plain("\u{1b}[31m"), "\\[31m");
    }
}
