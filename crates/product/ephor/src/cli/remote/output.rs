//! Rows as people read them, or as JSON.

use std::io::Write as _;

use serde_json::Value;

use super::super::printed::{plain, safe};

/// Prints rows: all `columns` that any of them has.
pub fn rows(rows: &[Value], json: bool, columns: &[&str]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, rows)?;
        writeln!(out)?;
        return Ok(());
    }
    if rows.is_empty() {
        writeln!(out, "There are none.")?;
        return Ok(());
    }
    let mut table = plain();
    table.set_header(columns.iter().map(|column| column.replace('_', " ")));
    for row in rows {
        table.add_row(columns.iter().map(|column| cell(&row[*column])));
    }
    writeln!(out, "{table}")?;
    Ok(())
}

/// Prints one row, a line for each field.
pub fn row(row: &Value, json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, row)?;
        writeln!(out)?;
        return Ok(());
    }
    let mut table = plain();
    for (name, value) in row.as_object().into_iter().flatten() {
        table.add_row([name.replace('_', " "), cell(value)]);
    }
    writeln!(out, "{table}")?;
    Ok(())
}

/// A value in a cell. What the server holds may be anything: no control character reaches the terminal.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => moment(text).unwrap_or_else(|| text.clone()),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    text.split('\n').map(safe).collect::<Vec<_>>().join("\n")
}

/// A time as people read it, to the minute and in UTC.
fn moment(text: &str) -> Option<String> {
    // A text that begins with a year and is long enough; all else is no time.
    if text.len() < 20 || text.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    let time = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    Some(time.to_utc().format("%Y-%m-%d %H:%M UTC").to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::cell;

    #[test]
    fn a_cell_cannot_steer_the_terminal() {
        assert_eq!(cell(&json!("a\u{1b}[2Jb")), "a\u{fffd}[2Jb");
        assert_eq!(cell(&json!(["x", "y"])), "x, y");
        assert_eq!(cell(&json!(null)), "");
        assert_eq!(cell(&json!("2026-11-21T13:24:18.10525+00:00")), "2026-11-21 13:24 UTC");
    }
}
