//! A policy file as values with their lines, whatever it is written in.

use serde_json::Value as Json;
use toml::de::{DeTable, DeValue};

use crate::Fault;

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    pub value: Value,
    /// From 1; `None` in JSON, which does not say.
    pub line: Option<usize>,
}

#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    Number(f64),
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
    /// Nothing that a policy has a use for, by its name.
    Other(&'static str),
}

impl Value {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(kind) => kind,
        }
    }
}

/// JSON if it begins like it, TOML otherwise.
pub(super) fn parse(text: &str) -> Result<Node, Vec<Fault>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map(json).map_err(|error| {
            vec![Fault::new("", "not_json", format!("The policy is no JSON: {error}."))]
        })
    } else {
        let lines = Lines::of(text);
        DeTable::parse(text)
            .map(|table| Node { line: None, value: self::table(table.get_ref(), &lines) })
            .map_err(|error| {
                let place = error.span().map_or_else(String::new, |span| lines.named(span.start));
                let message = format!("The policy is no TOML: {}.", error.message().trim());
                let hint = "A policy is written in TOML or JSON.";
                vec![Fault::new(place, "not_toml", message).hint(hint)]
            })
    }
}

fn json(value: Json) -> Node {
    let value = match value {
        Json::String(text) => Value::Text(text),
        Json::Number(number) => number.as_f64().map_or(Value::Other("a number"), Value::Number),
        Json::Array(items) => Value::List(items.into_iter().map(json).collect()),
        Json::Object(fields) => {
            Value::Table(fields.into_iter().map(|(name, value)| (name, json(value))).collect())
        }
        Json::Bool(_) => Value::Other("true or false"),
        Json::Null => Value::Other("null"),
    };
    Node { value, line: None }
}

fn table(table: &DeTable<'_>, lines: &Lines) -> Value {
    let fields = table.iter().map(|(name, value)| {
        let place = name.span().start;
        (name.get_ref().to_string(), node(value.get_ref(), place, lines))
    });
    Value::Table(fields.collect())
}

fn node(value: &DeValue<'_>, place: usize, lines: &Lines) -> Node {
    let value = match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Other("a number too great"), |number| Value::Number(number as f64)),
        DeValue::Float(number) => {
            number.as_str().parse().map_or(Value::Other("no number"), Value::Number)
        }
        // A date without quotes is as good as one with them.
        DeValue::Datetime(date) => Value::Text(date.to_string()),
        DeValue::Array(items) => Value::List(
            items.iter().map(|item| node(item.get_ref(), item.span().start, lines)).collect(),
        ),
        DeValue::Table(fields) => table(fields, lines),
        DeValue::Boolean(_) => Value::Other("true or false"),
    };
    Node { value, line: Some(lines.number(place)) }
}

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(
            text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect(),
        )
    }

    fn number(&self, place: usize) -> usize {
        self.0.partition_point(|end| *end < place) + 1
    }

    fn named(&self, place: usize) -> String {
        format!("line {}", self.number(place))
    }
}
