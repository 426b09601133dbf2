//! What the OpenAPI document says is what the server does: schemathesis over the whole of it, with valid and
//! invalid requests made from its schemas. `tests/contract/` holds its settings.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use crate::support::{
    Server,
    api::{Person, answered},
    data_folder,
};

/// All lists are one engine's, and have most of the parameters: each in turn for a few of them, any together for all.
const BOUNDED: [[&str; 6]; 2] = [
    ["--include-operation-id-regex", "^list_", "--phases", "examples,fuzzing", "-n", "8"],
    [
        "--exclude-operation-id-regex",
        "^list_(?!(models|members|work_items)$)",
        "--phases",
        ALL,
        "-n",
        "4",
    ],
];
/// Everything for all.
const FULL: [[&str; 6]; 2] = [
    ["--include-operation-id-regex", "^list_", "--phases", ALL, "-n", "60"],
    ["--exclude-operation-id-regex", "^list_", "--phases", ALL, "-n", "100"],
];
const ALL: &str = "examples,coverage,fuzzing,stateful";

#[tokio::test(flavor = "multi_thread")]
async fn the_server_does_what_its_document_says() {
    let tool = schemathesis();
    let data = data_folder();
    let server = Server::serve(data.path());
    let key = filled(&server).await;

    let full = std::env::var_os("EPHOR_TEST_FULL").is_some();
    let settings = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract");
    // It leaves notes where it works, which the next run would read.
    let desk = data_folder();
    for file in ["schemathesis.toml", "hooks.py"] {
        std::fs::copy(settings.join(file), desk.path().join(file)).unwrap();
    }
    let halves = if full { FULL } else { BOUNDED }.map(|choice| {
        let mut command = Command::new(&tool);
        command
            .current_dir(desk.path())
            .args(["--config-file", "schemathesis.toml", "run", "--no-color"])
            .args(choice)
            .arg(format!("{}/openapi.json", server.url))
            .args(["-H", &format!("Authorization: Bearer {key}")]);
        (choice, tokio::task::spawn_blocking(move || command.output()))
    });
    let mut tried = 0;
    for (choice, half) in halves {
        let output = half.await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{}\n{}\n\nTo see it again: start `ephor serve` on an empty data folder, sign up, make an API key that \
             may do everything, and run\n\n  cd {} && {} --config-file schemathesis.toml run {} \
             URL/openapi.json -H \"Authorization: Bearer KEY\"\n\nThe server said:\n{}",
            findings(&said),
            String::from_utf8_lossy(&output.stderr),
            settings.display(),
            tool.display(),
            choice.map(|word| format!("'{word}'")).join(" "),
            server.log(),
        );
        tried += number_behind(&said, "Tested: ");
    }
    // That it ran over all of it.
    let document: Value = Person::nobody(&server.url).json("/openapi.json").await;
    let paths = document["paths"].as_object().unwrap().values();
    let all: usize = paths.map(|path| path.as_object().unwrap().len()).sum();
    assert!(tried >= all, "only {tried} of {all} operations were tried");
}

fn number_behind(text: &str, words: &str) -> usize {
    let rest = text.split_once(words).map(|(_, rest)| rest).unwrap_or_default();
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_default()
}

/// What is installed by `make setup`, beside what Cargo builds.
fn schemathesis() -> PathBuf {
    let built = Path::new(env!("CARGO_BIN_EXE_ephor"));
    let tool = built.ancestors().nth(2).unwrap().join("contract/bin/schemathesis");
    assert!(tool.is_file(), "{} is not there; run make setup", tool.display());
    tool
}

/// An organization with a data set, its analysis and a key that may do everything.
async fn filled(server: &Server) -> String {
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let dataset = ada.upload("loans", b"sex,y,p\nf,1,1\nm,0,1\nf,1,0\nm,1,1\n".to_vec()).await;
    let parameters =
        json!({ "target": "y", "prediction": "p", "protected": ["sex"], "min_group_size": 0 });
    let analysis = ada.analyse(&dataset, parameters).await;
    ada.ended(&analysis).await;
    let key = json!({ "name": "contract", "permissions": ["*"] });
    let made = answered(ada.post("/v1/api-keys").json(&key)).await;
    made["key"].as_str().unwrap().to_owned()
}

/// From the first failure on, without what only repeats the document.
fn findings(said: &str) -> &str {
    const MOST: usize = 40_000;
    let start = said.find("= FAILURES =").or_else(|| said.find("= SUMMARY =")).unwrap_or_default();
    let said = &said[start..];
    &said[..said.floor_char_boundary(MOST)]
}

/// Every resource's writes, field by field: what is required, unknown, of a wrong type or beyond its bounds is named, each
/// at its place and all at once. Schemathesis sees only that such a body is refused.
#[tokio::test]
async fn every_field_is_held_to_its_schema() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let key = filled(&server).await;
    let person = Person::nobody(&server.url);
    let document = person.json("/openapi.json").await;
    let (mut fields, mut wrong) = (0, Vec::new());
    for (path, method, operation) in writes(&document) {
        let create = method == "post";
        let schema = body_schema(&document, operation);
        let properties = schema["properties"].as_object().unwrap();
        let bodies = [
            Some(json!({})).filter(|_| create),
            Some(mistyped(properties)),
            Some(excessive(properties)),
        ];
        for body in bodies.into_iter().flatten() {
            let mut expected: Vec<(String, &str)> = match body.as_object().unwrap() {
                empty if empty.is_empty() => Vec::new(),
                sent => sent
                    .iter()
                    .map(|(name, value)| (name.clone(), code(properties.get(name), value)))
                    .collect(),
            };
            let required = schema["required"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|name| name.as_str().unwrap());
            expected.extend(
                required
                    .filter(|name| body.get(*name).is_none())
                    .map(|name| (name.to_owned(), "required")),
            );
            if expected.is_empty() {
                continue;
            }
            fields += expected.len();
            let address = path.replace("{id}", "00000000-0000-7000-8000-000000000000");
            let request = if create {
                person.post(&address)
            } else {
                person.client.patch(format!("{}{address}", server.url))
            };
            let answer =
                request.bearer_auth(&key).header("if-match", "*").json(&body).send().await.unwrap();
            let status = answer.status();
            let told: Value = answer.json().await.unwrap();
            for (name, code) in expected {
                let pointer = format!("/{name}");
                let named = told["faults"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .any(|fault| fault["pointer"] == pointer && fault["code"] == code);
                if status != 422 || !named {
                    wrong.push(format!(
                        "{method} {path}: no fault `{code}` at {pointer} of {body}: {status} {told}"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {fields} fields:\n{}", wrong.len(), wrong.join("\n"));
    assert!(fields > 800, "only {fields} fields were tried");
}

/// The generated creates and updates, but those below a parent, which has to be there first.
fn writes(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let all = paths.flat_map(|(path, methods)| {
        methods
            .as_object()
            .unwrap()
            .iter()
            .map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    });
    all.filter(|(path, method, operation)| {
        let id = operation["operationId"].as_str().unwrap();
        let own = path.matches('/').count() == if *method == "post" { 2 } else { 3 };
        own && (id.starts_with("create_") || id.starts_with("update_"))
    })
}

/// The schema of one row of the body.
fn body_schema<'a>(document: &'a Value, operation: &'a Value) -> &'a Value {
    let mut schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    loop {
        schema = match schema {
            one if one["oneOf"].is_array() => &one["oneOf"][0],
            one if one["$ref"].is_string() => {
                document.pointer(one["$ref"].as_str().unwrap().trim_start_matches('#')).unwrap()
            }
            one => return one,
        }
    }
}

fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(one) => vec![one],
        several => several.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
    }
}

/// A value of a wrong type for each field that has one, and a field that is none.
fn mistyped(properties: &serde_json::Map<String, Value>) -> Value {
    let mut body = serde_json::Map::from_iter([("no_such_field".to_owned(), json!(1))]);
    for (name, schema) in properties {
        let known = types(schema);
        let other = [("boolean", json!(true)), ("number", json!(1.5)), ("array", json!([]))];
        let other = other.into_iter().find(|(kind, _)| {
            let fits = known.contains(kind) || (*kind == "number" && known.contains(&"integer"));
            !(known.is_empty() || fits)
        });
        if let Some((_, value)) = other {
            body.insert(name.clone(), value);
        }
    }
    body.into()
}

/// A value just beyond the first bound of each field that has one.
fn excessive(properties: &serde_json::Map<String, Value>) -> Value {
    let mut body = serde_json::Map::new();
    for (name, schema) in properties {
        let value = if schema["enum"].is_array() {
            json!("no such word")
        } else if let Some(most) = schema["maxLength"].as_u64() {
            json!("x".repeat(most as usize + 1))
        } else if let (Some(most), true) =
            (schema["maximum"].as_f64(), types(schema).contains(&"integer"))
        {
            if most > 1e9 {
                continue;
            }
            json!(most as i64 + 1)
        } else if let Some(most) = schema["maximum"].as_f64() {
            json!(most + 1.0)
        } else {
            continue;
        };
        body.insert(name.clone(), value);
    }
    body.into()
}

/// The code of the fault that the value is.
fn code(schema: Option<&Value>, value: &Value) -> &'static str {
    match (schema, value) {
        (None, _) => "unknown_field",
        (Some(schema), Value::String(_)) if schema["enum"].is_array() => "vocabulary",
        (Some(schema), Value::String(_)) if schema["maxLength"].is_u64() => "too_long",
        (Some(schema), Value::Number(_))
            if types(schema).iter().any(|kind| ["integer", "number"].contains(kind)) =>
        {
            "out_of_range"
        }
        _ => "type",
    }
}
