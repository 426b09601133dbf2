//! A whole bias analysis, with intervals, beside the bare counting of `DuckDB` and Polars and the metrics of
//! Fairlearn, AIF360 and Aequitas, all on one generated Parquet file, and as CSV; and beside the bare decode of
//! its columns.

mod data;
mod distinct;
mod found;
mod peers;
mod work;

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};
use serde::de::DeserializeOwned;

use crate::{
    Options,
    report::{Bar, Report, say},
    times::median,
};
use found::Measured;
use peers::Peer;
pub use work::{Work, work};

/// The columns whose values make groups.
const PROTECTED: [&str; 3] = ["sex", "race", "age"];

pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("predictions.parquet");
    data::write(&file, options.rows)?;
    let bytes = std::fs::metadata(&file)?.len();
    say(format!(
        "\nFairness: {} rows, Parquet of {:.0} MB, {} and all their intersections; median of {} rounds",
        options.rows,
        bytes as f64 / 1e6,
        PROTECTED.join(", "),
        options.rounds
    ))?;

    let decode = rounds(options, Work::Decode, &file, "score")?;
    line("bare decode of the columns", &decode)?;
    let whole = rounds(options, Work::Analyze, &file, "score")?;
    line("Ephor: all metrics, disparities, intervals; 1 001 scores", &whole)?;
    let draws = rounds(options, Work::Draws, &file, "score")?;
    line("Ephor: the same with 10 000 bootstrap draws", &draws)?;
    let full_decode = rounds(options, Work::Decode, &file, "score_full")?;
    line("bare decode, scores in full", &full_decode)?;
    let full = rounds(options, Work::Analyze, &file, "score_full")?;
    line("Ephor: the same, scores in full", &full)?;

    // Each peer must find what Ephor found.
    let peer = |key: &str, file: &Path| -> Result<Measured> {
        let Peer { name, measured } = peers::run(key, &options.python, file, options.rounds)?;
        line(&name, &measured)?;
        whole.same_as(&measured).with_context(|| format!("Ephor and {name}"))?;
        Ok(measured)
    };
    let duckdb = peer("duckdb", &file)?.cpu;
    let duckdb_full = peer("duckdb_full", &file)?.cpu;
    peer("polars", &file)?;
    let aequitas = peer("aequitas", &file)?.cpu;
    let aif360 = peer("aif360", &file)?.cpu;
    let unstacked = peer("fairlearn_unstacked", &file)?.cpu;
    let fairlearn = peer("fairlearn", &file)?.cpu;

    let csv = folder.path().join("predictions.csv");
    data::as_csv(&file, &csv)?;
    say(format!("The same as CSV of {:.0} MB:", std::fs::metadata(&csv)?.len() as f64 / 1e6))?;
    let text = rounds(options, Work::Analyze, &csv, "score")?;
    line("Ephor: all metrics, disparities, intervals; 1 001 scores", &text)?;
    whole.same_as(&text).context("Parquet and CSV")?;
    let (duckdb_csv, polars_csv) = (peer("duckdb", &csv)?.cpu, peer("polars", &csv)?.cpu);
    say("every group of every peer has the same counts, selection rates and true positive rates")?;
    distinct::run(options, folder.path())?;

    let mut judge = |work: &str, figure: f64, bar: Bar| report.judge(work, figure, "x", bar);
    judge("bias analysis beside DuckDB's bare GROUP BY, CPU", whole.cpu / duckdb, Bar::AtMost(0.8));
    judge("the same, scores in full", full.cpu / duckdb_full, Bar::AtMost(0.8));
    judge("the same from CSV", text.cpu / duckdb_csv, Bar::AtMost(1.0));
    judge("the same from CSV, beside Polars", text.cpu / polars_csv, Bar::AtMost(1.0));
    judge("Fairlearn beside it, CPU", fairlearn / whole.cpu, Bar::AtLeast(1_000.0));
    judge("Fairlearn without its row-wise stack", unstacked / whole.cpu, Bar::AtLeast(200.0));
    say(format!(
        "AIF360 takes {:.0} x the CPU time, Aequitas {:.0} x; aim: 1.3 x the bare decode; it is {:.2} x ({:.2} x with scores in full)",
        aif360 / whole.cpu,
        aequitas / whole.cpu,
        whole.cpu / decode.cpu,
        full.cpu / full_decode.cpu
    ))
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
fn rounds(options: &Options, work: Work, file: &Path, score: &str) -> Result<Measured> {
    let once = || -> Result<Measured> {
        let program = std::env::current_exe()?;
        answer(Command::new(program).arg("fairness-work").arg(work.as_str()).arg(file).arg(score))
    };
    let mut found = once()?;
    let (mut cpu, mut wall) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        let again = once()?;
        cpu.push(again.cpu);
        wall.push(again.wall);
        found.peak = found.peak.max(again.peak);
    }
    (found.cpu, found.wall) = (median(cpu), median(wall));
    Ok(found)
}

/// The JSON that a program prints.
fn answer<T: DeserializeOwned>(command: &mut Command) -> Result<T> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} ended with {}:\n{said}", output.status);
    serde_json::from_slice(&output.stdout).with_context(|| format!("{command:?} printed no JSON"))
}
