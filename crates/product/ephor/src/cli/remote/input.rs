//! What a row is to hold: `name=text`, `field:=JSON`, or a whole document.

use std::io::Read as _;

use anyhow::Context as _;
use serde_json::{Map, Value};

use crate::exit::UsageError;

/// The fields of a row.
#[derive(Debug, clap::Args)]
pub struct Fields {
    /// name=text, or name:=JSON for numbers, booleans, null, lists and objects
    #[arg(value_name = "FIELD")]
    fields: Vec<String>,
    /// A JSON document instead: in place, from @FILE, or from standard input with -
    #[arg(long, value_name = "JSON", conflicts_with = "fields")]
    body: Option<String>,
}

impl Fields {
    /// The document to send.
    pub fn read(self) -> anyhow::Result<Value> {
        match self.body {
            Some(body) => document(&body),
            None => pairs(&self.fields).map(Value::Object),
        }
    }
}

fn document(body: &str) -> anyhow::Result<Value> {
    let text = match body.strip_prefix('@') {
        _ if body == "-" => {
            let mut text = String::new();
            std::io::stdin().lock().read_to_string(&mut text)?;
            text
        }
        Some(file) => std::fs::read_to_string(file)
            .map_err(|error| UsageError(format!("{file} can't be read: {error}")))?,
        None => body.to_owned(),
    };
    serde_json::from_str(&text)
        .map_err(|error| UsageError(format!("the document is no JSON: {error}")).into())
}

/// A JSON document from a file, or from standard input with `-`.
pub(super) fn of_file(file: &str) -> anyhow::Result<Value> {
    document(if file == "-" { file.to_owned() } else { format!("@{file}") }.as_str())
}

/// Every pair that is wrong is told at once.
pub(super) fn pairs(fields: &[String]) -> anyhow::Result<Map<String, Value>> {
    let mut row = Map::new();
    let mut wrong = Vec::new();
    for field in fields {
        match pair(field) {
            Ok((name, _)) if row.contains_key(&name) => {
                wrong.push(format!("`{name}` is given twice"));
            }
            Ok((name, value)) => {
                row.insert(name, value);
            }
            Err(error) => wrong.push(format!("{error:#}")),
        }
    }
    if wrong.is_empty() { Ok(row) } else { Err(UsageError(wrong.join("\n")).into()) }
}

fn pair(field: &str) -> anyhow::Result<(String, Value)> {
    let (name, value) = field
        .split_once('=')
        .with_context(|| format!("`{field}` is no field; write name=text or name:=JSON"))?;
    let (name, value) = match name.strip_suffix(':') {
        Some(name) => {
            let value = serde_json::from_str(value).with_context(|| {
                format!("`{value}` for `{name}` is no JSON; name=text takes it as it is")
            })?;
            (name, value)
        }
        None => (name, Value::String(value.to_owned())),
    };
    anyhow::ensure!(!name.is_empty(), "`{field}` has no name before the `=`");
    Ok((name.to_owned(), value))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(fields: &[&str]) -> anyhow::Result<Map<String, Value>> {
        pairs(&fields.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn texts_and_json_are_told_apart() {
        let row = of(&["name=a=b", "n:=1", "tags:=[\"x\"]", "gone:=null", "empty="]).unwrap();
        let expected = json!({ "name": "a=b", "n": 1, "tags": ["x"], "gone": null, "empty": "" });
        assert_eq!(Value::Object(row), expected);
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let told = of(&["name", "n:=x", "=1", "a=1", "a=2"]).unwrap_err().to_string();
        assert_eq!(told.lines().count(), 4, "{told}");
        assert!(told.contains("name:=JSON") && told.contains("twice"), "{told}");
    }
}
