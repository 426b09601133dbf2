//! What is in JSON that people write. One declaration gives the check of a value, with every fault at
//! its place, and the JSON Schema that the OpenAPI document shows.

use ephor_kernel::Fault;
use serde_json::{Map, Value, json};

use crate::body::escape;

/// A value of a JSON column has at most so many bytes when it is written without blanks, and its numbers
/// without powers of ten.
pub const MAX_JSON_VALUE_BYTES: usize = 256 * 1024;
/// Objects and arrays within one another in a value of a JSON column, at most.
pub const MAX_JSON_VALUE_DEPTH: usize = 16;
/// Faults that are told of one value, at most: who made so many has one mistake.
const MAX_FAULTS: usize = 100;

/// What a JSON value has to be. What no shape names is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Whatever it is.
    Any,
    /// An object of whatever it is.
    Object,
    /// A text of at most so many characters.
    Text(u32),
    /// A number.
    Number,
    /// True or false.
    Bool,
    /// An array of at most so many items.
    List(&'static Shape, u32),
    /// An object of at most so many names, which are anybody's choice.
    Map(&'static Shape, u32),
    /// An object. The names that are listed have a shape where they are there; others are open.
    Record(&'static [(&'static str, Shape)]),
    /// One of several that differ in their JSON type.
    Either(&'static [Shape]),
}

impl Shape {
    /// Is the value of the JSON type? What is in it may be wrong yet.
    fn takes(&self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Object | Self::Map(..) | Self::Record(_) => value.is_object(),
            Self::Text(_) => value.is_string(),
            Self::Number => value.is_number(),
            Self::Bool => value.is_boolean(),
            Self::List(..) => value.is_array(),
            Self::Either(shapes) => shapes.iter().any(|shape| shape.takes(value)),
        }
    }

    fn noun(&self) -> String {
        match self {
            Self::Any => "JSON".to_owned(),
            Self::Object | Self::Map(..) | Self::Record(_) => "an object".to_owned(),
            Self::Text(_) => "a text".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Bool => "true or false".to_owned(),
            Self::List(..) => "an array".to_owned(),
            Self::Either(shapes) => {
                let nouns: Vec<_> = shapes.iter().map(Self::noun).collect();
                nouns.join(", or ")
            }
        }
    }

    /// Adds what is wrong with the value, which stands at the pointer `at`.
    fn check(&self, value: &Value, at: &str, faults: &mut Vec<Fault>) {
        if faults.len() >= MAX_FAULTS {
            return;
        }
        if !self.takes(value) {
            let message = format!("`{at}` is not {}", self.noun());
            faults.push(Fault::new(at.to_owned(), "type", message));
            return;
        }
        match (self, value) {
            (Self::Text(most), Value::String(text)) => {
                let length = text.chars().count();
                if length > *most as usize {
                    let message = format!("`{at}` has {length} characters; {most} are the most");
                    faults.push(Fault::new(at.to_owned(), "too_long", message));
                }
            }
            (Self::List(item, most), Value::Array(items)) => {
                few(items.len(), *most, at, faults);
                for (place, value) in items.iter().enumerate() {
                    item.check(value, &format!("{at}/{place}"), faults);
                }
            }
            (Self::Map(shape, most), Value::Object(fields)) => {
                few(fields.len(), *most, at, faults);
                for (name, value) in fields {
                    shape.check(value, &format!("{at}/{}", escape(name)), faults);
                }
            }
            (Self::Record(members), Value::Object(fields)) => {
                for (name, shape) in *members {
                    if let Some(value) = fields.get(*name) {
                        shape.check(value, &format!("{at}/{name}"), faults);
                    }
                }
            }
            (Self::Either(shapes), value) => {
                if let Some(shape) = shapes.iter().find(|shape| shape.takes(value)) {
                    shape.check(value, at, faults);
                }
            }
            _ => {}
        }
    }

    /// The JSON Schema of a value.
    pub(crate) fn schema(&self) -> Value {
        match self {
            Self::Any => json!({}),
            Self::Object => json!({ "type": "object" }),
            Self::Text(most) => json!({ "type": "string", "maxLength": most }),
            Self::Number => json!({ "type": "number" }),
            Self::Bool => json!({ "type": "boolean" }),
            Self::List(item, most) => {
                json!({ "type": "array", "items": item.schema(), "maxItems": most })
            }
            Self::Map(shape, most) => json!({
                "type": "object", "additionalProperties": shape.schema(), "maxProperties": most,
            }),
            Self::Record(members) => {
                let properties: Map<_, _> = members
                    .iter()
                    .map(|(name, shape)| ((*name).to_owned(), shape.schema()))
                    .collect();
                json!({ "type": "object", "properties": properties })
            }
            Self::Either(shapes) => {
                json!({ "oneOf": shapes.iter().map(Self::schema).collect::<Vec<_>>() })
            }
        }
    }

    /// The JSON Schema of a merge patch of a value: null takes a name away, an array is replaced whole.
    pub(crate) fn patch(&self) -> Value {
        match self {
            Self::Map(shape, _) => {
                json!({ "type": "object", "additionalProperties": or_null(shape.patch()) })
            }
            Self::Record(members) => {
                let properties: Map<_, _> = members
                    .iter()
                    .map(|(name, shape)| ((*name).to_owned(), or_null(shape.patch())))
                    .collect();
                json!({ "type": "object", "properties": properties })
            }
            Self::Either(shapes) => {
                json!({ "oneOf": shapes.iter().map(Self::patch).collect::<Vec<_>>() })
            }
            whole => whole.schema(),
        }
    }
}

/// The same, or null.
pub(crate) fn or_null(mut schema: Value) -> Value {
    let open = schema.as_object().is_none_or(Map::is_empty);
    if open {
        return schema;
    }
    match schema["type"].as_str().map(str::to_owned) {
        Some(kind) => {
            schema["type"] = json!([kind, "null"]);
            schema
        }
        None => json!({ "oneOf": [schema, { "type": "null" }] }),
    }
}

fn few(count: usize, most: u32, at: &str, faults: &mut Vec<Fault>) {
    if count > most as usize {
        let message = format!("`{at}` holds {count}; {most} are the most");
        faults.push(Fault::new(at.to_owned(), "too_many", message));
    }
}

/// What is wrong with the whole value of a JSON column, which stands at the pointer `at`.
pub(crate) fn faults(shape: Option<Shape>, value: &Value, at: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    if value.is_null() {
        return faults;
    }
    let depth = depth(value);
    if depth > MAX_JSON_VALUE_DEPTH {
        let message = format!("`{at}` is nested {depth} deep; {MAX_JSON_VALUE_DEPTH} are the most");
        faults.push(Fault::new(at.to_owned(), "too_deep", message));
    }
    let bytes = value.to_string().len() + digits(value);
    if bytes > MAX_JSON_VALUE_BYTES {
        let message = format!("`{at}` has {bytes} bytes; {MAX_JSON_VALUE_BYTES} are the most");
        faults.push(Fault::new(at.to_owned(), "too_large", message));
    }
    if let Some(shape) = shape {
        shape.check(value, at, &mut faults);
    }
    faults
}

/// How many digits PostgreSQL adds to numbers that are told by a power of ten: it writes `1e300` out, and
/// a list of rows would be many times as long as what was sent.
fn digits(value: &Value) -> usize {
    match value {
        Value::Number(number) => {
            let text = number.to_string();
            let power = text.split_once('e').and_then(|(_, power)| power.parse::<i32>().ok());
            power.map_or(0, |power| power.unsigned_abs() as usize)
        }
        Value::Array(items) => items.iter().map(digits).sum(),
        Value::Object(fields) => fields.values().map(digits).sum(),
        _ => 0,
    }
}

/// How deep objects and arrays stand in one another; the body was bounded before it was read.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ANSWER: Shape = Shape::Either(&[Shape::Text(5), Shape::Bool, Shape::Number]);
    const WHOLE: Shape = Shape::Record(&[
        ("name", Shape::Text(3)),
        ("answers", Shape::Map(&ANSWER, 2)),
        ("tags", Shape::List(&Shape::Text(3), 2)),
        ("more", Shape::Object),
    ]);

    fn told(value: &Value) -> Vec<String> {
        let faults = faults(Some(WHOLE), value, "/3/settings");
        faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect()
    }

    #[test]
    fn every_fault_is_told_at_its_place() {
        let value = json!({
            "name": 1, "answers": { "a": true, "b/c": [], "long": "123456" }, "tags": ["abc", "abcd", null],
            "more": { "what": [1, { "ever": null }] }, "other": [[]],
        });
        assert_eq!(
            told(&value),
            [
                "/3/settings/name type",
                "/3/settings/answers too_many",
                "/3/settings/answers/b~1c type",
                "/3/settings/answers/long too_long",
                "/3/settings/tags too_many",
                "/3/settings/tags/1 too_long",
                "/3/settings/tags/2 type",
            ]
        );
        assert_eq!(told(&json!([])), ["/3/settings type"]);
        assert!(told(&json!({})).is_empty());
        assert!(told(&Value::Null).is_empty());
        let fine =
            json!({ "name": "a", "answers": { "a": "b", "c": 1.5 }, "tags": [], "more": {} });
        assert!(told(&fine).is_empty());
    }

    #[test]
    fn whatever_the_shape_a_value_is_bounded() {
        let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
        assert!(faults(None, &nested(MAX_JSON_VALUE_DEPTH), "/a").is_empty());
        assert_eq!(faults(None, &nested(MAX_JSON_VALUE_DEPTH + 1), "/a")[0].code, "too_deep");
        let text = |bytes: usize| json!("x".repeat(bytes - 2));
        assert!(faults(None, &text(MAX_JSON_VALUE_BYTES), "/a").is_empty());
        assert_eq!(faults(None, &text(MAX_JSON_VALUE_BYTES + 1), "/a")[0].code, "too_large");
        // PostgreSQL writes each of these with 300 digits.
        for number in [1e300, -1e-300] {
            assert_eq!(faults(None, &json!(vec![number; 1000]), "/a")[0].code, "too_large");
            assert!(faults(None, &json!(vec![number; 100]), "/a").is_empty());
        }
        let many = json!({ "tags": vec![1; 1000] });
        assert_eq!(faults(Some(WHOLE), &many, "/a").len(), MAX_FAULTS);
    }

    #[test]
    fn what_is_shown_is_what_is_checked() {
        assert_eq!(
            WHOLE.schema(),
            json!({ "type": "object", "properties": {
                "name": { "type": "string", "maxLength": 3 },
                "answers": {
                    "type": "object", "maxProperties": 2,
                    "additionalProperties": { "oneOf": [
                        { "type": "string", "maxLength": 5 }, { "type": "boolean" }, { "type": "number" },
                    ] },
                },
                "tags": { "type": "array", "items": { "type": "string", "maxLength": 3 }, "maxItems": 2 },
                "more": { "type": "object" },
            } })
        );
        let patch = WHOLE.patch();
        assert_eq!(patch["properties"]["name"]["type"], json!(["string", "null"]));
        let answers = &patch["properties"]["answers"];
        assert_eq!(answers["maxProperties"], Value::Null);
        assert_eq!(answers["additionalProperties"]["oneOf"][1], json!({ "type": "null" }));
        assert_eq!(or_null(json!({})), json!({}));
    }
}
