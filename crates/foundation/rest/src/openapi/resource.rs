//! The operations of resources.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{filter, put, schema};
use crate::{
    Column, Kind, Resource,
    plan::{MAX_ROWS, PAGE_ROWS},
};

/// Adds all routes of the resource.
pub(super) fn paths(
    resource: &Resource,
    resources: &BTreeMap<&'static str, Resource>,
    paths: &mut Map<String, Value>,
) {
    let spec = &resource.spec;
    let actions = spec.actions;
    let all = format!("/v1/{}", spec.path);
    let one = format!("{all}/{{id}}");
    if actions.list {
        put(paths, &all, "get", list(resource, ""));
    }
    if actions.create || actions.bulk {
        put(paths, &all, "post", create(resource, ""));
    }
    if actions.get {
        put(paths, &one, "get", get(resource));
    }
    if actions.update {
        put(paths, &one, "patch", update(resource));
    }
    if actions.delete {
        put(paths, &one, "delete", delete(resource));
    }
    if let Some(parent) = spec.parent.filter(|parent| resources.contains_key(parent.resource)) {
        let nested = format!("/v1/{}/{{id}}/{}", parent.resource, parent.segment);
        let of = format!(" of one of the {}", resources[parent.resource].spec.plural);
        if actions.list {
            put(paths, &nested, "get", with_id(list(resource, &of)));
        }
        if actions.create || actions.bulk {
            put(paths, &nested, "post", with_id(create(resource, &of)));
        }
    }
}

pub(super) fn operation(
    resource: &Resource,
    verb: &str,
    nested: bool,
    action: &str,
    summary: String,
) -> Value {
    let spec = &resource.spec;
    let name = match (verb, spec.parent.filter(|_| nested)) {
        (_, Some(parent)) => format!("{verb}_{}_{}", parent.resource, parent.segment),
        _ => format!("{verb}_{}", spec.path),
    };
    let mut operation = json!({
        "operationId": name.replace('-', "_"),
        "summary": summary,
        "description": "For everybody who is signed in: the same for all organizations.",
        "tags": [spec.plural],
    });
    if !spec.global {
        let permission = format!("{}:{action}", spec.permission);
        let mut needs = format!("Needs the permission `{permission}`.");
        for (column, word) in spec.guarded.iter().filter(|_| action == "read") {
            needs.push_str(&format!(" `{column}` is there with `{word}:read`."));
        }
        operation["description"] = json!(needs);
        operation["x-permission"] = json!(permission);
    }
    operation
}

fn id_parameter() -> Value {
    json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}})
}

pub(super) fn with_id(mut operation: Value) -> Value {
    match operation["parameters"].as_array_mut() {
        Some(parameters) => parameters.insert(0, id_parameter()),
        None => operation["parameters"] = json!([id_parameter()]),
    }
    operation
}

pub(super) fn query(name: &str, schema: Value, meaning: &str) -> Value {
    json!({"name": name, "in": "query", "schema": schema, "description": meaning})
}

/// A parameter whose values are separated by commas.
fn separated(name: &str, schema: Value, meaning: &str) -> Value {
    let mut parameter = query(name, schema, meaning);
    parameter["style"] = json!("form");
    parameter["explode"] = json!(false);
    parameter
}

/// One that takes some of `words`, each once.
fn several(name: &str, words: &[String], meaning: &str, most: usize) -> Value {
    let items = json!({"type": "string", "enum": words});
    let schema = json!({"type": "array", "items": items, "minItems": 1, "maxItems": most, "uniqueItems": true});
    separated(name, schema, meaning)
}

pub(super) fn responses(status: &str, response: Value) -> Value {
    json!({status: response, "default": {"$ref": "#/components/responses/problem"}})
}

pub(super) fn row_response(resource: &Resource, about: &str, reference: String) -> Value {
    let mut response = json!({
        "description": about,
        "content": {"application/json": {"schema": {"$ref": reference}}},
    });
    if resource.versioned() {
        response["headers"] = json!({"etag": {"schema": {"type": "string"}, "description": "The row's version, for `if-match`."}});
    }
    response
}

fn list(resource: &Resource, of: &str) -> Value {
    let spec = &resource.spec;
    let mut described =
        operation(resource, "list", !of.is_empty(), "read", format!("List {}{of}", spec.plural));
    let mut parameters = shape_parameters(resource);
    if !spec.search.is_empty() {
        let meaning = format!(
            "Words that {} hold: all have to occur, `-word` must not, `\"two words\"` stand together.",
            spec.search.join(", ")
        );
        parameters.push(query("q", json!({"type": "string", "maxLength": 500}), &meaning));
    }
    let sort = format!("Columns to sort by, `-` for descending. Without it: `{}`.", spec.sort);
    let sortable = resource.columns().filter(|column| column.kind.ordered());
    let keys: Vec<_> =
        sortable.flat_map(|column| [column.name.clone(), format!("-{}", column.name)]).collect();
    parameters.push(several("sort", &keys, &sort, 5));
    parameters.push(query(
        "limit",
        json!({"type": "integer", "minimum": 1, "maximum": MAX_ROWS, "default": PAGE_ROWS}),
        "Rows on a page at most. A page ends sooner where its rows are longer than 8 MiB of JSON together: it has at least one, and `next` goes on behind the last.",
    ));
    parameters.push(query(
        "cursor",
        json!({"type": "string", "format": "cursor"}),
        "`next` of the page before.",
    ));
    parameters.push(query(
        "count",
        json!({"type": "string", "enum": ["exact"]}),
        "Count all rows too.",
    ));
    parameters.push(query(
        "or",
        json!({"type": "string", "format": "filter-group"}),
        "Conditions of which one has to hold: `(a.eq.1,b.gt.2)`.",
    ));
    parameters.push(query(
        "and",
        json!({"type": "string", "format": "filter-group"}),
        "Conditions that all have to hold.",
    ));
    for column in resource.columns() {
        let taken = parameters.iter().any(|parameter| parameter["name"] == column.name.as_str());
        if !taken && column.kind != Kind::Other {
            parameters.push(query(&column.name, filter::of(column), &filter_about(column)));
        }
    }
    described["parameters"] = json!(parameters);
    let row = json!({"$ref": schema::reference(spec.path)});
    described["responses"] = responses(
        "200",
        json!({
            "description": format!("A page of {}; as CSV or NDJSON an export.", spec.plural),
            "content": {
                "application/json": {"schema": {
                    "type": "object",
                    "required": ["data", "next"],
                    "properties": {
                        "data": {"type": "array", "items": row},
                        "next": {"type": ["string", "null"], "description": "The cursor of the next page."},
                        "count": {"type": "integer", "description": "All rows, with `count=exact`."},
                    },
                }},
                "application/x-ndjson": {"schema": {"type": "string"}},
                "text/csv": {"schema": {"type": "string"}},
            },
        }),
    );
    described
}

/// What lists and single rows have in common.
fn shape_parameters(resource: &Resource) -> Vec<Value> {
    let columns: Vec<_> = resource.names().map(str::to_owned).collect();
    let mut parameters =
        vec![several("fields", &columns, "Columns to show, separated by commas.", columns.len())];
    let names: Vec<_> =
        resource.related.iter().map(|related| related.include.name.to_owned()).collect();
    if !names.is_empty() {
        let meaning = format!("Related rows to show in place: {}.", names.join(", "));
        parameters.push(several("include", &names, &meaning, names.len()));
    }
    if resource.spec.reach {
        let meaning = "For a holding: `all`, or the ids of organizations, separated by commas. Without it only one's own.";
        let id = json!({"type": "string", "anyOf": [{"enum": ["all"]}, {"format": "uuid"}]});
        let schema = json!({"type": "array", "items": id, "minItems": 1, "maxItems": 500, "uniqueItems": true});
        parameters.push(separated("organizations", schema, meaning));
    }
    parameters
}

fn filter_about(column: &Column) -> String {
    let operators = match &column.kind {
        Kind::Text => "eq, neq, in, like, ilike, gt, gte, lt, lte, is",
        Kind::Bool => "eq, neq, is",
        Kind::Json => "is; a place within it as `column->>key`",
        Kind::Array(_) => "has, is",
        _ => "eq, neq, in, gt, gte, lt, lte, is",
    };
    let comment = column.comment.as_deref().unwrap_or_default();
    format!("{comment} Operators: {operators}.").trim_start().to_owned()
}

fn get(resource: &Resource) -> Value {
    let spec = &resource.spec;
    let mut described =
        operation(resource, "get", false, "read", format!("Get a {}", spec.singular));
    described["parameters"] = json!(shape_parameters(resource));
    described["responses"] = responses(
        "200",
        row_response(resource, &format!("The {}.", spec.singular), schema::reference(spec.path)),
    );
    with_id(described)
}

fn create(resource: &Resource, of: &str) -> Value {
    let spec = &resource.spec;
    let actions = spec.actions;
    let singular = spec.singular;
    let summary = match (actions.create, actions.bulk) {
        (true, true) => format!("Create a {singular}, or several at once{of}"),
        (true, false) => format!("Create a {singular}{of}"),
        _ => format!("Create {}{of}", spec.plural),
    };
    let mut described = operation(resource, "create", !of.is_empty(), "create", summary);
    if let Some(below) = spec.below {
        let (column, number) = below.condition;
        let needs = described["description"].as_str().unwrap_or_default();
        described["description"] = json!(format!(
            "{needs} A holding decides below: of one of the {} of a subsidiary whose `{column}` is {number}, this makes the row there.",
            below.resource
        ));
    }
    let part = if of.is_empty() { "" } else { "_part" };
    let row = json!({"$ref": format!("{}_create{part}", schema::reference(spec.path))});
    let rows = json!({"type": "array", "items": row, "maxItems": crate::MAX_BULK_ROWS});
    let schema = match (actions.create, actions.bulk) {
        (true, true) => json!({"oneOf": [row, rows]}),
        (true, false) => row,
        _ => rows,
    };
    described["requestBody"] =
        json!({"required": true, "content": {"application/json": {"schema": schema}}});
    let mut made = row_response(
        resource,
        "What was made: the row, or for an array `{\"data\": […]}` in its order.",
        schema::whole_reference(spec.path),
    );
    if actions.bulk {
        let reference = json!({"$ref": schema::whole_reference(spec.path)});
        let several = json!({"type": "object", "required": ["data"], "properties": {"data": {"type": "array", "items": reference}}});
        made["content"]["application/json"]["schema"] = json!({"oneOf": [reference, several]});
    }
    if actions.create {
        made["headers"]["location"] = json!({"schema": {"type": "string"}, "description": "The new row's address, unless several were made."});
    }
    if let Some(links) = links(resource).filter(|_| actions.create) {
        made["links"] = links;
    }
    described["responses"] = responses("201", made);
    described
}

/// Where the id of a new row leads.
fn links(resource: &Resource) -> Option<Value> {
    let spec = &resource.spec;
    let name = spec.path.replace('-', "_");
    let actions = spec.actions;
    let mut links = Map::new();
    for (verb, there) in
        [("get", actions.get), ("update", actions.update), ("delete", actions.delete)]
    {
        if there {
            let operation = format!("{verb}_{name}");
            links.insert(
                verb.into(),
                json!({"operationId": operation, "parameters": {"id": "$response.body#/id"}}),
            );
        }
    }
    (!links.is_empty()).then(|| links.into())
}

fn update(resource: &Resource) -> Value {
    let spec = &resource.spec;
    let mut described =
        operation(resource, "update", false, "update", format!("Change a {}", spec.singular));
    let schema = json!({"schema": {"$ref": format!("{}_update", schema::reference(spec.path))}});
    described["requestBody"] = json!({
        "required": true,
        "description": "A JSON merge patch (RFC 7396): what is not named stays, null empties.",
        "content": {"application/merge-patch+json": schema, "application/json": schema},
    });
    if resource.versioned() {
        described["parameters"] = json!([if_match(true)]);
    }
    described["responses"] = responses(
        "200",
        row_response(
            resource,
            &format!("The {} as it is now.", spec.singular),
            schema::whole_reference(spec.path),
        ),
    );
    with_id(described)
}

fn delete(resource: &Resource) -> Value {
    let spec = &resource.spec;
    let mut described =
        operation(resource, "delete", false, "delete", format!("Delete a {}", spec.singular));
    if resource.versioned() {
        described["parameters"] = json!([if_match(false)]);
    }
    described["responses"] = responses("204", json!({"description": "It is gone."}));
    with_id(described)
}

pub(super) fn if_match(required: bool) -> Value {
    json!({
        "name": "if-match",
        "in": "header",
        "required": required,
        "schema": {"type": "string", "pattern": r#"^(\*|"[0-9]{1,18}"|[0-9]{1,18})$"#},
        "description": "The etag that the row came with, or `*` for whatever is there.",
    })
}
