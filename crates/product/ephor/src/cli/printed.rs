//! What commands on the server's own machine print for people.

use std::io::Write;

use comfy_table::{ContentArrangement, Table, presets::NOTHING};

/// A table of texts. What is stored may be anything: no control character reaches the terminal.
pub fn table(
    out: &mut impl Write,
    heads: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
) -> std::io::Result<()> {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(heads.iter());
    for row in rows {
        table.add_row(row.iter().map(|cell| safe(cell)));
    }
    writeln!(out, "{table}")
}

/// A text without what could steer the terminal.
pub fn safe(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A size: `1.4 MB`.
pub fn bytes(size: i64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB", "PB"];
    let (mut value, mut unit) = (size as f64, 0);
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{size} bytes") } else { format!("{value:.1} {}", units[unit]) }
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
