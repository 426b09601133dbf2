//! One value of a row: as it was sent, and as a column of a type keeps it.

use std::io::Write as _;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::columns::FeedType;

/// A value as it was sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// Nothing: JSON's `null`, an empty field of CSV.
    Missing,
    Boolean(bool),
    Whole(i64),
    Number(f64),
    Text(String),
    /// A field of CSV, which does not say its type.
    Word(String),
    /// A whole number of more than 64 bits.
    TooLarge,
    /// A list or an object.
    Nested,
}

/// The largest whole number that a double holds exactly, with all below it.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Cell {
    /// The type that these values have in common. `None` when there is no value, or none that tells.
    pub(super) fn common_type<'a>(cells: impl Iterator<Item = &'a Self>) -> Option<FeedType> {
        let mut common: Option<FeedType> = None;
        for cell in cells {
            let kind = match cell {
                Self::Missing => continue,
                Self::Boolean(_) => FeedType::Boolean,
                Self::Whole(_) | Self::Number(_) | Self::TooLarge => FeedType::Number,
                Self::Text(_) | Self::Nested => FeedType::Text,
                Self::Word(word) => match (common, word_type(word)) {
                    (None, kind) => kind,
                    (Some(now), kind) if now == kind => kind,
                    // Words that differ have in common that they are words.
                    (Some(_), _) => return Some(FeedType::Text),
                },
            };
            common.get_or_insert(kind);
        }
        common
    }

    /// Writes it as JSON into a column of this type, or says why it is none of it.
    pub(super) fn write(
        &self,
        kind: FeedType,
        to: &mut Vec<u8>,
    ) -> Result<(), (&'static str, String)> {
        // Writing to a vector cannot fail, and neither can the JSON of a text.
        let fits = match (kind, self) {
            (_, Self::Missing) => {
                to.extend_from_slice(b"null");
                true
            }
            (FeedType::Text, Self::Text(text) | Self::Word(text)) => {
                if text.contains('\0') {
                    return Err(("nul", "it holds a NUL character".to_owned()));
                }
                serde_json::to_writer(&mut *to, text).is_ok()
            }
            (FeedType::Boolean, Self::Boolean(value)) => write!(to, "{value}").is_ok(),
            (FeedType::Boolean, Self::Word(word)) => match boolean(word) {
                Some(value) => write!(to, "{value}").is_ok(),
                None => false,
            },
            (FeedType::Integer | FeedType::Number, Self::Whole(value)) => {
                write!(to, "{value}").is_ok()
            }
            (FeedType::Integer, Self::Number(value))
                if value.fract() == 0.0 && value.abs() <= EXACT =>
            {
                // Added to zero, -0 is 0: it is no whole number of JSON's.
                write!(to, "{:.0}", value + 0.0).is_ok()
            }
            (FeedType::Number, Self::Number(value)) => {
                serde_json::to_writer(&mut *to, value).is_ok()
            }
            (FeedType::Integer, Self::Word(word)) => match word.parse::<i64>() {
                Ok(value) => write!(to, "{value}").is_ok(),
                Err(_) => false,
            },
            (FeedType::Number, Self::Word(word)) => match (word.parse::<i64>(), number(word)) {
                (Ok(value), _) => write!(to, "{value}").is_ok(),
                (_, Some(value)) => serde_json::to_writer(&mut *to, &value).is_ok(),
                (_, None) => false,
            },
            (FeedType::Integer | FeedType::Number, Self::TooLarge) => {
                return Err(("out_of_range", "a whole number has at most 64 bits".to_owned()));
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(("type", format!("it has to be {}", kind.as_str()))) }
    }
}

/// The type that a field of CSV looks like. Digits behind a zero are a code, not a number.
fn word_type(word: &str) -> FeedType {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let is_code = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    if boolean(word).is_some() {
        FeedType::Boolean
    } else if number(word).is_some() && !is_code {
        FeedType::Number
    } else {
        FeedType::Text
    }
}

fn boolean(word: &str) -> Option<bool> {
    match word {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// A finite number in digits: not what else Rust reads as one.
fn number(word: &str) -> Option<f64> {
    let plain = word.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    plain.then(|| word.parse::<f64>().ok()).flatten().filter(|value| value.is_finite())
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Value;
        impl<'de> Visitor<'de> for Value {
            type Value = Cell;

            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("a value")
            }

            fn visit_unit<E: Error>(self) -> Result<Cell, E> {
                Ok(Cell::Missing)
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Cell, E> {
                Ok(Cell::Boolean(value))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Cell, E> {
                Ok(Cell::Whole(value))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Cell, E> {
                Ok(i64::try_from(value).map_or(Cell::TooLarge, Cell::Whole))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Cell, E> {
                // Whole numbers of more than 64 bits come as this, too.
                Ok(if value.is_finite() { Cell::Number(value) } else { Cell::TooLarge })
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Cell, E> {
                Ok(Cell::Text(value.to_owned()))
            }

            fn visit_string<E: Error>(self, value: String) -> Result<Cell, E> {
                Ok(Cell::Text(value))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Cell, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Cell::Nested)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Cell::Nested)
            }
        }
        from.deserialize_any(Value)
    }
}
