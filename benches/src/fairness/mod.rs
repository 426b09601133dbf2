//! A whole bias analysis, with intervals, beside the bare counting of `DuckDB` and Polars and the metrics of
//! Fairlearn, AIF360 and Aequitas, all on one generated Parquet file, and as CSV; and beside the bare decode of
//! its columns. All of it for each number of rows that is asked for.

mod data;
mod distinct;
mod found;
mod pages;
mod peers;
mod phases;
mod size;
mod work;

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::{
    Options,
    programs::{answer, itself},
    report::{Report, say},
    usage::Spent,
};
use found::Measured;
pub use phases::measure as measure_phases;
pub use work::{Work, work};

/// The columns whose values make groups.
const PROTECTED: [&str; 3] = ["sex", "race", "age"];
/// Rows beyond these are too many for who holds them all in memory, for CSV, and for several rounds.
const HELD: usize = 10_000_000;

pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    for rows in &options.rows {
        size::run(options, *rows, report)?;
    }
    let most = options.rows.iter().max().context("--rows names no number of rows")?;
    distinct::run(options, HELD.min(*most))
}

/// So many rows, in words.
fn named(rows: usize) -> String {
    if rows >= 1_000_000 && rows.is_multiple_of(1_000_000) {
        format!("{} M rows", rows / 1_000_000)
    } else {
        format!("{rows} rows")
    }
}

fn line(name: &str, measured: &Measured) -> Result<()> {
    say(format!(
        "{name:<64}  {:>8.2} s CPU  {:>8.2} s  {:>6.0} MB",
        measured.cpu,
        measured.wall,
        measured.peak / 1e6
    ))
}

/// Each round in a process of its own, after one that warms the file cache.
fn rounds(rounds: usize, work: Work, file: &Path, score: &str) -> Result<Measured> {
    let once = || -> Result<Measured> {
        answer(itself()?.arg("fairness-work").arg(work.as_str()).arg(file).arg(score))
    };
    let mut found = once()?;
    let mut spent = Vec::new();
    for _ in 0..rounds {
        let again = once()?;
        spent.push(Spent { cpu: again.cpu, wall: again.wall });
        found.peak = found.peak.max(again.peak);
    }
    Spent { cpu: found.cpu, wall: found.wall } = Spent::median(&spent);
    Ok(found)
}
