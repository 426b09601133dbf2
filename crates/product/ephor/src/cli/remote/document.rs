//! What a server says of its own addresses: the OpenAPI document, as far as commands are made of it. No list of actions,
//! files or parts is kept here, so that a newer server's are known as soon as it describes them.

use anyhow::Context as _;
use reqwest::Method;
use serde_json::{Map, Value};

use super::client::Client;

/// The media type of JSON.
pub const JSON: &str = "application/json";

/// The document of a server.
pub struct Document(Value);

/// One operation of it, below `/v1/`.
#[derive(Debug, Clone)]
pub struct Described<'a> {
    /// How it is asked for.
    pub method: Method,
    /// The kind of thing that it is about: what stands before `{id}`, else the first part of its address.
    pub kind: String,
    /// Is it about one row of the kind?
    pub of_row: bool,
    /// What stands behind the kind, or behind the row's id: `run`, `roll_back/{version}`, or nothing.
    pub part: String,
    document: &'a Value,
    operation: &'a Value,
}

/// Where a value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Into the address itself.
    Path,
    /// Into its query.
    Query,
    /// Into the JSON of the body.
    Body,
}

/// What an operation takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Where it goes.
    pub place: Place,
    /// Is it missed when it is left out?
    pub required: bool,
    /// What it may hold, as JSON schema.
    pub schema: Value,
    /// What it means, where that is said.
    pub about: Option<String>,
}

impl Document {
    /// Asks the server for it.
    pub async fn of(client: &Client) -> anyhow::Result<Self> {
        let answer = client.send(client.request(Method::GET, "/openapi.json")?).await?;
        Self::new(answer.json().await?)
    }

    fn new(document: Value) -> anyhow::Result<Self> {
        document["paths"].as_object().context("the server describes nothing; is it an Ephor?")?;
        Ok(Self(document))
    }

    /// All that it says, in the order of addresses.
    pub fn operations(&self) -> Vec<Described<'_>> {
        let paths = self.0["paths"].as_object().into_iter().flatten();
        paths
            .filter_map(|(path, methods)| Some((path.strip_prefix("/v1/")?, methods.as_object()?)))
            .flat_map(|(path, methods)| {
                let all = methods.iter();
                all.filter_map(move |(method, operation)| self.described(path, method, operation))
            })
            .collect()
    }

    fn described<'a>(
        &'a self,
        path: &str,
        method: &str,
        operation: &'a Value,
    ) -> Option<Described<'a>> {
        let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).ok()?;
        let (kind, of_row, part) = if let Some((kind, part)) = path.split_once("/{id}") {
            (kind, true, part.trim_start_matches('/'))
        } else {
            let (kind, part) = path.split_once('/').unwrap_or((path, ""));
            (kind, false, part)
        };
        Some(Described {
            method,
            kind: kind.to_owned(),
            of_row,
            part: part.to_owned(),
            document: &self.0,
            operation,
        })
    }

    /// What is more than reading and writing rows: steps of a row's life, and whatever else is asked for by `POST` or
    /// `PUT`. What makes rows of a list, and what takes a file, is none.
    pub fn actions(&self, kind: &str) -> Vec<Described<'_>> {
        let all = self.operations();
        let of_kind = all.iter().filter(|one| one.kind == kind);
        of_kind
            .filter(|one| {
                let does = matches!(one.method, Method::POST | Method::PUT);
                does && !one.part.is_empty()
                    && !one.takes_file()
                    && !all.iter().any(|it| one.is_of(it))
            })
            .cloned()
            .collect()
    }

    /// What takes a file.
    pub fn uploads(&self) -> Vec<Described<'_>> {
        self.operations().into_iter().filter(Described::takes_file).collect()
    }

    /// What there is to read below a row of this kind, beside lists.
    pub fn contents(&self, kind: &str) -> Vec<Described<'_>> {
        let below = |one: &Described<'_>| {
            one.kind == kind && one.of_row && one.method == Method::GET && !one.part.is_empty()
        };
        self.operations().into_iter().filter(|one| below(one) && !one.is_list()).collect()
    }

    /// All lists: of a kind, and below a row.
    pub fn lists(&self) -> Vec<Described<'_>> {
        self.operations().into_iter().filter(Described::is_list).collect()
    }
}

impl<'a> Described<'a> {
    /// What it is called: its part without what is filled in, as `roll_back` of `roll_back/{version}`.
    pub fn name(&self) -> String {
        let words: Vec<&str> = self.part.split('/').filter(|word| !word.starts_with('{')).collect();
        words.join("/")
    }

    /// Where it is, as it is typed: `models/ID/versions`.
    pub fn address(&self) -> String {
        let id = if self.of_row { "/ID" } else { "" };
        let slash = if self.part.is_empty() { "" } else { "/" };
        format!("{}{id}{slash}{}", self.kind, self.part)
    }

    /// What it does, in a few words.
    pub fn summary(&self) -> &'a str {
        self.operation["summary"].as_str().unwrap_or_default()
    }

    /// The permission that it needs, where it needs one: `models:update`.
    pub fn permission(&self) -> Option<&'a str> {
        self.operation["x-permission"].as_str()
    }

    /// Does it answer pages?
    pub fn is_list(&self) -> bool {
        self.method == Method::GET && self.parameters().any(|it| it["name"] == "cursor")
    }

    /// Is `list` the list of the address that this one writes to?
    fn is_of(&self, list: &Described<'_>) -> bool {
        list.is_list()
            && (&list.kind, list.of_row, &list.part) == (&self.kind, self.of_row, &self.part)
    }

    /// Is its body a file?
    pub fn takes_file(&self) -> bool {
        self.media("requestBody").is_some_and(|content| content.values().any(is_file))
    }

    /// Does it take a body of JSON?
    pub fn takes_json(&self) -> bool {
        self.media("requestBody").is_some_and(|content| content.contains_key(JSON))
    }

    /// Does it name the version that it is about?
    pub fn takes_version(&self) -> bool {
        self.parameters().any(|it| it["name"] == "if-match")
    }

    /// Is what it answers a file, first of all?
    pub fn gives_file(&self) -> bool {
        self.answers().is_some_and(|content| content.values().any(is_file))
    }

    /// What it takes: first what has to be there.
    pub fn fields(&self) -> Vec<Field> {
        let mut fields: Vec<Field> = self.parameters().filter_map(parameter).collect();
        if let Some(content) = self.media("requestBody") {
            let schema = self.resolved(&content.get(JSON).unwrap_or(&Value::Null)["schema"]);
            self.properties(schema, 0, &mut fields);
        }
        fields.sort_by_key(|field| !field.required);
        fields
    }

    /// The fields of a body; of one that may be this or that, the fields of all.
    fn properties(&self, schema: &'a Value, depth: usize, fields: &mut Vec<Field>) {
        // Bodies are this or that at most once; a deeper one would not be one.
        const MOST: usize = 3;
        let required = |name: &str| {
            schema["required"].as_array().is_some_and(|names| names.iter().any(|it| it == name))
        };
        for (name, value) in schema["properties"].as_object().into_iter().flatten() {
            if fields.iter().any(|field| field.place == Place::Body && field.name == *name) {
                continue;
            }
            let value = self.resolved(value);
            fields.push(Field {
                name: name.clone(),
                place: Place::Body,
                required: required(name),
                schema: value.clone(),
                about: value["description"].as_str().map(str::to_owned),
            });
        }
        if depth < MOST {
            for word in ["allOf", "anyOf", "oneOf"] {
                for other in schema[word].as_array().into_iter().flatten() {
                    self.properties(self.resolved(other), depth + 1, fields);
                }
            }
        }
    }

    /// What a reference leads to.
    fn resolved(&self, schema: &'a Value) -> &'a Value {
        let place = schema["$ref"].as_str().and_then(|place| place.strip_prefix('#'));
        place.and_then(|place| self.document.pointer(place)).unwrap_or(schema)
    }

    fn parameters(&self) -> impl Iterator<Item = &'a Value> {
        self.operation["parameters"].as_array().into_iter().flatten()
    }

    fn media(&self, of: &str) -> Option<&'a Map<String, Value>> {
        self.operation[of]["content"].as_object()
    }

    /// What success answers.
    fn answers(&self) -> Option<&'a Map<String, Value>> {
        let all = self.operation["responses"].as_object()?;
        let (_, success) = all.iter().find(|(status, _)| status.starts_with('2'))?;
        success["content"].as_object()
    }
}

/// Bytes, not a document.
fn is_file(media: &Value) -> bool {
    media["schema"]["format"] == "binary"
}

fn parameter(it: &Value) -> Option<Field> {
    let place = match it["in"].as_str()? {
        "path" if it["name"] == "id" => return None,
        "path" => Place::Path,
        "query" => Place::Query,
        _ => return None,
    };
    Some(Field {
        name: it["name"].as_str()?.to_owned(),
        place,
        required: it["required"] == true,
        schema: it["schema"].clone(),
        about: it["description"].as_str().map(str::to_owned),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// A document with one of each that commands are made of.
    pub fn small() -> Document {
        let id =
            json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string"}});
        let list = json!({"parameters": [{"name": "cursor", "in": "query", "schema": {"type": "string"}}]});
        let file = json!({"schema": {"type": "string", "format": "binary"}});
        Document::new(json!({
            "paths": {
                "/healthz": {"get": {}},
                "/v1/alerts": {"get": list},
                "/v1/alerts/{id}": {"get": {"parameters": [id]}},
                "/v1/alerts/{id}/notes": {"get": list, "post": {}},
                "/v1/alerts/{id}/close": {"post": {
                    "summary": "Close an alert", "x-permission": "alerts:update", "parameters": [id],
                    "requestBody": {"content": {JSON: {"schema": {"$ref": "#/components/schemas/close"}}}},
                }},
                "/v1/alerts/{id}/roll_back/{version}": {"post": {"parameters": [
                    id,
                    {"name": "version", "in": "path", "required": true, "schema": {"type": "string"}},
                    {"name": "if-match", "in": "header", "required": true},
                ]}},
                "/v1/sets": {"get": list},
                "/v1/sets/upload": {"post": {
                    "parameters": [{"name": "name", "in": "query", "schema": {"type": "string"}}],
                    "requestBody": {"content": {"application/octet-stream": file}},
                }},
                "/v1/sets/{id}/file": {"get": {"responses": {"200": {"content": {"application/x": file}}}}},
                "/v1/sets/{id}/profile": {"get": {"responses": {"200": {"content": {JSON: {"schema": {}}}}}}},
            },
            "components": {"schemas": {"close": {
                "required": ["reason"],
                "properties": {"note": {"type": "string"}, "reason": {"type": "string", "description": "Why."}},
            }}},
        }))
        .unwrap()
    }

    #[test]
    fn actions_are_what_neither_makes_rows_nor_takes_files() {
        let document = small();
        let names = |kind| document.actions(kind).iter().map(Described::name).collect::<Vec<_>>();
        assert_eq!(names("alerts"), ["close", "roll_back"]);
        assert!(names("sets").is_empty());
        assert!(names("nothing").is_empty());
    }

    #[test]
    fn what_has_to_be_there_comes_first_and_knows_its_place() {
        let document = small();
        let actions = document.actions("alerts");
        let close = actions[0].fields();
        let told: Vec<_> =
            close.iter().map(|it| (it.name.as_str(), it.place, it.required)).collect();
        assert_eq!(told, [("reason", Place::Body, true), ("note", Place::Body, false)]);
        assert_eq!(close[0].about.as_deref(), Some("Why."));
        assert_eq!(actions[0].permission(), Some("alerts:update"));
        let back = actions[1].fields();
        assert_eq!(back.len(), 1, "the id and the header are not fields: {back:?}");
        assert_eq!((back[0].name.as_str(), back[0].place), ("version", Place::Path));
        assert!(actions[1].takes_version() && !actions[0].takes_version());
        assert!(actions[0].takes_json() && !actions[1].takes_json());
    }

    #[test]
    fn files_and_lists_are_found() {
        let document = small();
        let addresses =
            |all: Vec<Described<'_>>| all.iter().map(Described::address).collect::<Vec<_>>();
        assert_eq!(addresses(document.uploads()), ["sets/upload"]);
        assert_eq!(addresses(document.contents("sets")), ["sets/ID/file", "sets/ID/profile"]);
        assert!(
            document.contents("sets")[0].gives_file() && !document.contents("sets")[1].gives_file()
        );
        assert_eq!(addresses(document.lists()), ["alerts", "alerts/ID/notes", "sets"]);
        assert!(document.contents("alerts").is_empty());
    }

    #[test]
    fn what_is_no_description_is_refused() {
        assert!(Document::new(json!({"paths": null})).is_err());
    }
}
