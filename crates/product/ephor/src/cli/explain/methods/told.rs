//! What a method found, as a table, as JSON and as CSV.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use comfy_table::CellAlignment;
use ephor_explain::summary::Summary;
use serde_json::Value;

use crate::cli::{
    explain::printing::quoted,
    printed::{plain, safe},
};

/// What a method found.
pub(super) struct Told {
    /// What was done: `kernel SHAP of 3 rows`.
    pub title: String,
    /// What is to be known of all of it.
    pub facts: Vec<String>,
    pub tables: Vec<Table>,
    /// Everything, for programs.
    pub json: Value,
    /// What a report shows of it.
    pub summary: Summary,
    /// The columns of CSV, and its lines.
    pub heads: Vec<String>,
    pub lines: Vec<Vec<String>>,
}

pub(super) struct Table {
    pub heading: String,
    pub heads: Vec<&'static str>,
    pub lines: Vec<Vec<String>>,
}

/// A number for people.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e9).contains(&size) {
        format!("{value:.3e}")
    } else if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.6}")
    }
}

impl Told {
    pub(super) fn table(&self, source: &str) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "{}: {}", safe(source), safe(&self.title));
        for fact in &self.facts {
            let _ = writeln!(out, "{}", safe(fact));
        }
        for table in &self.tables {
            let _ = writeln!(out);
            if !table.heading.is_empty() {
                let _ = writeln!(out, "{}", safe(&table.heading));
            }
            if table.lines.is_empty() {
                continue;
            }
            let mut printed = plain();
            printed.set_header(&table.heads);
            for line in &table.lines {
                printed.add_row(line.iter().map(|cell| safe(cell)));
            }
            for column in printed.column_iter_mut().skip(1) {
                column.set_cell_alignment(CellAlignment::Right);
            }
            let _ = writeln!(out, "{printed}");
        }
        out
    }

    pub(super) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, &self.json)?;
        out.write_all(b"\n")
    }

    pub(super) fn csv(&self, out: &mut dyn Write) -> io::Result<()> {
        for cells in std::iter::once(&self.heads).chain(&self.lines) {
            let cells: Vec<String> = cells.iter().map(|cell| cell_of(cell)).collect();
            writeln!(out, "{}", cells.join(","))?;
        }
        Ok(())
    }
}

/// Numbers as they are, negative ones too; texts in quotes where they need them.
fn cell_of(cell: &str) -> String {
    if cell.parse::<f64>().is_ok() { cell.to_owned() } else { quoted(cell) }
}
