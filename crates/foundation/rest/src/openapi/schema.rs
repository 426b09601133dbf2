//! JSON Schemas of rows, from the catalog.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{Bounds, Column, Kind, Resource};

/// The schema of a column's value.
pub(super) fn column(column: &Column) -> Value {
    let mut schema = column.kind.schema();
    let Some(fields) = schema.as_object_mut() else { return schema };
    let Bounds { vocabulary, min_length, max_length, minimum, maximum, pattern, json_type } =
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
    set(
        "pattern",
        pattern.as_ref().filter(|pattern| portable(pattern)).map(|pattern| json!(pattern)),
    );
    set("type", json_type.as_ref().filter(|_| column.kind == Kind::Json).map(|kind| json!(kind)));
    set("description", column.comment.as_ref().map(|comment| json!(comment)));
    if !vocabulary.is_empty() {
        let nothing = column.nullable.then_some(Value::Null);
        let words = vocabulary.iter().map(|word| json!(word)).chain(nothing);
        fields.insert("enum".into(), words.collect());
    }
    if column.nullable
        && let Some(kind) = fields.get("type").cloned()
    {
        fields.insert("type".into(), json!([kind, "null"]));
    }
    schema
}

/// POSIX classes mean nothing to other engines.
fn portable(pattern: &str) -> bool {
    !pattern.contains("[:")
}

/// The schema of a row as callers see it.
pub(super) fn row(resource: &Resource, resources: &BTreeMap<&'static str, Resource>) -> Value {
    let mut properties = Map::new();
    for shown in resource.columns() {
        properties.insert(shown.name.clone(), column(shown));
    }
    for related in &resource.related {
        let target = related.include.resource;
        let reference = json!({"$ref": reference(target)});
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
    let required: Vec<_> = resource.names().collect();
    let mut schema = json!({"type": "object", "properties": properties, "required": required});
    describe(resource, &mut schema);
    schema
}

/// The schema of a new row.
pub(super) fn create(resource: &Resource) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for name in resource.spec.create {
        let Some(found) = resource.table.column(name) else { continue };
        let mut schema = column(found);
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

/// The schema of a merge patch.
pub(super) fn update(resource: &Resource) -> Value {
    let mut properties = Map::new();
    for name in resource.spec.update {
        if let Some(found) = resource.table.column(name) {
            properties.insert((*name).to_owned(), column(found));
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
