//! JSON, and UBJSON, which XGBoost writes the same things in.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{
    budget::{Budget, Full},
    value::{Growing, Value},
};
use crate::Malformed;

/// The value of a text of JSON, whose values take only so much memory.
pub(super) fn parse(content: &[u8]) -> Result<Value, Malformed> {
    within(content, &Budget::of(content.len()))
}

fn within(content: &[u8], budget: &Budget) -> Result<Value, Malformed> {
    let reader = Reader { budget, is_full: &Cell::new(false) };
    let mut text = serde_json::Deserializer::from_slice(content);
    let read = reader.deserialize(&mut text).and_then(|value| text.end().map(|()| value));
    read.map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        if reader.is_full.get() {
            budget.fault(place)
        } else {
            Malformed::new(place, format!("it is no JSON: {error}"))
        }
    })
}

/// Can this be UBJSON of an object? In JSON a name in quotes follows the brace; in UBJSON the length of a name does.
pub(super) fn is_ubjson(content: &[u8]) -> bool {
    matches!(content, [b'{', b'i' | b'U' | b'I' | b'l' | b'L' | b'#' | b'$', ..])
}

/// Reads one value after the other within the same budget.
#[derive(Clone, Copy)]
struct Reader<'a> {
    budget: &'a Budget,
    is_full: &'a Cell<bool>,
}

impl Reader<'_> {
    fn fits<T, E: Error>(self, made: Result<T, Full>) -> Result<T, E> {
        made.map_err(|Full| {
            self.is_full.set(true);
            E::custom("its values take too much memory")
        })
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any valid JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Whole(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Number(value as f64), Value::Whole))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::number(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.fits(self.budget.text(text)).map(Value::Text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut all = Growing::new();
        while let Some(value) = from.next_element_seed(self)? {
            self.fits::<_, A::Error>(all.push(value, self.budget))?;
        }
        Ok(all.closed(self.budget))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(name) = from.next_key_seed(Name(self))? {
            let value = from.next_value_seed(self)?;
            self.fits::<_, A::Error>(self.budget.push(&mut all, (name, value)))?;
        }
        Ok(Value::Object(self.budget.closed(all)))
    }
}

/// Reads the name of a value.
struct Name<'a>(Reader<'a>);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Box<str>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Box<str>, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Box<str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Box<str>, E> {
        self.0.fits(self.0.budget.text(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read() {
        let read = parse(br#" {"a": [1, -2], "b": [1, 2.5], "c": [null, true, "x\n"], "d": {"e": 18446744073709551615}} "#);
        let read = read.unwrap();
        assert_eq!(read.get("a"), Some(&Value::Wholes([1, -2].into())));
        assert_eq!(read.get("b"), Some(&Value::Numbers([1.0, 2.5].into())));
        let mixed = [Value::Null, Value::Bool(true), Value::Text("x\n".into())];
        assert_eq!(read.get("c"), Some(&Value::List(mixed.into())));
        let most = read.get("d").and_then(|of| of.get("e"));
        assert_eq!(most, Some(&Value::Number(18_446_744_073_709_551_615.0)));
    }

    /// Models fit by far, even without what every file may take.
    #[test]
    fn models_take_less_than_they_may() {
        let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        for file in ["xgb_binary/model.json", "rf_binary/model.json"] {
            let content = std::fs::read(data.join(file)).unwrap();
            within(&content, &Budget::tight(content.len())).unwrap();
        }
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        for (content, words) in [
            (&b"{"[..], "line 1, column 1: it is no JSON: EOF while parsing an object"),
            (b"{\"a\": 1e999}", "number out of range"),
            (b"{} x", "trailing characters"),
            (b"{1: 2}", "key must be a string"),
            (&b"[".repeat(200), "recursion limit exceeded"),
        ] {
            let fault = parse(content).unwrap_err().to_string();
            assert!(fault.contains(words), "{fault}");
        }
    }
}
