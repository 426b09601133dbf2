//! Rows as JSON: a line each, or an array of objects.

use std::fmt;

use ephor_kernel::{Fault, Problem};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use super::{cell::Cell, sheet::Sheet};

/// A row's fields in their order, repeated ones as well.
struct Fields(Vec<(String, Cell)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        from.deserialize_map(Object)
    }
}

/// One object in each line; empty lines are none.
pub(super) fn lines(text: &str, sheet: &mut Sheet) -> Result<(), Problem> {
    for (number, line) in text.lines().enumerate() {
        if !line.trim().is_empty() {
            row(&format!("Line {}", number + 1), line, sheet)?;
        }
    }
    Ok(())
}

fn row(place: &str, text: &str, sheet: &mut Sheet) -> Result<(), Problem> {
    match serde_json::from_str::<Fields>(text) {
        Ok(Fields(fields)) => sheet.row(place, fields),
        // What serde says repeats the value.
        Err(error) if error.is_data() => {
            sheet.broken(place, "type", "it has to be an object, of columns with their values")
        }
        Err(error) => {
            sheet.broken(place, "malformed", &format!("it is not JSON (column {})", error.column()))
        }
    }
}

/// An array of objects.
pub(super) fn array(text: &str, sheet: &mut Sheet) -> Result<(), Problem> {
    let mut stopped = None;
    let mut reader = serde_json::Deserializer::from_str(text);
    let read =
        Rows { sheet, stopped: &mut stopped }.deserialize(&mut reader).and_then(|()| reader.end());
    match (read, stopped) {
        (_, Some(problem)) => Err(problem),
        (Ok(()), None) => Ok(()),
        (Err(error), None) => {
            let place = format!("line {}, column {}", error.line(), error.column());
            Err(Problem::invalid(vec![Fault::new(
                "",
                "malformed",
                format!("The body is not a JSON array of objects ({place})"),
            )]))
        }
    }
}

struct Rows<'a> {
    sheet: &'a mut Sheet,
    stopped: &'a mut Option<Problem>,
}

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut number = 0_usize;
        while let Some(raw) = list.next_element::<&RawValue>()? {
            number += 1;
            if let Err(problem) = row(&format!("Row {number}"), raw.get(), self.sheet) {
                *self.stopped = Some(problem);
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}
