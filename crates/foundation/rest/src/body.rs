//! Rows that callers send, checked against the catalog before PostgreSQL sees them.

use ephor_kernel::{Code, Fault, Problem};
use serde_json::{Map, Value};

use crate::{Column, Kind, Resource, catalog, nearest::hint, shape};

/// Objects and arrays within one another, at most.
pub const MAX_JSON_DEPTH: usize = 32;

/// Reads JSON of a bounded depth.
pub fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    if depth(bytes) > MAX_JSON_DEPTH {
        let detail = format!("The body is nested more than {MAX_JSON_DEPTH} deep; send it flatter");
        return Err(Problem::new(Code::Malformed, detail));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        let why = error.to_string();
        let why = why.split(" at line ").next().unwrap_or_default();
        Problem::new(Code::Malformed, format!("The body is not JSON: {why} ({place})"))
    })
}

/// How deep the brackets outside of strings stand, without reading further than that.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let (mut quoted, mut escaped) = (false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Which write a row is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    Create,
    Update,
}

/// Checks a row that is to be made, or the columns of one that are to be changed. Pointers of
/// faults begin with `at`: empty for the body itself, `/3` for its fourth row.
pub(crate) fn check(resource: &Resource, write: Write, body: &Value, at: &str) -> Vec<Fault> {
    let Value::Object(fields) = body else {
        let message = format!("a {} is sent as a JSON object", resource.spec.singular);
        return vec![Fault::new(at.to_owned(), "type", message)];
    };
    let writable = match write {
        Write::Create => resource.spec.create,
        Write::Update => resource.spec.update,
    };
    let mut faults = Vec::new();
    for (name, value) in fields {
        let pointer = format!("{at}/{}", escape(name));
        match resource.table.column(name).filter(|_| writable.contains(&name.as_str())) {
            Some(column) => {
                let before = faults.len();
                value_faults(resource, column, value, &pointer, &mut faults);
                // Of a change, the value as it will be is looked at once it is merged.
                if write == Write::Create && column.kind == Kind::Json && faults.len() == before {
                    faults.extend(shape::faults(resource.spec.shape(name), value, &pointer));
                }
            }
            None => faults.push(not_writable(resource, write, writable, name, pointer)),
        }
    }
    if write == Write::Create {
        faults.extend(missing(resource, fields, at));
    }
    faults
}

fn missing<'a>(
    resource: &'a Resource,
    fields: &'a Map<String, Value>,
    at: &'a str,
) -> impl Iterator<Item = Fault> + 'a {
    let absent = resource.table.columns.iter().filter(|column| {
        resource.spec.create.contains(&column.name.as_str())
            && resource.required(column)
            && !fields.contains_key(&column.name)
    });
    absent.map(move |column| {
        let fault = Fault::new(
            format!("{at}/{}", column.name),
            "required",
            format!("`{}` is missing", column.name),
        );
        match &column.comment {
            Some(comment) => fault.hint(comment.clone()),
            None => fault,
        }
    })
}

fn not_writable(
    resource: &Resource,
    write: Write,
    writable: &[&'static str],
    name: &str,
    pointer: String,
) -> Fault {
    let name = &name[..name.floor_char_boundary(60)];
    if resource.column(name).is_some() {
        let when = match write {
            Write::Create => "Ephor sets it",
            Write::Update => "it does not change, or an action changes it",
        };
        return Fault::new(pointer, "read_only", format!("`{name}` cannot be sent: {when}"));
    }
    let fault = Fault::new(
        pointer,
        "unknown_field",
        format!("a {} has no field `{name}`", resource.spec.singular),
    );
    match hint(name, writable.iter().copied()) {
        Some(hint) => fault.hint(hint),
        None => fault,
    }
}

fn value_faults(
    resource: &Resource,
    column: &Column,
    value: &Value,
    pointer: &str,
    faults: &mut Vec<Fault>,
) {
    let name = &column.name;
    let mut fault = |code: &'static str, message: String, hint: Option<String>| {
        let fault = Fault::new(pointer.to_owned(), code, message);
        faults.push(match hint {
            Some(hint) => fault.hint(hint),
            None => fault,
        });
    };
    if value.is_null() {
        if !column.nullable {
            fault("required", format!("`{name}` cannot be null"), None);
        }
        return;
    }
    if !column.kind.accepts(value) {
        let message = match (&column.kind, resource.table.referenced_by(name)) {
            (Kind::Array(element), _) => {
                format!("`{name}` is not an array of which each item is {}", element.noun())
            }
            (kind, Some(_)) => {
                format!("`{name}` is not {}, the id of what it refers to", kind.noun())
            }
            (kind, None) => format!("`{name}` is not {}", kind.noun()),
        };
        fault("type", message, None);
        return;
    }
    if has_nul(value) {
        let message = format!("`{name}` holds the character U+0000, which cannot be stored");
        fault("nul", message, None);
    }
    let bounds = &column.bounds;
    if let (Value::Array(items), false) = (value, bounds.vocabulary.is_empty()) {
        for text in items.iter().filter_map(Value::as_str) {
            if !bounds.vocabulary.iter().any(|word| word == text) {
                let shown = &text[..text.floor_char_boundary(60)];
                let words = bounds.vocabulary.iter().map(String::as_str);
                let message = format!("`{shown}` is not a value that `{name}` can hold");
                fault("vocabulary", message, hint(text, words));
            }
        }
    }
    if let Value::String(text) = value
        && column.kind == Kind::Text
    {
        let length = text.chars().count() as u64;
        if let Some(most) = bounds.max_length.filter(|most| length > u64::from(*most)) {
            let message = format!("`{name}` has {length} characters; {most} are the most");
            fault("too_long", message, None);
        }
        if let Some(least) = bounds.min_length.filter(|least| length < u64::from(*least)) {
            let message = match (length, least) {
                (0, 1) => format!("`{name}` is empty"),
                _ => format!("`{name}` has {length} characters; {least} are the least"),
            };
            fault("too_short", message, None);
        }
        if !bounds.vocabulary.is_empty() && !bounds.vocabulary.contains(text) {
            let shown = &text[..text.floor_char_boundary(60)];
            let words = bounds.vocabulary.iter().map(String::as_str);
            fault(
                "vocabulary",
                format!("`{shown}` is not a value that `{name}` can have"),
                hint(text, words),
            );
        }
    }
    if let Some(number) = as_number(&column.kind, value) {
        if let Some(least) = bounds.minimum.filter(|least| number < *least) {
            fault("out_of_range", format!("`{name}` is {number}; {least} is the least"), None);
        }
        if let Some(most) = bounds.maximum.filter(|most| number > *most) {
            fault("out_of_range", format!("`{name}` is {number}; {most} is the most"), None);
        }
        let within = bounds.minimum.is_none_or(|least| number >= least)
            && bounds.maximum.is_none_or(|most| number <= most);
        if let Some(room) = column.room().filter(|room| within && number.abs() >= *room) {
            let message = format!("`{name}` is {number}, and has to be nearer to 0 than {room}");
            fault("out_of_range", message, None);
        }
    }
    if !bounds.json_types.is_empty()
        && bounds.json_types.iter().all(|kind| kind != json_type(value))
    {
        let wanted = bounds.json_types.join(" or ");
        fault("type", format!("`{name}` is not a JSON {wanted}"), None);
    }
}

fn as_number(kind: &Kind, value: &Value) -> Option<f64> {
    match (kind, value) {
        (_, Value::Number(number)) => number.as_f64(),
        (Kind::Decimal, Value::String(text)) => text.parse().ok(),
        _ => None,
    }
}

fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value))
        }
        _ => false,
    }
}

/// The row as PostgreSQL reads it: times in UTC, for it takes fewer offsets than RFC 3339 has, and
/// whole numbers without a point.
pub(crate) fn readable(resource: &Resource, mut row: Value) -> Value {
    for column in &resource.table.columns {
        if let Some(value) = row.get_mut(&column.name) {
            make_readable(&column.kind, value);
        }
    }
    row
}

fn make_readable(kind: &Kind, value: &mut Value) {
    match (kind, value) {
        (Kind::Timestamp, Value::String(text)) => {
            if let Some(utc) = kind.parse(text) {
                *text = utc;
            }
        }
        (Kind::Integer(_), Value::Number(number)) => {
            if let Some(whole) = catalog::whole(number) {
                *number = whole.into();
            }
        }
        (Kind::Array(kind), Value::Array(items)) => {
            for item in items {
                make_readable(kind, item);
            }
        }
        _ => {}
    }
}

/// The value with every number that has no fraction written without a point.
pub(crate) fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            if let Some(whole) = catalog::whole(number) {
                *number = whole.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        _ => {}
    }
}

/// A name as a part of a JSON pointer (RFC 6901), short enough to repeat.
pub(crate) fn escape(name: &str) -> String {
    name[..name.floor_char_boundary(60)].replace('~', "~0").replace('/', "~1")
}

/// Applies a JSON merge patch (RFC 7396).
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else { return };
    for (name, change) in changes {
        if change.is_null() {
            fields.remove(name);
        } else {
            merge(fields.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}

/// What is wrong within the JSON columns of a change, by their values as they will be.
pub(crate) fn within(resource: &Resource, changed: &Map<String, Value>) -> Vec<Fault> {
    let json = changed.iter().filter(|(name, _)| {
        resource.table.column(name).is_some_and(|column| column.kind == Kind::Json)
    });
    json.flat_map(|(name, value)| {
        shape::faults(resource.spec.shape(name), value, &format!("/{}", escape(name)))
    })
    .collect()
}

/// The columns that a merge patch changes, with their new values whole: a JSON column is merged
/// into, any other is replaced.
pub(crate) fn changes(
    resource: &Resource,
    old: &Value,
    patch: &Map<String, Value>,
) -> Map<String, Value> {
    let mut changed = Map::new();
    for (name, change) in patch {
        let before = old.get(name).cloned().unwrap_or(Value::Null);
        let json = resource.table.column(name).is_some_and(|column| column.kind == Kind::Json);
        let after = if json && !change.is_null() {
            let mut merged = before.clone();
            merge(&mut merged, change);
            merged
        } else {
            change.clone()
        };
        if after != before {
            changed.insert(name.clone(), after);
        }
    }
    changed
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The examples of RFC 7396, appendix A.
    #[test]
    fn merge_patches_work_as_the_rfc_shows() {
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"a": "foo"}), json!("bar"), json!("bar")),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut merged = target.clone();
            merge(&mut merged, &patch);
            assert_eq!(merged, result, "{target} patched with {patch}");
        }
    }

    #[test]
    fn depth_counts_brackets_outside_of_strings() {
        assert_eq!(depth(br#"{"a": ["[[[[", "\"[[", {}]}"#), 3);
        assert!(parse(format!("{}{}", "[".repeat(32), "]".repeat(32)).as_bytes()).is_ok());
        let deep = parse(format!("{}{}", "[".repeat(33), "]".repeat(33)).as_bytes());
        assert_eq!(deep.unwrap_err().code, Code::Malformed);
    }

    #[test]
    fn broken_json_is_shown_its_place() {
        let problem = parse(b"{\n  \"a\": }").unwrap_err();
        assert_eq!(problem.detail, "The body is not JSON: expected value (line 2, column 8)");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = parse(&bytes);
        }
    }
}
