//! Schemas of filters: what may stand behind `column=`, by the column's type.

use serde_json::{Map, Value, json};

use super::schema;
use crate::{Column, Kind};

const COMPARE: &str = "eq|neq|gt|gte|lt|lte";
const UUID: &str = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
const INTEGER: &str = "-?[0-9]{1,18}";
const NUMBER: &str = r"-?[0-9]{1,40}(\.[0-9]{1,40})?";
/// A calendar's days from 0001-01-01 to 9999-12-31.
const DATE: &str = "(([0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)-\
((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|\
([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)-02-29)";
const TIME: &str =
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])?";
/// Anything but U+0000, which PostgreSQL does not store.
const TEXT: &str = r"[^\x00]*";
/// A text in a list: bare, or in quotation marks.
const LISTED: &str = r#"([^\x00,()"]*|"([^\x00"\\]|\\[^\x00])*")"#;

/// The schema of a filter by the column. Those without a vocabulary are shared.
pub(super) fn of(column: &Column) -> Value {
    if column.bounds.vocabulary.is_empty() {
        return json!({"$ref": schema::reference(&format!("filter_{}", word(&column.kind)))});
    }
    let words: Vec<_> = column.bounds.vocabulary.iter().map(|word| escape(word)).collect();
    let words = format!("({})", words.join("|"));
    match &column.kind {
        Kind::Array(_) => filter(&format!("has\\.{words}")),
        _ => filter(&format!("{}|i?like\\.{TEXT}", compared(&words))),
    }
}

/// The shared schemas, by name.
pub(super) fn components(schemas: &mut Map<String, Value>) {
    let text = format!("({COMPARE}|i?like)\\.{TEXT}|in\\.\\(({LISTED}(,{LISTED})*)?\\)");
    for (name, values) in [
        ("text", text),
        ("uuid", compared(UUID)),
        ("boolean", format!("{}|is\\.(true|false)", compared("(true|false)"))),
        ("integer", compared(INTEGER)),
        ("number", compared(NUMBER)),
        ("time", compared(&format!("{DATE}({TIME})?"))),
        ("date", compared(DATE)),
        // Whether there is something; what lies within it is another parameter, `column->>key`.
        ("json", String::new()),
        ("text_array", format!("has\\.{TEXT}")),
        ("uuid_array", format!("has\\.{UUID}")),
        ("integer_array", format!("has\\.{INTEGER}")),
        ("number_array", format!("has\\.{NUMBER}")),
    ] {
        schemas.insert(format!("filter_{name}"), filter(&values));
    }
    // Which texts are addresses is beyond a pattern that one could read.
    schemas.insert(
        "filter_address".into(),
        json!({"type": "string", "pattern": format!("^(not\\.)?(({COMPARE}|in)\\.|is\\.(null|not_null)$)")}),
    );
}

fn word(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Other => "text",
        Kind::Uuid => "uuid",
        Kind::Bool => "boolean",
        Kind::Integer(_) => "integer",
        Kind::Float | Kind::Decimal => "number",
        Kind::Timestamp => "time",
        Kind::Date => "date",
        Kind::Json => "json",
        Kind::Address => "address",
        Kind::Array(element) => match element.as_ref() {
            Kind::Uuid => "uuid_array",
            Kind::Integer(_) => "integer_array",
            Kind::Float | Kind::Decimal => "number_array",
            _ => "text_array",
        },
    }
}

fn compared(value: &str) -> String {
    format!("({COMPARE})\\.{value}|in\\.\\(({value}(,{value})*)?\\)")
}

fn filter(values: &str) -> Value {
    let either = if values.is_empty() { "" } else { "|" };
    json!({"type": "string", "pattern": format!("^(not\\.)?({values}{either}is\\.(null|not_null))$")})
}

/// A word in which nothing is special to a regular expression.
fn escape(word: &str) -> String {
    let mut escaped = String::with_capacity(word.len());
    for letter in word.chars() {
        if "\\^$.|?*+()[]{}/".contains(letter) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}
