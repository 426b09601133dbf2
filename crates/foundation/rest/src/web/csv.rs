//! Comma-separated values (RFC 4180) that no spreadsheet takes for formulas.

use std::collections::HashMap;

use serde_json::value::RawValue;

/// A whole table: the line of names, and a line of each row's values by those names.
///
/// # Errors
/// A row that is no JSON object.
pub fn csv_table(names: &[&str], rows: &[serde_json::Value]) -> serde_json::Result<String> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut out = String::new();
    header(&names, &mut out);
    for one in rows {
        row(&names, &one.to_string(), &mut out)?;
    }
    Ok(out)
}

/// The line of names.
pub(crate) fn header(names: &[String], out: &mut String) {
    for (place, name) in names.iter().enumerate() {
        separate(place, out);
        text(name, out);
    }
    out.push_str("\r\n");
}

/// The line of a row, given as JSON. Numbers keep every digit that PostgreSQL wrote.
pub(crate) fn row(names: &[String], json: &str, out: &mut String) -> serde_json::Result<()> {
    let row: HashMap<String, &RawValue> = serde_json::from_str(json)?;
    for (place, name) in names.iter().enumerate() {
        separate(place, out);
        let Some(value) = row.get(name).map(|value| value.get()) else { continue };
        match value.as_bytes().first() {
            Some(b'"') => text(&serde_json::from_str::<String>(value)?, out),
            Some(b'{' | b'[') => text(value, out),
            Some(b'n') | None => {}
            Some(_) => out.push_str(value),
        }
    }
    out.push_str("\r\n");
    Ok(())
}

fn separate(place: usize, out: &mut String) {
    if place > 0 {
        out.push(',');
    }
}

/// An empty text is quoted, so that it differs from null. What a spreadsheet would run, it shows:
/// an apostrophe stands before it (OWASP, CSV injection).
fn text(value: &str, out: &mut String) {
    let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if !formula && !value.is_empty() && !value.contains([',', '"', '\r', '\n', ';', '\t']) {
        out.push_str(value);
        return;
    }
    out.push('"');
    if formula {
        out.push('\'');
    }
    for letter in value.chars() {
        if letter == '"' {
            out.push('"');
        }
        out.push(letter);
    }
    out.push('"');
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn line(row: Value) -> String {
        let names: Vec<_> = row.as_object().unwrap().keys().cloned().collect();
        let mut out = String::new();
        super::row(&names, &row.to_string(), &mut out).unwrap();
        out
    }

    #[test]
    fn numbers_keep_every_digit() {
        let mut out = String::new();
        let exact = "{\"a\":1234567890.1234567891,\"b\":null}";
        super::row(&["a".into(), "b".into(), "c".into()], exact, &mut out).unwrap();
        assert_eq!(out, "1234567890.1234567891,,\r\n");
    }

    #[test]
    fn cells_are_quoted_when_they_must_be() {
        let row = json!({"a": "x", "b": "say \"hi\", please", "c": null, "d": "", "e": -1.5, "f": true, "g": {"k": [1]}});
        assert_eq!(
            line(row),
            "x,\"say \"\"hi\"\", please\",,\"\",-1.5,true,\"{\"\"k\"\":[1]}\"\r\n"
        );
    }

    #[test]
    fn a_table_has_its_columns_in_their_order() {
        let rows = [json!({"b": 1.5, "a": "=x"}), json!({"a": null})];
        let table = super::csv_table(&["a", "b"], &rows).unwrap();
        assert_eq!(table, "a,b\r\n\"'=x\",1.5\r\n,\r\n");
        assert!(super::csv_table(&["a"], &[json!(1)]).is_err());
    }

    #[test]
    fn formulas_are_shown_not_run() {
        for formula in
            ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(\"http://x\")"]
        {
            let cell = line(json!({"a": formula}));
            assert!(cell.starts_with("\"'"), "{cell}");
        }
    }

    /// A reader of RFC 4180, for the test alone.
    fn read(line: &str) -> Vec<String> {
        let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
        let mut letters = line.strip_suffix("\r\n").unwrap().chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '"' if quoted && letters.next_if_eq(&'"').is_some() => cell.push('"'),
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(std::mem::take(&mut cell)),
                other => cell.push(other),
            }
        }
        cells.push(cell);
        cells
    }

    proptest! {
        #[test]
        fn every_text_reads_back(a in any::<String>(), b in any::<String>()) {
            let cells = read(&line(json!({"a": a, "b": b})));
            prop_assert_eq!(cells.len(), 2);
            for (cell, text) in cells.iter().zip([&a, &b]) {
                let guarded = format!("'{text}");
                prop_assert!(cell == text || *cell == guarded);
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']));
            }
        }
    }
}
