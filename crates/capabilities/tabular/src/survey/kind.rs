//! What a text can be read as.

use arrow::datatypes::{DataType, TimeUnit};
use chrono::{NaiveDate, NaiveDateTime};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No value was seen.
    Unknown,
    Boolean,
    Integer,
    Number,
    Date,
    /// A day and an hour, of no stated zone.
    Timestamp,
    /// A day and an hour in a zone.
    Instant,
    Text,
    /// Objects and lists, kept as JSON.
    Nested,
}

impl Kind {
    /// The kind of a field that is not missing.
    pub(crate) fn of(field: &str) -> Self {
        let Some(&first) = field.as_bytes().first() else { return Self::Text };
        match first {
            b'0'..=b'9' | b'+' | b'-' | b'.' | b'n' | b'N' | b'i' | b'I' => {
                if integer(field) {
                    Self::Integer
                } else if number(field) {
                    Self::Number
                } else if date(field).is_some() {
                    Self::Date
                } else if timestamp(field).is_some() {
                    Self::Timestamp
                } else if instant(field).is_some() {
                    Self::Instant
                } else {
                    Self::Text
                }
            }
            b't' | b'T' | b'f' | b'F' if boolean(field).is_some() => Self::Boolean,
            _ => Self::Text,
        }
    }

    /// Can `field` be read as this kind?
    pub(crate) fn reads(self, field: &str) -> bool {
        match self {
            Self::Unknown => false,
            Self::Boolean => boolean(field).is_some(),
            Self::Integer => integer(field),
            Self::Number => integer(field) || number(field),
            Self::Date => date(field).is_some(),
            Self::Timestamp => timestamp(field).is_some(),
            Self::Instant => instant(field).is_some(),
            Self::Text | Self::Nested => true,
        }
    }

    /// The narrowest kind that reads what either reads.
    pub(crate) fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, kind) | (kind, Self::Unknown) => kind,
            (a, b) if a == b => a,
            (Self::Integer, Self::Number) | (Self::Number, Self::Integer) => Self::Number,
            _ => Self::Text,
        }
    }

    /// What it is, in words.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Unknown => "nothing",
            Self::Boolean => "true or false",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Date => "a date",
            Self::Timestamp | Self::Instant => "a timestamp",
            Self::Text => "text",
            Self::Nested => "an object or a list",
        }
    }

    /// Arrow's type of it.
    pub(crate) fn data_type(self, repeats: bool) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Number => DataType::Float64,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Unknown | Self::Text | Self::Nested if repeats => {
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
            }
            Self::Unknown | Self::Text | Self::Nested => DataType::Utf8,
        }
    }
}

/// `true` or `false`, in any case.
pub(crate) fn boolean(field: &str) -> Option<bool> {
    if field.eq_ignore_ascii_case("true") {
        Some(true)
    } else if field.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

fn unsigned(field: &str) -> &[u8] {
    match field.as_bytes() {
        [b'+' | b'-', rest @ ..] => rest,
        all => all,
    }
}

/// Digits that fit into 64 bits, without leading zeros: those belong to codes.
fn integer(field: &str) -> bool {
    let digits = unsigned(field);
    match digits.len() {
        0 => false,
        1 => digits[0].is_ascii_digit(),
        _ if digits[0] == b'0' || !digits.iter().all(u8::is_ascii_digit) => false,
        2..=18 => true,
        _ => field.parse::<i64>().is_ok(),
    }
}

/// A decimal number with a point or an exponent, `NaN`, or an infinity. No leading zeros here either.
fn number(field: &str) -> bool {
    let text = unsigned(field);
    let digits = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(0);
    if whole == 0 && text.first() != Some(&b'.') {
        return ["nan", "inf", "infinity"]
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word.as_bytes()));
    }
    if whole > 1 && text[0] == b'0' {
        return false;
    }
    let mut at = whole;
    let mut fraction = 0;
    if text.get(at) == Some(&b'.') {
        fraction = digits(at + 1);
        at += 1 + fraction;
    }
    if whole + fraction == 0
        || at == whole && text.get(at).is_none_or(|byte| !matches!(byte, b'e' | b'E'))
    {
        return false;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        at += 1 + usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at.min(text.len()));
        if exponent == 0 {
            return false;
        }
        at += exponent;
    }
    at == text.len()
}

fn two(bytes: &[u8], at: usize) -> Option<u32> {
    match bytes.get(at..at + 2)? {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some(u32::from(a - b'0') * 10 + u32::from(b - b'0')),
        _ => None,
    }
}

fn day(bytes: &[u8]) -> Option<NaiveDate> {
    if bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return None;
    }
    let year = i32::try_from(two(bytes, 0)? * 100 + two(bytes, 2)?).ok()?;
    NaiveDate::from_ymd_opt(year, two(bytes, 5)?, two(bytes, 8)?)
}

/// `2024-02-29`.
pub(crate) fn date(field: &str) -> Option<NaiveDate> {
    if field.len() == 10 { day(field.as_bytes()) } else { None }
}

/// A day, `T` or a blank, and an hour of at most microseconds; with what follows them.
fn moment(field: &str) -> Option<(NaiveDateTime, &[u8])> {
    let bytes = field.as_bytes();
    if !matches!(bytes.get(10), Some(b'T' | b' ')) || bytes.get(13) != Some(&b':') {
        return None;
    }
    let (hour, minute) = (two(bytes, 11)?, two(bytes, 14)?);
    let (mut second, mut micros, mut at) = (0, 0, 16);
    if bytes.get(16) == Some(&b':') {
        second = two(bytes, 17)?;
        at = 19;
        if bytes.get(19) == Some(&b'.') {
            let digits = bytes[20..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (kept, beyond) = bytes[20..20 + digits].split_at(digits.min(6));
            if digits == 0 || beyond.iter().any(|&digit| digit != b'0') {
                return None;
            }
            micros = kept.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))
                * 10_u32.pow(6 - u32::try_from(kept.len()).ok()?);
            at = 20 + digits;
        }
    }
    Some((day(bytes)?.and_hms_micro_opt(hour, minute, second, micros)?, &bytes[at..]))
}

/// `2024-02-29T12:30:15.25` or with a blank for the `T`: microseconds since 1970, of no stated zone.
pub(crate) fn timestamp(field: &str) -> Option<i64> {
    let (moment, rest) = moment(field)?;
    rest.is_empty().then(|| moment.and_utc().timestamp_micros())
}

/// A timestamp with `Z` or `+01:00` behind it: microseconds since 1970 in UTC.
pub(crate) fn instant(field: &str) -> Option<i64> {
    let (moment, rest) = moment(field)?;
    let minutes = match rest {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), zone @ ..] => {
            let (hours, minutes) = match zone.len() {
                2 => (two(zone, 0)?, 0),
                4 => (two(zone, 0)?, two(zone, 2)?),
                5 if zone[2] == b':' => (two(zone, 0)?, two(zone, 3)?),
                _ => return None,
            };
            if hours > 18 || minutes > 59 {
                return None;
            }
            let east = i64::from(hours * 60 + minutes);
            if *sign == b'+' { east } else { -east }
        }
        _ => return None,
    };
    Some(moment.and_utc().timestamp_micros() - minutes * 60_000_000)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_text_has_one_kind() {
        for (kind, texts) in [
            (Kind::Integer, vec!["0", "-7", "+5", "9223372036854775807", "-9223372036854775808"]),
            (
                Kind::Number,
                vec!["0.5", "-.5", "1.", "1e5", "1E-5", "NaN", "-inf", "Infinity", "0e1"],
            ),
            (Kind::Boolean, vec!["true", "FALSE", "True"]),
            (Kind::Date, vec!["2024-02-29"]),
            (
                Kind::Timestamp,
                vec![
                    "2024-02-29T23:59",
                    "2024-02-29 23:59:59.123456",
                    "2024-01-01T00:00:00.1000000",
                ],
            ),
            (
                Kind::Instant,
                vec!["2024-02-29T23:59:59Z", "2024-02-29 23:59:59+01:00", "2024-02-29T10:00-0530"],
            ),
            (
                Kind::Text,
                vec![
                    "007",
                    "00.5",
                    "9223372036854775808",
                    "1e",
                    "e5",
                    ".",
                    "+",
                    "-",
                    "1,5",
                    "1_000",
                    "2023-02-29",
                    "2024-2-9",
                    "2024-02-29T24:00",
                    "2024-02-29T10:00:00.1234567",
                    "x",
                    "",
                    "t",
                    "2024-02-29T10:00+99",
                    "1.5.2",
                    "0x1f",
                ],
            ),
        ] {
            for text in texts {
                assert_eq!(Kind::of(text), kind, "{text:?}");
                assert!(kind.reads(text), "{text:?}");
            }
        }
    }

    #[test]
    fn zones_are_taken_off() {
        assert_eq!(instant("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(instant("1969-12-31T18:30-0530"), Some(0));
        assert_eq!(timestamp("1970-01-01 00:00:00.000001"), Some(1));
    }

    proptest! {
        #[test]
        fn numbers_are_what_rust_prints(value: f64, integer: i64) {
            prop_assert_eq!(Kind::of(&integer.to_string()), Kind::Integer);
            let text = format!("{value:?}");
            prop_assert!(Kind::Number.reads(&text), "{}", text);
        }

        #[test]
        fn what_reads_as_a_number_parses(text in "[-+.0-9eE]{1,12}") {
            if Kind::Number.reads(&text) {
                prop_assert!(text.parse::<f64>().is_ok());
            }
            if Kind::Integer.reads(&text) {
                prop_assert!(text.parse::<i64>().is_ok());
            }
        }

        #[test]
        fn no_text_breaks_it(text in "\\PC{0,30}") {
            let kind = Kind::of(&text);
            prop_assert!(kind.reads(&text));
        }
    }
}
