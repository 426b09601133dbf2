//! JSON objects as rows: each value as the text that stands for it.

use std::fmt;

use serde::{
    Deserializer as _,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::Malformed;

/// A value of an object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Token<'a> {
    Null,
    Boolean(bool),
    /// An integer as it is written.
    Integer(&'a str),
    /// A number with a point or an exponent.
    Number(&'a str),
    /// A text as it is written, quotes included.
    Text(&'a str),
    /// An object or a list.
    Nested(&'a str),
}

impl<'a> Token<'a> {
    fn of(raw: &'a str) -> Self {
        match raw.as_bytes().first() {
            Some(b'"') => Self::Text(raw),
            Some(b'{' | b'[') => Self::Nested(raw),
            Some(b't') => Self::Boolean(true),
            Some(b'f') => Self::Boolean(false),
            Some(b'n') => Self::Null,
            _ if raw.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) => Self::Number(raw),
            _ => Self::Integer(raw),
        }
    }
}

/// The characters of a text, its quotes and escapes resolved.
pub(crate) fn unescape<'a>(
    raw: &'a str,
    scratch: &'a mut String,
) -> Result<&'a str, serde_json::Error> {
    if memchr::memchr(b'\\', raw.as_bytes()).is_none() {
        return Ok(raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default());
    }
    *scratch = serde_json::from_str(raw)?;
    Ok(scratch)
}

/// What stands between two rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Between {
    /// A line end.
    Lines,
    /// A comma.
    Commas,
}

/// Reads one row after the other from a chunk.
pub(crate) struct Rows<'a> {
    text: &'a str,
    at: usize,
    between: Between,
}

/// A fault at a byte of the text.
pub(crate) type Fault = (usize, Malformed);

impl<'a> Rows<'a> {
    pub(crate) fn new(text: &'a str, between: Between) -> Self {
        Self { text, at: 0, between }
    }

    /// Gives the keys and values of the next row to `take`, which may refuse one with a fault; the last argument is
    /// where the value stands. Returns where the row starts, or None at the end.
    pub(crate) fn next(
        &mut self,
        mut take: impl FnMut(&str, Token<'a>, usize) -> Result<(), Malformed>,
    ) -> Result<Option<usize>, Fault> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        if self.at >= bytes.len() {
            return Ok(None);
        }
        let start = self.at;
        let row = match self.between {
            Between::Lines => {
                let end =
                    memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |end| start + end);
                &self.text[start..end]
            }
            Between::Commas => &self.text[start..],
        };
        let mut refused = None;
        let mut read = serde_json::Deserializer::from_str(row);
        let seed =
            Row { take: &mut take, start: self.text.as_ptr() as usize, refused: &mut refused };
        let outcome = read.deserialize_map(seed);
        if let Some(fault) = refused {
            return Err(fault);
        }
        let ended = outcome.and_then(|()| match self.between {
            Between::Lines => read.end().map(|()| row.len()),
            Between::Commas => Ok(read.into_iter::<IgnoredAny>().byte_offset()),
        });
        let length = ended.map_err(|error| self.fault(start, row, &error))?;
        self.at = start + length;
        if self.between == Between::Commas {
            while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
                self.at += 1;
            }
            match bytes.get(self.at) {
                Some(b',') => self.at += 1,
                None => {}
                Some(_) => {
                    return Err((
                        self.at,
                        Malformed::new("a comma is missing between two objects"),
                    ));
                }
            }
        }
        Ok(Some(start))
    }

    fn fault(&self, start: usize, row: &str, error: &serde_json::Error) -> Fault {
        let mut line_start = 0;
        for _ in 1..error.line() {
            match memchr::memchr(b'\n', &row.as_bytes()[line_start..]) {
                Some(end) => line_start += end + 1,
                None => break,
            }
        }
        let at = (line_start + error.column().saturating_sub(1)).min(row.len());
        let told = error.to_string();
        let told = told.split(" at line ").next().unwrap_or_default();
        let mut fault = Malformed::new(format!("this is not a JSON object: {told}"));
        if error.is_eof() {
            fault = fault.hint(match self.between {
                Between::Lines => "NDJSON has one whole object on each line; rows that span lines belong in a JSON array: [{…}, {…}].",
                Between::Commas => "The file was probably cut short; get it again.",
            });
        } else if ["NaN", "Infinity", "-Infinity"]
            .iter()
            .any(|word| row[..at].ends_with(&word[..1]) || row[at..].starts_with(word))
        {
            fault = fault.hint("JSON has no NaN or Infinity: write null.");
        }
        (start + at, fault)
    }
}

/// Visits one object.
struct Row<'t, F> {
    take: &'t mut F,
    /// The address of the text's first byte.
    start: usize,
    refused: &'t mut Option<Fault>,
}

impl<'de, F> Visitor<'de> for Row<'_, F>
where
    F: FnMut(&str, Token<'de>, usize) -> Result<(), Malformed>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut name = String::new();
        while let Some(key) = map.next_key_seed(Key(&mut name))? {
            let raw = map.next_value::<&'de RawValue>()?.get();
            let key = key.unwrap_or(name.as_str());
            let at = (raw.as_ptr() as usize).saturating_sub(self.start);
            if let Err(fault) = (self.take)(key, Token::of(raw), at) {
                *self.refused = Some((at, fault));
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

/// A key, borrowed where it has no escapes; else it goes to the buffer.
struct Key<'b>(&'b mut String);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<&'de str>;

    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key<'_> {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Some(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        self.0.clear();
        self.0.push_str(key);
        Ok(None)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn read(text: &str, between: Between) -> Result<Vec<String>, Fault> {
        let (mut rows, mut all) = (Rows::new(text, between), Vec::new());
        loop {
            let mut row = String::new();
            let found = rows.next(|key, token, at| {
                row += &format!("{key}={token:?}@{at} ");
                Ok(())
            })?;
            if found.is_none() {
                return Ok(all);
            }
            all.push(row);
        }
    }

    #[test]
    fn values_keep_their_kind_and_place() {
        let all = read("{\"a\": 1, \"b\\n\": [2]}\n\n{\"a\": -1.5e3}\r\n", Between::Lines).unwrap();
        assert_eq!(all, ["a=Integer(\"1\")@6 b\n=Nested(\"[2]\")@16 ", "a=Number(\"-1.5e3\")@28 "]);
        let all = read("{\"a\":true},\n {\"a\":null} ,", Between::Commas).unwrap();
        assert_eq!(all, ["a=Boolean(true)@5 ", "a=Null@18 "]);
    }

    #[test]
    fn faults_say_where() {
        for (text, between, at) in [
            ("{\"a\":1}\n{\"a\":}\n", Between::Lines, 13),
            ("{\"a\":\n1}", Between::Lines, 4),
            ("{\"a\":1} x", Between::Lines, 8),
            ("[1]", Between::Lines, 0),
            ("{\"a\":1} {\"a\":2}", Between::Commas, 8),
            ("{\"a\":NaN}", Between::Lines, 5),
        ] {
            let (found, fault) = read(text, between).unwrap_err();
            assert_eq!(found, at, "{text:?}: {fault}");
        }
    }
}
