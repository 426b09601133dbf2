//! What the gate writes for code scanning, held to the schema that OASIS publishes for SARIF 2.1.0.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::reference_json;

/// The schema, and where a document breaks it.
pub struct Schema(Value);

/// What says nothing of validity.
const NOTES: [&str; 7] =
    ["$schema", "$id", "title", "description", "default", "definitions", "format"];

impl Schema {
    pub fn sarif() -> Self {
        Self(reference_json("sarif/sarif-schema-2.1.0.json"))
    }

    /// Every fault, with its place. A keyword that is not known here is a panic, not a pass.
    pub fn faults(&self, document: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(&self.0, document, "", &mut faults);
        faults
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema.get("$ref").and_then(Value::as_str) {
            None => schema,
            // Draft 7: what stands beside a reference is ignored.
            Some(path) => self.0.pointer(path.strip_prefix('#').unwrap()).unwrap(),
        }
    }

    fn check(&self, schema: &Value, value: &Value, place: &str, faults: &mut Vec<String>) {
        let schema = self.resolved(schema).as_object().unwrap();
        for (keyword, rule) in schema {
            let holds = match keyword.as_str() {
                note if NOTES.contains(&note) => {
                    keyword != "format" || has_format(rule.as_str().unwrap(), value)
                }
                "type" => match rule {
                    Value::Array(kinds) => kinds.iter().any(|kind| is_a(kind, value)),
                    kind => is_a(kind, value),
                },
                "enum" => rule.as_array().unwrap().contains(value),
                "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
                "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
                "minItems" => value
                    .as_array()
                    .is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap()),
                "uniqueItems" => {
                    let count = |items: &Vec<Value>| {
                        let distinct: BTreeSet<String> =
                            items.iter().map(Value::to_string).collect();
                        distinct.len() == items.len()
                    };
                    rule == &json!(false) || value.as_array().is_none_or(count)
                }
                "required" => {
                    let names = rule.as_array().unwrap();
                    value.as_object().is_none_or(|object| {
                        names.iter().all(|name| object.contains_key(name.as_str().unwrap()))
                    })
                }
                "pattern" => value.as_str().is_none_or(|text| meets(rule.as_str().unwrap(), text)),
                "anyOf" | "oneOf" => {
                    let met = rule.as_array().unwrap().iter().filter(|one| {
                        let mut wrong = Vec::new();
                        self.check(one, value, place, &mut wrong);
                        wrong.is_empty()
                    });
                    let met = met.count();
                    if keyword == "oneOf" { met == 1 } else { met >= 1 }
                }
                "items" => {
                    for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(rule, item, &format!("{place}/{at}"), faults);
                    }
                    true
                }
                "properties" => {
                    for (name, value) in value.as_object().into_iter().flatten() {
                        if let Some(rule) = rule.get(name) {
                            self.check(rule, value, &format!("{place}/{name}"), faults);
                        }
                    }
                    true
                }
                "additionalProperties" => {
                    let known = schema.get("properties");
                    for (name, value) in value.as_object().into_iter().flatten() {
                        if known.is_some_and(|known| known.get(name).is_some()) {
                            continue;
                        }
                        match rule {
                            Value::Bool(true) => {}
                            Value::Bool(false) => faults.push(format!("{place}/{name} is unknown")),
                            rule => self.check(rule, value, &format!("{place}/{name}"), faults),
                        }
                    }
                    true
                }
                other => panic!("the schema says {other}, which this test does not know"),
            };
            if !holds {
                faults.push(format!("{place} breaks {keyword} {rule}"));
            }
        }
    }
}

fn is_a(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("the schema says {other}, which this test does not know"),
    }
}

/// References hold nothing that RFC 3986 would have escaped; those that are absolute begin with a scheme.
fn has_format(format: &str, value: &Value) -> bool {
    let Some(text) = value.as_str() else { return true };
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    let mut escapes = text.split('%').skip(1);
    let is_reference = text.bytes().all(allowed)
        && escapes.all(|rest| {
            rest.get(..2).is_some_and(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()))
        });
    match format {
        "uri-reference" => is_reference,
        "uri" => is_reference && text.contains(':'),
        other => panic!("nothing that is written has the format {other}"),
    }
}

fn meets(pattern: &str, text: &str) -> bool {
    match pattern {
        "[^/]+/.+" => {
            text.split_once('/').is_some_and(|(head, rest)| !head.is_empty() && !rest.is_empty())
        }
        other => panic!("nothing that is written has the pattern {other}"),
    }
}

#[test]
fn the_schema_knows_right_from_wrong() {
    let schema = Schema::sarif();
    let right =
        json!({ "version": "2.1.0", "runs": [{ "tool": { "driver": { "name": "Ephor" } } }] });
    assert_eq!(schema.faults(&right), Vec::<String>::new());
    let mut wrong = right;
    wrong["runs"][0]["tool"]["driver"]["nome"] = json!("x");
    wrong["runs"][0]["results"] = json!([
        { "message": { "text": "a" }, "level": "fatal", "ruleIndex": -2 },
        { "message": {}, "locations": [{ "physicalLocation": { "artifactLocation": { "uri": "a b" } } }] },
        { "kind": 7 },
    ]);
    wrong["version"] = json!("2.2.0");
    let faults = schema.faults(&wrong);
    for part in [
        "/version breaks enum",
        "/runs/0/tool/driver/nome is unknown",
        "/runs/0/results/0/level breaks enum",
        "/runs/0/results/0/ruleIndex breaks minimum",
        "/runs/0/results/1/message breaks anyOf",
        "artifactLocation/uri breaks format",
        "/runs/0/results/2 breaks required",
        "/runs/0/results/2/kind breaks enum",
    ] {
        assert!(faults.iter().any(|fault| fault.contains(part)), "{part} is not among {faults:#?}");
    }
}
