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

/// A JSON value in a line of at most 300 characters.
pub(crate) fn short(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}\u{2026}", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
