//! What somebody typed, put where an operation takes it: into the address, its query or its body.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    document::{Described, Field, Place},
    kinds::path,
};
use crate::exit::UsageError;

/// A request, without who asks and what it is sent to.
#[derive(Debug, PartialEq)]
pub struct Call {
    /// `/v1/models/…/roll_back/3`
    pub path: String,
    /// The parameters of the query.
    pub query: Vec<(String, String)>,
    /// The body, where the operation takes JSON.
    pub body: Option<Value>,
}

impl Call {
    /// Of an operation on the row `id`, if it is about one, with the fields `given`, laid over the document `body`.
    ///
    /// # Errors
    /// All at once: fields that the operation does not take, those of its address that are missing, a body where it
    /// takes none. What else it misses is the server's to say.
    pub fn new(
        operation: &Described<'_>,
        id: Option<&str>,
        given: Map<String, Value>,
        body: Option<Value>,
    ) -> anyhow::Result<Self> {
        let fields = operation.fields();
        let takes_body = operation.takes_json();
        let (mut filled, mut query, mut wrong) = (BTreeMap::new(), Vec::new(), Vec::new());
        let mut of_body = Map::new();
        for (name, value) in given {
            match fields.iter().find(|field| field.name == name).map(|field| field.place) {
                Some(Place::Path) => {
                    let text = text(&value);
                    if is_segment(&text) {
                        filled.insert(name, text);
                    } else {
                        wrong.push(format!("`{text}` for `{name}` cannot be part of an address"));
                    }
                }
                Some(Place::Query) => query.push((name, text(&value))),
                // What a body does not know is refused by the server, with its place and what was meant.
                Some(Place::Body) => {
                    of_body.insert(name, value);
                }
                None if takes_body => {
                    of_body.insert(name, value);
                }
                None => wrong.push(format!("`{name}` is not taken; {}", taken(&fields))),
            }
        }
        let missing =
            fields.iter().filter(|it| it.place == Place::Path && !filled.contains_key(&it.name));
        wrong.extend(missing.map(|it| format!("`{}` is missing: give {}=…", it.name, it.name)));
        let body = match (takes_body, body) {
            (false, None) => None,
            (false, Some(_)) => {
                wrong.push(format!("no document is taken; {}", taken(&fields)));
                None
            }
            (true, None) => Some(Value::Object(of_body)),
            (true, Some(Value::Object(mut document))) => {
                document.extend(of_body);
                Some(Value::Object(document))
            }
            (true, Some(document)) => {
                if !of_body.is_empty() {
                    wrong.push(
                        "the document is no object, so that no field can be set in it".to_owned(),
                    );
                }
                Some(document)
            }
        };
        if !wrong.is_empty() {
            return Err(UsageError(wrong.join("\n")).into());
        }
        let mut address = path(&operation.kind, id)?;
        for part in operation.part.split('/').filter(|part| !part.is_empty()) {
            let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
            let part = name.and_then(|name| filled.get(name)).map_or(part, String::as_str);
            address.push('/');
            address.push_str(part);
        }
        Ok(Self { path: address, query, body })
    }
}

/// What is taken, as a sentence.
fn taken(fields: &[Field]) -> String {
    match fields {
        [] => "it takes nothing".to_owned(),
        some => {
            let names: Vec<&str> = some.iter().map(|field| field.name.as_str()).collect();
            format!("it takes {}", names.join(", "))
        }
    }
}

/// A value as an address has it: a text as it is, a list with commas.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// One part of an address, and nothing that leads out of it.
fn is_segment(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    !text.is_empty() && text.chars().all(plain) && !text.chars().all(|c| c == '.')
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::{super::document::tests::small, *};

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn each_value_goes_where_it_is_taken() {
        let document = small();
        let actions = document.actions("alerts");
        let call = |at: usize, given, body| Call::new(&actions[at], Some("7"), object(given), body);
        let back = call(1, json!({"version": 3}), None).unwrap();
        assert_eq!((back.path.as_str(), back.body), ("/v1/alerts/7/roll_back/3", None));
        let close =
            call(0, json!({"reason": "b"}), Some(json!({"reason": "a", "note": "n"}))).unwrap();
        assert_eq!(close.path, "/v1/alerts/7/close");
        assert_eq!(close.body, Some(json!({"reason": "b", "note": "n"})));
        let nothing = call(0, json!({}), None).unwrap();
        assert_eq!(nothing.body, Some(json!({})), "what is missing there is the server's to say");
        let uploads = document.uploads();
        let upload = Call::new(&uploads[0], None, object(json!({"name": "a b"})), None).unwrap();
        assert_eq!(upload.path, "/v1/sets/upload");
        assert_eq!(upload.query, [("name".to_owned(), "a b".to_owned())]);
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let document = small();
        let back = &document.actions("alerts")[1];
        let given = object(json!({"version": "../../me", "why": 1}));
        let told = Call::new(back, Some("7"), given, Some(json!([]))).unwrap_err().to_string();
        assert_eq!(told.lines().count(), 4, "{told}");
        assert!(told.contains("it takes version") && told.contains("address"), "{told}");
        assert!(Call::new(back, Some("7/../8"), object(json!({"version": 1})), None).is_err());
    }
}
