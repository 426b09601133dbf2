//! Rows as the resource engine gives them, read for showing.

use chrono::{DateTime, Utc};
use ephor_rest::Kind;
use serde_json::Value;

use super::{Badge, Html, Moment, format};

/// A text of the row; empty when it is null or not there.
pub(crate) fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The columns that rows are called by, the best first.
pub(crate) const NAMES: [&str; 14] = [
    "name",
    "title",
    "full_name",
    "subject",
    "question",
    "problem_statement",
    "semantic_version",
    "metric_name",
    "email",
    "code",
    "slug",
    "invoice_number",
    "repository",
    "builtin_code",
];

/// What the row is called, if it has a name.
pub(crate) fn name(row: &Value) -> Option<&str> {
    NAMES.into_iter().map(|column| text(row, column)).find(|text| !text.is_empty())
}

/// What tells people which row it is: its name, else what it is about, else its id.
pub(crate) fn title(row: &Value) -> &str {
    let otherwise = || ["description", "id"].map(|column| text(row, column));
    name(row).or_else(|| otherwise().into_iter().find(|text| !text.is_empty())).unwrap_or("Row")
}

/// The same for a list or a heading: a question or a problem may be called by a page of text.
pub(crate) fn called(row: &Value) -> String {
    let title = title(row);
    cut(title, LISTED).unwrap_or_else(|| title.to_owned())
}

/// A moment of the row.
pub(crate) fn moment(row: &Value, name: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(row.get(name)?.as_str()?).ok().map(|time| time.with_timezone(&Utc))
}

/// A moment of the row as a cell.
pub(crate) fn moment_cell(row: &Value, name: &str) -> Html {
    moment(row, name).map_or_else(Html::default, |time| Html::of(&Moment(time)))
}

/// A number of the row, which PostgreSQL may have written as a text.
pub(crate) fn number(row: &Value, name: &str) -> Option<f64> {
    match row.get(name)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A whole number of the row as a cell, with separators.
pub(crate) fn count_cell(row: &Value, name: &str) -> Html {
    let count = row.get(name).and_then(Value::as_u64);
    count.map_or_else(|| Html::text("\u{2013}"), |count| Html::text(&format::count(count)))
}

/// Any value, by the kind of its column.
pub(crate) fn cell(kind: &Kind, closed: bool, value: &Value) -> Html {
    match (kind, value) {
        (_, Value::Null) => Html::text("\u{2013}"),
        (Kind::Text, Value::String(word)) if closed => Html::of(&Badge::state(word)),
        (Kind::Timestamp, Value::String(text)) => DateTime::parse_from_rfc3339(text)
            .map_or_else(|_| Html::text(text), |time| Html::of(&Moment(time.with_timezone(&Utc)))),
        (Kind::Decimal, Value::String(text)) => Html::text(&amount(text)),
        (Kind::Decimal, Value::Number(number)) => Html::text(&amount(&number.to_string())),
        (_, Value::String(text)) => Html::text(text),
        (_, Value::Bool(yes)) => Html::text(if *yes { "yes" } else { "no" }),
        (_, Value::Number(number)) => {
            Html::text(&number.as_f64().map_or_else(|| number.to_string(), format::number))
        }
        (_, Value::Array(items)) if items.iter().all(Value::is_string) => {
            let words: Vec<_> = items.iter().filter_map(Value::as_str).collect();
            Html::text(&words.join(", "))
        }
        (_, other) => Html::text(&short(other)),
    }
}

/// A decimal number: an amount to its last digit, a mean as short as numbers are.
fn amount(digits: &str) -> String {
    let fraction = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    match digits.parse::<f64>() {
        Ok(value) if fraction > AMOUNT_DIGITS => format::number(value),
        _ => format::exact(digits),
    }
}

/// The same for a list, where a row is a line or two: a long text is cut.
pub(crate) fn brief(kind: &Kind, closed: bool, value: &Value) -> Html {
    match value {
        Value::String(text) if *kind == Kind::Text && !closed => match cut(text, LISTED) {
            Some(begun) => Html::text(&begun),
            None => Html::text(text),
        },
        _ => cell(kind, closed, value),
    }
}

/// The same for the page of the row, where all of it is to be read: JSON by its lines, texts as they were written.
pub(crate) fn whole(kind: &Kind, closed: bool, value: &Value) -> Html {
    match value {
        Value::String(text) if *kind == Kind::Text && !closed => {
            let long = text.contains('\n') || text.chars().nth(LISTED).is_some();
            if long { Html::lines(text) } else { Html::text(text) }
        }
        Value::Object(_) | Value::Array(_) if *kind == Kind::Json => folded(value),
        _ => cell(kind, closed, value),
    }
}

fn folded(value: &Value) -> Html {
    let (many, word, words) = match value {
        Value::Object(fields) => (fields.len(), "field", "fields"),
        Value::Array(items) => (items.len(), "entry", "entries"),
        _ => (0, "", ""),
    };
    if many == 0 {
        return Html::text("empty");
    }
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let open = text.lines().count() <= OPEN_LINES;
    Html::folded(&format::plural(many as u64, word, words), &text, open)
}

/// Amounts have at most so many digits behind the point.
const AMOUNT_DIGITS: usize = 6;
/// A text in a list has at most so many characters.
const LISTED: usize = 140;
/// JSON of so many lines need not be folded away.
const OPEN_LINES: usize = 12;

/// The first `most` characters of a longer text.
fn cut(text: &str, most: usize) -> Option<String> {
    let (end, _) = text.char_indices().nth(most)?;
    Some(format!("{}\u{2026}", &text[..end]))
}

/// A JSON value in a line of at most 300 characters.
pub(crate) fn short(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    cut(&text, 300).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_are_brief_and_pages_whole() {
        let long = json!("word ".repeat(100));
        assert!(brief(&Kind::Text, false, &long).to_string().ends_with("\u{2026}"));
        assert!(whole(&Kind::Text, false, &long).to_string().starts_with("<div class=\"lines\">"));
        assert_eq!(brief(&Kind::Text, false, &json!("short")).to_string(), "short");
        assert_eq!(whole(&Kind::Text, false, &json!("short")).to_string(), "short");
        let rules = json!([{ "id": "a", "when": { "all": [] } }]);
        let shown = whole(&Kind::Json, false, &rules).to_string();
        assert!(shown.contains("<details class=\"whole\" open><summary>1 entry</summary>"));
        assert!(shown.contains("&quot;id&quot;: &quot;a&quot;"));
        let many = json!((0..20).collect::<Vec<_>>());
        let shown = whole(&Kind::Json, false, &many).to_string();
        assert!(shown.contains("20 entries") && !shown.contains(" open"));
        assert_eq!(whole(&Kind::Json, false, &json!({})).to_string(), "empty");
        assert_eq!(cell(&Kind::Decimal, false, &json!(1234.56)).to_string(), "1,234.56");
        assert_eq!(cell(&Kind::Decimal, false, &json!("0.3333333333333333")).to_string(), "0.333");
    }

    #[test]
    fn values_are_shown_by_their_kind_and_escaped() {
        assert_eq!(cell(&Kind::Text, false, &json!("<b>")).to_string(), "&lt;b&gt;");
        assert!(cell(&Kind::Text, true, &json!("active")).to_string().contains("chip"));
        assert!(
            cell(&Kind::Timestamp, false, &json!("2026-11-21T02:00:00+00:00"))
                .to_string()
                .contains("<time")
        );
        assert_eq!(cell(&Kind::Json, false, &json!({"a": 1})).to_string(), "{&quot;a&quot;:1}");
        assert_eq!(number(&json!({"score": "78.42"}), "score"), Some(78.42));
    }
}
