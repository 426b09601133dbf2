//! The types of columns, as far as the API needs to tell them apart.

use std::net::IpAddr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

/// The type of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `text`, `varchar`.
    Text,
    /// `uuid`.
    Uuid,
    /// `boolean`.
    Bool,
    /// `smallint`, `integer`, `bigint`, with its width in bits.
    Integer(u8),
    /// `real`, `double precision`.
    Float,
    /// `numeric`: exact. It may be sent as a JSON string, so that no digit is lost.
    Decimal,
    /// `timestamptz`.
    Timestamp,
    /// `date`.
    Date,
    /// `json`, `jsonb`.
    Json,
    /// `inet`.
    Address,
    /// An array of one of the others.
    Array(Box<Kind>),
    /// Any other type (`bytea`, `interval`, …): shown as PostgreSQL prints it, neither filtered nor written.
    Other,
}

impl Kind {
    /// Is it an id, or several?
    pub(crate) fn holds_ids(&self) -> bool {
        match self {
            Self::Array(element) => element.holds_ids(),
            kind => *kind == Self::Uuid,
        }
    }

    /// From PostgreSQL's names of the type and, for an array, of its elements.
    pub(crate) fn of(type_name: &str, element: Option<&str>) -> Self {
        match type_name {
            "text" | "varchar" | "bpchar" => Self::Text,
            "uuid" => Self::Uuid,
            "bool" => Self::Bool,
            "int2" => Self::Integer(16),
            "int4" => Self::Integer(32),
            "int8" => Self::Integer(64),
            "float4" | "float8" => Self::Float,
            "numeric" => Self::Decimal,
            "timestamptz" => Self::Timestamp,
            "date" => Self::Date,
            "json" | "jsonb" => Self::Json,
            "inet" => Self::Address,
            _ => match element.map(|element| Self::of(element, None)) {
                None | Some(Self::Other | Self::Array(_)) => Self::Other,
                Some(kind) => Self::Array(Box::new(kind)),
            },
        }
    }

    /// What a value of it is called in messages.
    pub const fn noun(&self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Uuid => "a UUID",
            Self::Bool => "true or false",
            Self::Integer(_) => "a whole number",
            Self::Float => "a number",
            Self::Decimal => "a decimal number",
            Self::Timestamp => "a time such as 2026-01-31T12:00:00Z",
            Self::Date => "a date such as 2026-01-31",
            Self::Json => "JSON",
            Self::Address => "an IP address",
            Self::Array(_) => "an array",
            Self::Other => "a value that cannot be sent",
        }
    }

    /// Can lists be sorted by it, and values of it compared by size?
    pub const fn ordered(&self) -> bool {
        !matches!(self, Self::Json | Self::Array(_) | Self::Other)
    }

    /// Reads a value as it stands in a query string and gives the text to bind, which PostgreSQL
    /// is then certain to read as this type. `None` when it is no such value.
    pub fn parse(&self, text: &str) -> Option<String> {
        if text.contains('\0') {
            return None;
        }
        match self {
            Self::Text => Some(text.to_owned()),
            Self::Uuid => Uuid::try_parse(text).ok().map(|id| id.to_string()),
            Self::Bool => matches!(text, "true" | "false").then(|| text.to_owned()),
            // What is wider than the column is a fair bound all the same.
            Self::Integer(_) => text.parse::<i64>().ok().map(|number| number.to_string()),
            Self::Float => {
                let number: f64 = text.parse().ok()?;
                number.is_finite().then(|| number.to_string())
            }
            Self::Decimal => decimal(text).then(|| text.to_owned()),
            Self::Timestamp => timestamp(text).map(|time| time.to_rfc3339()),
            Self::Date => date(text).map(|date| date.to_string()),
            Self::Address => text.parse::<IpAddr>().ok().map(|address| address.to_string()),
            Self::Json | Self::Array(_) | Self::Other => None,
        }
    }

    /// Is the JSON value one of this type? `null` is not the type's affair.
    pub fn accepts(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Json, _)
            | (Self::Text, Value::String(_))
            | (Self::Bool, Value::Bool(_))
            | (Self::Float | Self::Decimal, Value::Number(_)) => true,
            (Self::Integer(bits), Value::Number(number)) => {
                whole(number).is_some_and(|number| fits(number, *bits))
            }
            (Self::Decimal, Value::String(text)) => decimal(text),
            // In bodies a time says which one it is: no time zone is guessed.
            (Self::Timestamp, Value::String(text)) => {
                DateTime::parse_from_rfc3339(text).is_ok_and(|time| sane(time.to_utc()))
            }
            (Self::Uuid | Self::Date | Self::Address, Value::String(text)) => {
                self.parse(text).is_some()
            }
            (Self::Array(element), Value::Array(items)) => {
                items.iter().all(|item| element.accepts(item))
            }
            _ => false,
        }
    }

    /// Its JSON Schema, without what constraints add.
    pub fn schema(&self) -> Value {
        match self {
            Self::Text => json!({"type": "string"}),
            Self::Uuid => json!({"type": "string", "format": "uuid"}),
            Self::Bool => json!({"type": "boolean"}),
            Self::Integer(16) => {
                json!({"type": "integer", "minimum": i16::MIN, "maximum": i16::MAX})
            }
            Self::Integer(32) => {
                json!({"type": "integer", "format": "int32", "minimum": i32::MIN, "maximum": i32::MAX})
            }
            Self::Integer(_) => {
                json!({"type": "integer", "format": "int64", "minimum": i64::MIN, "maximum": i64::MAX})
            }
            Self::Float => json!({"type": "number", "format": "double"}),
            Self::Decimal => json!({"type": "number"}),
            Self::Timestamp => json!({"type": "string", "format": "date-time"}),
            Self::Date => json!({"type": "string", "format": "date"}),
            Self::Address => {
                json!({"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]})
            }
            Self::Json => json!({}),
            Self::Array(element) => json!({"type": "array", "items": element.schema()}),
            Self::Other => json!({"type": "string", "readOnly": true}),
        }
    }
}

/// A number without a fraction, however it is written: to JSON, 3.0 is 3.
pub(crate) fn whole(number: &serde_json::Number) -> Option<i64> {
    // Up to here a double holds every whole number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let exact = |number: &f64| number.fract() == 0.0 && number.abs() <= EXACT;
    number.as_i64().or_else(|| number.as_f64().filter(exact).map(|number| number as i64))
}

fn fits(number: i64, bits: u8) -> bool {
    match bits {
        16 => i16::try_from(number).is_ok(),
        32 => i32::try_from(number).is_ok(),
        _ => true,
    }
}

/// Digits with at most one point and at most 100 of them: no exponent, whose size nobody sees.
fn decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits.len() <= 100 && number(whole) && number(fraction)
}

/// The years that every part of the way (JSON, CSV, chrono, PostgreSQL) writes alike.
fn sane(time: DateTime<Utc>) -> bool {
    use chrono::Datelike;
    (1..=9999).contains(&time.year())
}

fn date(text: &str) -> Option<NaiveDate> {
    use chrono::Datelike;
    // chrono would take 2026-1-3 too.
    let date: NaiveDate = Some(text).filter(|text| text.len() == 10)?.parse().ok()?;
    (1..=9999).contains(&date.year()).then_some(date)
}

/// A moment in a query string: RFC 3339, a time without a zone (UTC), or a date (its midnight, UTC).
fn timestamp(text: &str) -> Option<DateTime<Utc>> {
    // A `+` that was not percent-encoded arrives as a blank: 2026-01-31T12:00:00 01:00.
    let zoned = match text.split_once('T') {
        Some((day, time)) => format!("{day}T{}", time.replace(' ', "+")),
        None => text.to_owned(),
    };
    let time =
        DateTime::parse_from_rfc3339(&zoned).map(|time| time.to_utc()).ok().or_else(|| {
            text.parse::<NaiveDateTime>()
                .ok()
                .or_else(|| date(text)?.and_hms_opt(0, 0, 0))
                .map(|time| time.and_utc())
        })?;
    sane(time).then_some(time)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_to_their_width() {
        assert!(!Kind::Integer(16).accepts(&json!(32768)));
        assert_eq!(Kind::Integer(16).parse("32768").as_deref(), Some("32768"));
        assert_eq!(Kind::Integer(64).parse("9223372036854775808"), None);
        assert!(Kind::Integer(32).accepts(&json!(-5)) && !Kind::Integer(32).accepts(&json!(1.5)));
        assert!(
            Kind::Integer(32).accepts(&json!(3.0)) && !Kind::Integer(64).accepts(&json!(1e300))
        );
        assert_eq!(Kind::Float.parse("NaN"), None);
        assert!(Kind::Decimal.accepts(&json!("0.1000000001")));
        assert!(!Kind::Decimal.accepts(&json!("1e400")) && !Kind::Decimal.accepts(&json!(".5")));
    }

    #[test]
    fn times_are_read_in_the_forms_that_query_strings_have() {
        let utc = |text: &str| Kind::Timestamp.parse(text);
        assert_eq!(utc("2026-01-31").as_deref(), Some("2026-01-31T00:00:00+00:00"));
        assert_eq!(utc("2026-01-31T12:00:00 02:00").as_deref(), Some("2026-01-31T10:00:00+00:00"));
        assert_eq!(
            utc("2026-01-31T12:00:00.123456Z").as_deref(),
            Some("2026-01-31T12:00:00.123456+00:00")
        );
        for wrong in ["", "yesterday", "2026-02-30", "99999-01-01", "infinity"] {
            assert_eq!(utc(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn no_text_holds_a_nul() {
        assert_eq!(Kind::Text.parse("a\0b"), None);
    }

    #[test]
    fn arrays_are_known_by_their_elements() {
        let tags = Kind::of("_text", Some("text"));
        assert!(tags.accepts(&json!(["a", "b"])) && !tags.accepts(&json!(["a", 1])));
        assert_eq!(Kind::of("_bytea", Some("bytea")), Kind::Other);
    }
}
