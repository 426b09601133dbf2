//! `/openapi.json`, and `/docs`: the same document as a page to read and to try.

use std::{
    fmt::Write as _,
    future::ready,
    sync::{Arc, OnceLock},
};

use axum::{Router, routing::get};
use bytes::Bytes;
use ephor_kernel::{Code, Problem};
use http::{HeaderValue, header};
use serde_json::Value;
use tokio::{sync::Mutex, task::spawn_blocking};

use super::ApiError;
use crate::Engine;

const SCRIPT: &str = include_str!("../../assets/docs.js");
const STYLE: &str = include_str!("../../assets/docs.css");
const PAGE: &str = include_str!("../../assets/docs.html");

/// What is served. It is made when somebody asks for it first: most processes are never asked, and it takes much memory for a moment.
struct Description {
    engine: Engine,
    made: Arc<Once<Made>>,
}

struct Made {
    document: Bytes,
    page: Bytes,
}

/// What one thread makes once. Who gives up waiting does not stop it, nor have it made again; who waits holds no thread.
struct Once<T> {
    made: OnceLock<T>,
    /// Held by the thread that makes it.
    turn: Arc<Mutex<()>>,
}

impl<T: Send + Sync + 'static> Once<T> {
    fn new() -> Self {
        Self { made: OnceLock::new(), turn: Arc::default() }
    }

    async fn get(
        self: &Arc<Self>,
        make: impl FnOnce() -> T + Send + 'static,
    ) -> Result<&T, Problem> {
        if self.made.get().is_none() {
            let turn = Arc::clone(&self.turn).lock_owned().await;
            // Another may have made it meanwhile.
            if self.made.get().is_none() {
                let once = Arc::clone(self);
                let making = spawn_blocking(move || {
                    once.made.get_or_init(make);
                    drop(turn);
                });
                making.await.map_err(|error| {
                    tracing::error!(%error, "the description of the API could not be made");
                    Problem::internal()
                })?;
            }
        }
        self.made.get().ok_or_else(Problem::internal)
    }
}

impl Description {
    async fn made(&self) -> Result<&Made, ApiError> {
        let engine = self.engine.clone();
        let make = move || {
            let document = engine.openapi();
            Made { document: document.to_string().into(), page: page(&document).into() }
        };
        Ok(self.made.get(make).await?)
    }

    async fn document(self: Arc<Self>) -> Result<Whole, ApiError> {
        Ok(served(self.made().await?.document.clone(), "application/json"))
    }

    async fn page(self: Arc<Self>) -> Result<Whole, ApiError> {
        Ok(served(self.made().await?.page.clone(), "text/html; charset=utf-8"))
    }
}

/// The routes of the description. It says nothing of any tenant, so anybody may read it.
pub(super) fn router<S: Clone + Send + Sync + 'static>(engine: &Engine) -> Router<S> {
    let document = Arc::new(Description { engine: engine.clone(), made: Arc::new(Once::new()) });
    let page = Arc::clone(&document);
    Router::new()
        .route("/openapi.json", get(move || document.document()))
        .route("/docs", get(move || page.page()))
        .route(
            "/docs/docs.js",
            get(|| ready(served(SCRIPT.into(), "text/javascript; charset=utf-8"))),
        )
        .route("/docs/docs.css", get(|| ready(served(STYLE.into(), "text/css; charset=utf-8"))))
}

type Whole = ([(header::HeaderName, HeaderValue); 3], Bytes);

/// Whole answers, ready.
fn served(body: Bytes, kind: &'static str) -> Whole {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, body)
}

/// The page, without anything that a strict content security policy refuses.
fn page(document: &Value) -> String {
    let mut contents = String::new();
    let mut operations = String::new();
    for tag in array(&document["tags"]) {
        let name = text(&tag["name"]);
        let anchor = anchor(name);
        let _ = write!(contents, "<li><a href=\"#{anchor}\">{}</a></li>", escape(name));
        let _ = write!(
            operations,
            "<section aria-labelledby=\"{anchor}\"><h2 id=\"{anchor}\">{}</h2>",
            escape(name)
        );
        let _ = write!(operations, "<p>{}</p>", escape(text(&tag["description"])));
        for (path, method, operation) in tagged(document, name) {
            self::operation(document, path, method, operation, &mut operations);
        }
        operations.push_str("</section>");
    }
    let mut problems = String::new();
    for code in Code::ALL {
        let (word, status, title) = (code.as_str(), code.status(), escape(code.title()));
        let _ = write!(
            problems,
            "<tr id=\"{word}\"><td><code>{word}</code></td><td>{status}</td><td>{title}</td></tr>"
        );
    }
    PAGE.replace("{{about}}", &prose(text(&document["info"]["description"])))
        .replace("{{version}}", &escape(text(&document["info"]["version"])))
        .replace("{{contents}}", &contents)
        .replace("{{problems}}", &problems)
        .replace("{{operations}}", &operations)
}

fn tagged<'a>(
    document: &'a Value,
    tag: &'a str,
) -> impl Iterator<Item = (&'a str, &'a str, &'a Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().into_iter().flatten();
            methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        })
        .filter(move |(_, _, operation)| array(&operation["tags"]).any(|name| text(name) == tag))
}

fn operation(document: &Value, path: &str, method: &str, operation: &Value, out: &mut String) {
    let id = escape(text(&operation["operationId"]));
    let upper = method.to_ascii_uppercase();
    let summary = escape(text(&operation["summary"]));
    let _ = write!(
        out,
        "<details class=\"operation\" id=\"{id}\"><summary><span class=\"method {method}\">{upper}</span> \
         <code>{}</code> <span class=\"about\">{summary}</span></summary>",
        escape(path)
    );
    let _ = write!(out, "<p>{}</p>", prose(text(&operation["description"])));
    let _ =
        write!(out, "<form class=\"try\" data-method=\"{upper}\" data-path=\"{}\">", escape(path));
    parameters(operation, &id, out);
    body(document, operation, &id, out);
    out.push_str("<p class=\"send\"><button type=\"submit\">Send</button></p><output hidden></output></form>");
    responses(document, operation, out);
    out.push_str("</details>");
}

fn parameters(operation: &Value, id: &str, out: &mut String) {
    let mut parameters = array(&operation["parameters"]).peekable();
    if parameters.peek().is_none() {
        return;
    }
    out.push_str("<table><caption>Parameters</caption><thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Value</th><th scope=\"col\">Meaning</th></tr></thead><tbody>");
    for parameter in parameters {
        let name = escape(text(&parameter["name"]));
        let place = escape(text(&parameter["in"]));
        let required = if parameter["required"] == true { " required" } else { "" };
        let field = format!("{id}-{place}-{name}");
        let _ = write!(
            out,
            "<tr><th scope=\"row\"><label for=\"{field}\"><code>{name}</code></label> <small>{place}{required}</small></th>\
             <td><input id=\"{field}\" name=\"{name}\" data-in=\"{place}\" autocomplete=\"off\" spellcheck=\"false\"{required}></td>\
             <td>{}</td></tr>",
            prose(text(&parameter["description"]))
        );
    }
    out.push_str("</tbody></table>");
}

fn body(document: &Value, operation: &Value, id: &str, out: &mut String) {
    let Some((kind, content)) =
        operation["requestBody"]["content"].as_object().and_then(|kinds| kinds.iter().next())
    else {
        return;
    };
    let about = prose(text(&operation["requestBody"]["description"]));
    let kind = escape(kind);
    if kind.ends_with("json") {
        let _ = write!(
            out,
            "<p><label for=\"{id}-body\">Body <small>{kind}</small></label> {about}</p>\
             <textarea id=\"{id}-body\" rows=\"6\" spellcheck=\"false\" data-type=\"{kind}\">{}</textarea>",
            escape(&pretty(&sample(document, &content["schema"], 0)))
        );
    } else {
        let _ = write!(
            out,
            "<p><label for=\"{id}-file\">File <small>{kind}</small></label> {about}</p>\
             <input id=\"{id}-file\" type=\"file\" data-type=\"{kind}\">"
        );
    }
    let _ = write!(
        out,
        "<details><summary>Schema of the body</summary><pre>{}</pre></details>",
        escape(&pretty(resolved(document, &content["schema"])))
    );
}

fn responses(document: &Value, operation: &Value, out: &mut String) {
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        if status == "default" {
            continue;
        }
        let _ = write!(
            out,
            "<p><strong>{}</strong> {}</p>",
            escape(status),
            prose(text(&response["description"]))
        );
        if let Some((_, content)) =
            response["content"].as_object().and_then(|kinds| kinds.iter().next())
        {
            let _ = write!(
                out,
                "<details><summary>Schema of the answer</summary><pre>{}</pre></details>",
                escape(&pretty(resolved(document, &content["schema"])))
            );
        }
    }
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let pointer = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(schema)
}

/// A body to start from: the required fields.
fn sample(document: &Value, schema: &Value, depth: usize) -> Value {
    let schema = resolved(document, schema);
    if depth > 4 {
        return Value::Null;
    }
    if let Some(default) = schema.get("default").or_else(|| schema["enum"].get(0)) {
        return default.clone();
    }
    if let Some(first) = schema["oneOf"].get(0).or_else(|| schema["anyOf"].get(0)) {
        return sample(document, first, depth);
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str()).unwrap_or_default();
    match kind {
        "object" => {
            let required = array(&schema["required"]).filter_map(Value::as_str);
            required
                .map(|name| {
                    (name.to_owned(), sample(document, &schema["properties"][name], depth + 1))
                })
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        "array" => Value::Array(Vec::new()),
        "integer" | "number" => 0.into(),
        "boolean" => false.into(),
        "string" => "".into(),
        _ => Value::Null,
    }
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn anchor(name: &str) -> String {
    name.to_lowercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), "-")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// Escaped, with what stands between backticks as code.
fn prose(text: &str) -> String {
    let mut out = String::new();
    for (place, part) in text.split('`').enumerate() {
        let part = escape(part);
        if place % 2 == 1 {
            let _ = write!(out, "<code>{part}</code>");
        } else {
            out.push_str(&part);
        }
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use std::sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    };

    use futures::FutureExt as _;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn what_is_made_once_is_not_made_again_for_who_gave_up() {
        let once = Arc::new(Once::new());
        let made = Arc::new(AtomicUsize::new(0));
        let (go, held) = mpsc::channel::<()>();
        let count = Arc::clone(&made);
        let slow = move || {
            let _ = held.recv();
            count.fetch_add(1, Ordering::SeqCst) + 1
        };
        let again = || {
            let count = Arc::clone(&made);
            move || count.fetch_add(1, Ordering::SeqCst) + 1
        };
        // Asked, and not waited for.
        assert!(once.get(slow).now_or_never().is_none());
        assert!(once.get(again()).now_or_never().is_none());
        go.send(()).unwrap();
        assert_eq!(*once.get(again()).await.unwrap(), 1);
        assert_eq!(made.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn what_could_not_be_made_is_made_for_the_next() {
        let once = Arc::new(Once::new());
        let broken = || -> usize { panic!("it cannot be made") };
        assert!(once.get(broken).await.is_err());
        assert_eq!(*once.get(|| 2).await.unwrap(), 2);
    }

    #[test]
    fn nothing_of_the_document_is_taken_for_markup() {
        let evil = "<script>alert(1)</script>\"' onload=x";
        let document = json!({
            "info": {"description": evil, "version": evil},
            "tags": [{"name": evil, "description": evil}],
            "paths": {evil: {"post": {
                "operationId": evil, "summary": evil, "description": evil, "tags": [evil],
                "parameters": [{"name": evil, "in": evil, "description": evil}],
                "requestBody": {"description": evil, "content": {"application/json": {"schema": {"default": evil}}}},
                "responses": {"200": {"description": evil, "content": {"a": {"schema": {"x": evil}}}}},
            }}},
        });
        let page = page(&document);
        assert!(!page.contains("<script>") && !page.contains("\"' onload"), "{page}");
        assert_eq!(page.matches("<script ").count(), 1);
    }

    #[test]
    fn the_page_keeps_to_a_strict_policy() {
        for wrong in [" style=", " onclick=", "javascript:", "https://", "http://", "<style"] {
            assert!(!PAGE.contains(wrong), "{wrong}");
        }
        for wrong in ["eval(", "innerHTML", "new Function", "document.write"] {
            assert!(!SCRIPT.contains(wrong), "{wrong}");
        }
    }

    #[test]
    fn samples_hold_what_is_required() {
        let document = json!({"components": {"a": {"type": "object", "required": ["n", "k"], "properties": {
            "n": {"type": "string"}, "k": {"enum": ["x", "y"]}, "z": {"type": "integer"}
        }}}});
        let schema = json!({"oneOf": [{"$ref": "#/components/a"}]});
        assert_eq!(sample(&document, &schema, 0), json!({"n": "", "k": "x"}));
    }
}
