//! Comma-separated values (RFC 4180) that no spreadsheet takes for formulas.

use serde_json::{Map, Value};

/// The line of names.
pub(crate) fn header(names: &[String], out: &mut String) {
    for (place, name) in names.iter().enumerate() {
        separate(place, out);
        text(name, out);
    }
    out.push_str("\r\n");
}

/// The line of a row.
pub(crate) fn row(names: &[String], row: &Map<String, Value>, out: &mut String) {
    for (place, name) in names.iter().enumerate() {
        separate(place, out);
        match row.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::Bool(value)) => out.push_str(if *value { "true" } else { "false" }),
            Some(Value::Number(number)) => out.push_str(&number.to_string()),
            Some(Value::String(value)) => text(value, out),
            Some(nested) => text(&nested.to_string(), out),
        }
    }
    out.push_str("\r\n");
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
    use serde_json::json;

    use super::*;

    fn line(row: Value) -> String {
        let Value::Object(row) = row else { unreachable!() };
        let names: Vec<_> = row.keys().cloned().collect();
        let mut out = String::new();
        super::row(&names, &row, &mut out);
        out
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
                prop_assert!(cell == text || cell == &format!("'{text}"));
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']));
            }
        }
    }
}
