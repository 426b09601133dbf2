//! What `make bench` runs: Ephor beside its peers, in one run on one machine.
//!
//! Each part measures one kind of work and says what it found beside the bar of that work. The run
//! fails when two that should find the same do not, when a peer cannot be run, and when a bar is missed.
#![allow(
    clippy::disallowed_methods,
    reason = "a benchmark reads its arguments, its environment and the clock"
)]

mod explain;
mod fairness;
mod machine;
mod plans;
mod postgres;
mod programs;
mod reads;
mod report;
mod rest;
mod server;
mod start;
mod times;
mod usage;
mod verification;
mod writes;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::{Parser, Subcommand, ValueEnum};
use report::{Report, say};

/// Ephor beside its peers.
#[derive(Debug, Parser)]
#[command(after_help = "\
Examples:
  make bench
  make bench ONLY=fairness,rest
  make bench ONLY=fairness OPTIONS='--rows 1000000,10000000'
  ephor-benches --only writes --seconds 10 --ephor target/release/ephor")]
struct Options {
    /// What to measure; everything when nothing is named
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
    /// The release build of `ephor`
    #[arg(long, default_value = "ephor")]
    ephor: PathBuf,
    /// A Python that has benches/peers/requirements.txt
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Rows of the fairness analysis, one size after the other
    #[arg(long, value_delimiter = ',', default_values_t = [1_000_000, 10_000_000, 100_000_000])]
    rows: Vec<usize>,
    /// Rows to explain by trees of depth 6
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 100_000])]
    explained: Vec<usize>,
    /// Rows to explain by trees of depth 4, 8 and 12; of depth 12 the peers take minutes for 1 000
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000])]
    explained_otherwise: Vec<usize>,
    /// Seconds of each measurement of writes
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Rounds of each measurement; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Entries of the trail to verify
    #[arg(long, default_value_t = 300_000)]
    entries: u32,
    /// Write the plans of the most used queries here; with the reads
    #[arg(long)]
    plans: Option<PathBuf>,
    #[command(subcommand)]
    inner: Option<Inner>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Fairness,
    Explain,
    Start,
    Rest,
    Reads,
    Writes,
    Verification,
}

/// What this program calls itself for, so that memory and time are one piece of work's alone.
#[derive(Debug, Subcommand)]
enum Inner {
    #[command(hide = true)]
    FairnessWork { work: fairness::Work, file: PathBuf, score: String },
    #[command(hide = true)]
    FairnessPhases { file: PathBuf, score: String },
    #[command(hide = true)]
    ExplainWork { folder: PathBuf, depth: u32, rows: usize, rounds: usize },
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    match options.inner {
        Some(Inner::FairnessWork { work, file, score }) => {
            return fairness::work(work, file, &score).await;
        }
        Some(Inner::FairnessPhases { file, score }) => {
            return fairness::measure_phases(file, &score).await;
        }
        Some(Inner::ExplainWork { folder, depth, rows, rounds }) => {
            return explain::work(&folder, depth, rows, rounds);
        }
        None => {}
    }
    let wanted = |part| options.only.is_empty() || options.only.contains(&part);
    let mut report = Report::default();
    say(machine::describe())?;
    if wanted(Part::Start) {
        start::run(&options, &mut report).await?;
    }
    if wanted(Part::Rest) {
        rest::run(&options, &mut report).await?;
    }
    if [Part::Reads, Part::Writes, Part::Verification].into_iter().any(wanted) {
        let postgres = postgres::Postgres::start().await?;
        if wanted(Part::Reads) {
            reads::run(&postgres, options.plans.as_deref(), &mut report).await?;
        }
        if wanted(Part::Writes) || wanted(Part::Verification) {
            writes::prepare(&postgres).await?;
        }
        if wanted(Part::Writes) {
            writes::run(&postgres, &options, &mut report).await?;
        }
        if wanted(Part::Verification) {
            verification::run(&postgres, &options, &mut report).await?;
        }
        postgres.stop().await?;
    }
    if wanted(Part::Fairness) {
        fairness::run(&options, &mut report)?;
    }
    if wanted(Part::Explain) {
        explain::run(&options, &mut report)?;
    }
    report.table()?;
    ensure!(report.missed() == 0, "{} of the bars missed", report.missed());
    Ok(())
}
