//! A whole bias analysis, with intervals, beside the bare counting of `DuckDB` and the metrics of
//! Fairlearn, all on one generated Parquet file; and beside the bare decode of its columns.

mod data;
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

    let line = |name: &str, measured: &Measured| {
        say(format!(
            "{name:<64}  {:>8.2} s CPU  {:>8.2} s  {:>6.0} MB",
            measured.cpu,
            measured.wall,
            measured.peak / 1e6
        ))
    };
    let decode = rounds(options, Work::Decode, &file, "score")?;
    line("bare decode of the columns", &decode)?;
    let whole = rounds(options, Work::Analyze, &file, "score")?;
    line("Ephor: all metrics, disparities, intervals; 1 001 scores", &whole)?;
    let full_decode = rounds(options, Work::Decode, &file, "score_full")?;
    line("bare decode, scores in full", &full_decode)?;
    let full = rounds(options, Work::Analyze, &file, "score_full")?;
    line("Ephor: the same, scores in full", &full)?;

    let peers = peers::run(&options.python, &file, options.rounds)?;
    for peer in &peers {
        line(&peer.name, &peer.measured)?;
        whole.same_as(&peer.measured).with_context(|| format!("Ephor and {}", peer.name))?;
    }
    let cpu = |key: &str| -> Result<f64> {
        let peer = peers.iter().find(|peer| peer.key == key);
        Ok(peer.with_context(|| format!("no figures of {key}"))?.measured.cpu)
    };
    let (duckdb, duckdb_full) = (cpu("duckdb")?, cpu("duckdb_full")?);
    let (fairlearn, unstacked) = (cpu("fairlearn")?, cpu("fairlearn_unstacked")?);
    say("every group of every peer has the same counts, selection rates and true positive rates")?;

    let mut judge = |work: &str, figure: f64, bar: Bar| report.judge(work, figure, "x", bar);
    judge("bias analysis beside DuckDB's bare GROUP BY, CPU", whole.cpu / duckdb, Bar::AtMost(0.8));
    judge("the same, scores in full", full.cpu / duckdb_full, Bar::AtMost(0.8));
    judge("Fairlearn beside it, CPU", fairlearn / whole.cpu, Bar::AtLeast(1_000.0));
    judge("Fairlearn without its row-wise stack", unstacked / whole.cpu, Bar::AtLeast(200.0));
    say(format!(
        "aim: 1.3 x the bare decode; it is {:.2} x ({:.2} x with scores in full)",
        whole.cpu / decode.cpu,
        full.cpu / full_decode.cpu
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
