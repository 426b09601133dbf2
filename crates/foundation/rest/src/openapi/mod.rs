//! The OpenAPI 3.1 document: from the catalog, the specifications and the contexts' operations.

mod filter;
mod offer;
mod operation;
mod resource;
mod schema;

use std::collections::BTreeMap;

pub use operation::Operation;
use serde_json::{Map, Value, json};

use crate::Resource;

/// How lists work, for readers of the document.
const ABOUT: &str = "\
Every list takes the same parameters. A column filters by `column=operator.value`: `status=eq.active`, \
`created_at=gte.2026-01-01`, `name=ilike.*credit*`, `status=in.(draft,active)`, `ended_at=is.null`, \
`tags=has.finance`, `metadata->>team=eq.risk`; `not.` negates: `status=not.eq.active`. \
Conditions are all met at once; `or=(status.eq.draft,name.like.A*)` and `and=(…)` group them. \
`q` searches the text. No text holds the character U+0000. Lists come in pages: send `next` back as `cursor`, and nothing else changed. \
With `accept: text/csv` or `application/x-ndjson` a list is an export of up to 100 000 rows, and the header \
`link` names what lies behind them. Errors are `application/problem+json`.";

/// The whole document.
pub(crate) fn document(
    resources: &BTreeMap<&'static str, Resource>,
    operations: &[Operation],
) -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    let mut tags: Vec<Value> = Vec::new();
    for found in resources.values() {
        tags.push(json!({"name": found.spec.plural, "description": found.table.comment}));
        resource::paths(found, resources, &mut paths);
        if found.spec.builtin {
            offer::paths(found, &mut paths);
            schemas.entry(offer::SCHEMA).or_insert_with(offer::schema);
        }
        schemas.insert(found.spec.path.to_owned(), schema::row(found, resources));
        schemas.insert(format!("{}_whole", found.spec.path), schema::whole(found));
        if found.spec.actions.create || found.spec.actions.bulk {
            schemas.insert(format!("{}_create", found.spec.path), schema::create(found));
            if let Some(part) = schema::create_part(found) {
                schemas.insert(format!("{}_create_part", found.spec.path), part);
            }
        }
        if found.spec.actions.update {
            schemas.insert(format!("{}_update", found.spec.path), schema::update(found));
        }
    }
    for operation in operations {
        if !tags.iter().any(|tag| tag["name"] == operation.tag) {
            tags.push(json!({"name": operation.tag}));
        }
        put(&mut paths, operation.path, operation.method.as_str(), action(operation));
    }
    schemas.insert("problem".into(), schema::problem());
    filter::components(&mut schemas);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Ephor",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Governance of an organization's AI.",
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"api_key": []}, {"session": []}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {"problem": {
                "description": "What went wrong.",
                "content": {"application/problem+json": {"schema": {"$ref": schema::reference("problem")}}},
            }},
            "securitySchemes": {
                "api_key": {"type": "http", "scheme": "bearer", "description": "An API key: `Authorization: Bearer eph_…`."},
                "session": {"type": "apiKey", "in": "cookie", "name": "ephor_session", "description": "The session of the console; writes need the header `x-csrf-token` too."},
            },
        },
    })
}

/// Puts an operation at its place.
fn put(paths: &mut Map<String, Value>, path: &str, method: &str, operation: Value) {
    let entry = paths.entry(path).or_insert_with(|| json!({}));
    if let Some(methods) = entry.as_object_mut() {
        methods.insert(method.to_ascii_lowercase(), operation);
    }
}

fn action(operation: &Operation) -> Value {
    let mut parameters: Vec<Value> = path_parameters(operation.path);
    for (name, schema, meaning) in &operation.query {
        let mut parameter =
            json!({"name": name, "in": "query", "schema": schema, "description": meaning});
        if operation.required.contains(name) {
            parameter["required"] = json!(true);
        }
        parameters.push(parameter);
    }
    if operation.if_match || operation.may_match {
        parameters.push(resource::if_match(operation.if_match));
    }
    let mut response = json!({"description": operation.summary});
    if let Some((kind, schema)) = &operation.response {
        response["content"] = json!({*kind: {"schema": schema}});
    }
    for (kind, schema) in &operation.other_types {
        response["content"][*kind] = json!({"schema": schema});
    }
    let mut described = json!({
        "operationId": id_of(operation),
        "summary": operation.summary,
        "tags": [operation.tag],
        "responses": {operation.status.to_string(): response, "default": {"$ref": "#/components/responses/problem"}},
    });
    if let Some((status, schema)) = &operation.also {
        described["responses"][status.to_string()] = json!({
            "description": operation.summary, "content": {"application/json": {"schema": schema}},
        });
    }
    let mut about = operation.description.to_owned();
    if let Some((resource, action)) = operation.permission {
        let blank = if about.is_empty() { "" } else { " " };
        about.push_str(&format!("{blank}Needs the permission `{resource}:{action}`."));
        described["x-permission"] = json!(format!("{resource}:{action}"));
    }
    if !about.is_empty() {
        described["description"] = json!(about);
    }
    if operation.public {
        described["security"] = json!([]);
    }
    if !parameters.is_empty() {
        described["parameters"] = json!(parameters);
    }
    if let Some((kind, schema)) = &operation.request {
        described["requestBody"] =
            json!({"required": true, "content": {*kind: {"schema": schema}}});
    }
    described
}

/// The parameters that a path has in braces.
fn path_parameters(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names
        .map(|name| {
            let name = name.trim_start_matches('*');
            let uuid = name == "id" || name.ends_with("_id");
            let schema = if uuid {
                json!({"type": "string", "format": "uuid"})
            } else {
                json!({"type": "string"})
            };
            json!({"name": name, "in": "path", "required": true, "schema": schema})
        })
        .collect()
}

/// `post_bias_analyses_id_cancel`
fn id_of(operation: &Operation) -> String {
    let words: Vec<String> = operation
        .path
        .trim_start_matches("/v1/")
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    format!("{}_{}", operation.method.as_str().to_ascii_lowercase(), words.join("_"))
}
