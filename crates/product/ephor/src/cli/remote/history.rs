//! What was done to one row, from the audit trail.

use std::io::Write as _;

use serde_json::{Value, json};

use super::{client::Client, output};

/// Prints the newest `limit` entries about the row.
pub async fn show(client: &Client, id: &str, limit: u16, as_json: bool) -> anyhow::Result<()> {
    let asked = [("entity_id", id.to_owned()), ("limit", limit.to_string())]
        .map(|(name, value)| (name.to_owned(), value));
    let request = client.query("/v1/audit/entries", &asked)?;
    let mut page: Value = client.send(request).await?.json().await?;
    let entries = match page["data"].take() {
        Value::Array(entries) => entries,
        _ => Vec::new(),
    };
    if as_json {
        return output::rows(&entries, true, &[]);
    }
    let rows: Vec<Value> = entries.iter().map(line).collect();
    output::rows(&rows, false, &["when", "who", "did", "what", "seal"])?;
    if !page["next"].is_null() {
        writeln!(std::io::stderr(), "There are more: --limit shows up to 500.")?;
    }
    Ok(())
}

fn line(entry: &Value) -> Value {
    let changes: Vec<String> = entry["changes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|change| !matches!(change["column"].as_str(), Some("updated_at" | "version")))
        .map(|change| {
            let column = change["column"].as_str().unwrap_or_default();
            format!("{column}: {} -> {}", short(&change["before"]), short(&change["after"]))
        })
        .collect();
    let seal = match (&entry["sealed"], &entry["seal"]["verified_at"]) {
        (Value::Bool(true), Value::Null) => "sealed",
        (Value::Bool(true), _) => "verified",
        _ => "waits",
    };
    json!({
        "when": entry["created_at"],
        "who": format!("{} {}", text(&entry["actor_type"]), text(&entry["actor_id"])),
        "did": entry["action"],
        "what": changes.join("\n"),
        "seal": seal,
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A value in a few characters.
fn short(value: &Value) -> String {
    const MOST: usize = 60;
    // An empty text would look like none.
    let plain = value.as_str().filter(|text| !text.is_empty());
    let told = plain.map_or_else(|| value.to_string(), str::to_owned);
    if told.chars().count() <= MOST {
        return told;
    }
    told.chars().take(MOST).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::line;

    #[test]
    fn an_entry_is_a_line_of_what_it_changed() {
        let line = line(&json!({
            "created_at": "2026-11-21T13:24:18Z", "actor_type": "user", "actor_id": "0193", "action": "update",
            "changes": [
                {"column": "status", "before": "draft", "after": "active"},
                {"column": "version", "before": 1, "after": 2},
            ],
            "sealed": true, "seal": {"verified_at": null},
        }));
        assert_eq!(line["what"], "status: draft -> active");
        assert_eq!(line["seal"], "sealed");
    }
}
