//! What commands print for people.

use std::io::Write;

use comfy_table::{ContentArrangement, Table, presets::NOTHING};

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
