//! A value as a profile shows it.

use chrono::{DateTime, Days, NaiveDate};
use serde::{Deserialize, Serialize};

use super::ValueKind;

/// A value: true or false, a number, or a text. Dates and timestamps are texts, as ISO 8601 has them, and
/// so are `inf` and `-inf`, which JSON has no numbers for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A text, of at most 200 characters.
    Text(String),
}

/// A longer text is cut.
const CHARACTERS: usize = 200;

impl Value {
    pub(crate) fn text(text: &str) -> Self {
        match text.char_indices().nth(CHARACTERS) {
            Some((end, _)) => Self::Text(format!("{}…", &text[..end])),
            None => Self::Text(text.to_owned()),
        }
    }

    /// A number; JSON has no infinite ones, so they are texts.
    pub(crate) fn number(value: f64) -> Self {
        if value.is_finite() { Self::Number(value) } else { Self::Text(value.to_string()) }
    }

    /// A value that is held as a whole number: of `kind`, as it is shown.
    pub(crate) fn whole(kind: ValueKind, value: i64) -> Self {
        match kind {
            ValueKind::Boolean => Self::Boolean(value != 0),
            ValueKind::Date => {
                let epoch = NaiveDate::default();
                let day = if value < 0 {
                    epoch.checked_sub_days(Days::new(value.unsigned_abs()))
                } else {
                    epoch.checked_add_days(Days::new(value.unsigned_abs()))
                };
                day.map_or(Self::Integer(value), |day| Self::Text(day.to_string()))
            }
            ValueKind::Timestamp => DateTime::from_timestamp_micros(value)
                .map_or(Self::Integer(value), |time| {
                    Self::Text(time.naive_utc().format("%Y-%m-%dT%H:%M:%S%.f").to_string())
                }),
            _ => Self::Integer(value),
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Boolean(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Text(value) => f.write_str(value),
        }
    }
}
