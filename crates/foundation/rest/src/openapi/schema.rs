//! JSON Schemas of rows, from the catalog.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    Bounds, Column, Kind, MAX_JSON_VALUE_BYTES, MAX_JSON_VALUE_DEPTH, Resource, Shape,
    shape::or_null,
};

/// The schema of a column's value.
pub(super) fn column(column: &Column) -> Value {
    let mut schema = column.kind.schema();
    let Some(fields) = schema.as_object_mut() else { return schema };
    let Bounds { vocabulary, min_length, max_length, minimum, maximum, pattern, json_types } =
        &column.bounds;
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    set("minLength", min_length.map(|length| json!(length)));
    set("maxLength", max_length.map(|length| json!(length)));
    set("minimum", minimum.map(|bound| json!(bound)));
    set("maximum", maximum.map(|bound| json!(bound)));
    set("exclusiveMinimum", column.room().filter(|_| minimum.is_none()).map(|room| json!(-room)));
    set("exclusiveMaximum", column.room().filter(|_| maximum.is_none()).map(|room| json!(room)));
    set("pattern", pattern.as_ref().and_then(|pattern| portable(pattern)).map(|text| json!(text)));
    if column.kind == Kind::Json {
        let something =
            (!column.nullable).then(|| json!(["object", "array", "string", "number", "boolean"]));
        let kinds = match json_types.as_slice() {
            [] => something,
            [kind] => Some(json!(kind)),
            several => Some(json!(several)),
        };
        set("type", kinds);
    }
    set("description", column.comment.as_ref().map(|comment| json!(comment)));
    if let (false, Some(items)) = (vocabulary.is_empty(), fields.get_mut("items")) {
        items["enum"] = json!(vocabulary);
    } else if !vocabulary.is_empty() {
        let nothing = column.nullable.then_some(Value::Null);
        let words = vocabulary.iter().map(|word| json!(word)).chain(nothing);
        fields.insert("enum".into(), words.collect());
    }
    if column.nullable
        && let Some(kind) = fields.get("type").cloned()
    {
        let mut kinds = if let Value::Array(kinds) = kind { kinds } else { vec![kind] };
        kinds.push(json!("null"));
        fields.insert("type".into(), Value::Array(kinds));
    }
    schema
}

/// The pattern as other engines read it: POSIX classes are PostgreSQL's.
fn portable(pattern: &str) -> Option<String> {
    let mut text = pattern.to_owned();
    for (class, letters) in [
        ("[:space:]", r"\s"),
        ("[:alnum:]", "a-zA-Z0-9"),
        ("[:alpha:]", "a-zA-Z"),
        ("[:digit:]", "0-9"),
        ("[:lower:]", "a-z"),
        ("[:upper:]", "A-Z"),
        ("[:xdigit:]", "0-9a-fA-F"),
    ] {
        text = text.replace(class, letters);
    }
    (!text.contains("[:")).then_some(text)
}

/// The schema of a value that is sent: an exact decimal may come as a text, so that no digit is lost.
fn sent(found: &Column) -> Value {
    let mut schema = column(found);
    if found.kind != Kind::Decimal {
        return schema;
    }
    let negative = found.bounds.minimum.is_none_or(|least| least < 0.0);
    let sign = if negative { "-?" } else { "" };
    let whole = found.room().map_or(49, |room| (room.log10().round() as i32).max(1));
    if let Some(fields) = schema.as_object_mut() {
        let kinds: &[&str] =
            if found.nullable { &["number", "string", "null"] } else { &["number", "string"] };
        fields.insert("type".into(), json!(kinds));
        fields.insert(
            "pattern".into(),
            json!(format!("^{sign}[0-9]{{1,{whole}}}(\\.[0-9]{{1,49}})?$")),
        );
    }
    schema
}

/// The schema of a column that is sent to the resource, which knows what is in JSON and whom people's
/// columns may name. `shown` is what of a shape is shown: the whole value, or a patch of it.
fn sent_to(resource: &Resource, found: &Column, shown: fn(&Shape) -> Value) -> Value {
    let mut schema = sent(found);
    if found.kind == Kind::Json {
        if let Some(shape) = resource.spec.shape(&found.name) {
            let inner = shown(&shape);
            schema = if found.nullable { or_null(inner) } else { inner };
        }
        let meaning = found.comment.as_deref().unwrap_or_default();
        let bounds = format!(
            "At most {} KiB, nested at most {MAX_JSON_VALUE_DEPTH} deep.",
            MAX_JSON_VALUE_BYTES / 1024
        );
        schema["description"] = json!(format!("{meaning} {bounds}").trim_start());
    }
    if resource.spec.names_people(&found.name) {
        let above = resource.spec.people_above.contains(&found.name.as_str());
        let whose = if above { ", or of its holding" } else { "" };
        let meaning = found.comment.as_deref().unwrap_or_default();
        let whole = format!("{meaning} An active member of the organization{whose}, by `user_id`.");
        schema["description"] = json!(whole.trim_start());
    }
    schema
}

/// The schema of a row as callers see it, who may ask for some of its columns.
pub(super) fn row(resource: &Resource, resources: &BTreeMap<&'static str, Resource>) -> Value {
    let mut properties = Map::new();
    for shown in resource.columns() {
        properties.insert(shown.name.clone(), column(shown));
    }
    for related in &resource.related {
        let target = related.include.resource;
        let reference = json!({"$ref": whole_reference(target)});
        let about = format!("Only with `include={}`.", related.include.name);
        let schema = if related.include.many {
            json!({"type": "array", "items": reference, "maxItems": 100, "description": about})
        } else {
            json!({"anyOf": [reference, {"type": "null"}], "description": about})
        };
        if resources.contains_key(target) {
            properties.insert(related.include.name.to_owned(), schema);
        }
    }
    let mut schema = json!({"type": "object", "properties": properties});
    describe(resource, &mut schema);
    schema
}

/// The schema of a row with every column in it: of one that was written, or asked for without `fields`.
pub(super) fn whole(resource: &Resource) -> Value {
    let required: Vec<_> = resource.names().collect();
    json!({"allOf": [{"$ref": reference(resource.spec.path)}], "required": required})
}

/// The place of the schema of a resource's whole rows.
pub(super) fn whole_reference(path: &str) -> String {
    format!("{}_whole", reference(path))
}

/// The schema of a new row.
pub(super) fn create(resource: &Resource) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for name in resource.spec.create {
        let Some(found) = resource.table.column(name) else { continue };
        let mut schema = sent_to(resource, found, Shape::schema);
        if let (Some(default), Some(fields)) = (found.default_value(), schema.as_object_mut()) {
            fields.insert("default".into(), default);
        }
        properties.insert((*name).to_owned(), schema);
        if resource.required(found) {
            required.push(*name);
        }
    }
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// The schema of a new row at its parent's address, which names the parent already.
pub(super) fn create_part(resource: &Resource) -> Option<Value> {
    let parent = resource.spec.parent?;
    let mut schema = create(resource);
    schema["required"].as_array_mut()?.retain(|name| name != parent.column);
    schema["properties"][parent.column]["description"] =
        json!("What the address names; it may be left out.");
    Some(schema)
}

/// The schema of a merge patch.
pub(super) fn update(resource: &Resource) -> Value {
    let mut properties = Map::new();
    for name in resource.spec.update {
        if let Some(found) = resource.table.column(name) {
            properties.insert((*name).to_owned(), sent_to(resource, found, Shape::patch));
        }
    }
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

fn describe(resource: &Resource, schema: &mut Value) {
    if let (Some(comment), Some(fields)) = (&resource.table.comment, schema.as_object_mut()) {
        fields.insert("description".into(), json!(comment));
    }
}

/// The place of a resource's row schema.
pub(super) fn reference(path: &str) -> String {
    format!("#/components/schemas/{path}")
}

/// The schema of problems.
pub(super) fn problem() -> Value {
    let text = json!({"type": "string"});
    json!({
        "type": "object",
        "description": "What went wrong (RFC 9457). `code` is stable; every fault of the request is listed at once.",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": text,
            "status": {"type": "integer"},
            "code": {"type": "string", "enum": ephor_kernel::Code::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>()},
            "detail": text,
            "request_id": {"type": "string", "format": "uuid", "description": "Names the request in the log and the audit trail."},
            "retry_after": {"type": "integer", "description": "After how many seconds another try makes sense."},
            "quota": {
                "type": "object",
                "description": "The limit or feature of the organization's plan that stands in the way.",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "description": "The limit's or feature's word."},
                    "limit": {"type": "integer", "description": "How much is allowed."},
                    "used": {"type": "integer", "description": "How much is used."},
                    "plan": {"type": "string", "description": "The tier in force."},
                    "upgrade": {"type": "string", "description": "The tier that has more."},
                },
            },
            "faults": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["pointer", "code", "message"],
                    "properties": {
                        "pointer": {"type": "string", "description": "A JSON pointer into the body (`/name`), or `query:limit`, `header:if-match`, `path:id`."},
                        "code": text,
                        "message": text,
                        "hint": text,
                    },
                },
            },
        },
    })
}
