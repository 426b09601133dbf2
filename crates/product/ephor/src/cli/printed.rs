//! What commands print for people.

use std::io::Write;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets::NOTHING};
use ephor_console::report::figures::Document;
use serde_json::{Map, Value};

/// What a command tells step by step: lines for people as they come, or the facts behind them as one JSON object at the end.
pub struct Telling {
    json: bool,
    facts: Map<String, Value>,
}

impl Telling {
    /// Of facts alone if `json`, else of lines alone.
    pub fn new(json: bool) -> Self {
        Self { json, facts: Map::new() }
    }

    /// A line, at once.
    pub fn line(&self, text: impl std::fmt::Display) -> std::io::Result<()> {
        if self.json { Ok(()) } else { writeln!(std::io::stdout(), "{text}") }
    }

    /// A fact.
    pub fn fact(&mut self, name: &str, value: impl Into<Value>) {
        self.facts.insert(name.to_owned(), value.into());
    }

    /// All facts.
    pub fn end(self) -> std::io::Result<()> {
        if self.json {
            writeln!(std::io::stdout(), "{:#}", Value::Object(self.facts))
        } else {
            Ok(())
        }
    }
}

/// A table of texts. What is stored may be anything: no control character reaches the terminal.
pub fn table(
    out: &mut impl Write,
    heads: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
) -> std::io::Result<()> {
    let mut table = plain();
    table.set_header(heads.iter());
    for row in rows {
        table.add_row(row.iter().map(|cell| safe(cell)));
    }
    writeln!(out, "{table}")
}

/// A table without lines, as wide as the terminal.
pub fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table
}

/// A text without what could steer the terminal.
pub fn safe(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A report of figures.
pub fn document(document: &Document, source: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    let _ = writeln!(out, "{}: {}\n{}", safe(source), document.title, document.rule);
    for fact in &document.facts {
        let _ = writeln!(out, "{}", safe(fact));
    }
    for section in &document.sections {
        let mut table = Table::new();
        table.load_style(NOTHING);
        table.set_header(section.heads.iter().map(|head| head.trim_end_matches('…')));
        for row in &section.rows {
            table.add_row(row.iter().map(|cell| safe(cell)));
        }
        for (column, head) in table.column_iter_mut().zip(&section.heads).skip(1) {
            if !head.ends_with('…') {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let _ = writeln!(out, "\n{}\n{table}", safe(&section.heading));
        for fact in &section.facts {
            let _ = writeln!(out, "{}", safe(fact));
        }
    }
    let _ = writeln!(out, "\nNotes");
    for note in &document.notes {
        let _ = writeln!(out, "- {}", safe(note));
    }
    out
}

/// A size: `1.4 MB`.
pub fn bytes(size: i64) -> String {
    ephor_console::bytes(size.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short_and_names_harmless() {
        assert_eq!((bytes(999), bytes(1_420_000)), ("999 bytes".into(), "1.4 MB".into()));
        assert_eq!(safe("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
    }
}
