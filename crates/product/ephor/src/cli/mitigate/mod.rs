//! `ephor mitigate`: weights and thresholds computed from a file, applied to files, measured again.

mod apply;
mod fit;
mod table;

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Subcommand;

use super::whole::Whole;
use crate::exit::{Exit, UsageError};

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  ephor mitigate fit train.csv --method reweighing --target y --protected sex --out weights.json
  ephor mitigate apply weights.json train.csv --out reweighed.parquet
  ephor mitigate fit scores.csv --method threshold --constraint equal_opportunity --target y --score p \\
    --protected sex --out thresholds.json
  ephor mitigate apply thresholds.json new.csv --out decided.csv")]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one of it, for as long as the process lives"
)]
pub enum Command {
    /// Compute a mitigation from a file with labels
    Fit(fit::Args),
    /// Add a mitigation's weights or decisions to a file, and measure before and after
    Apply(apply::Args),
}

impl Command {
    pub fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::Fit(args) => args.run(),
            Self::Apply(args) => args.run(),
        }
    }
}

/// What is read is not written over.
fn apart<const N: usize>(out: &Path, read: [&PathBuf; N]) -> anyhow::Result<()> {
    let same = |path: &Path| std::fs::canonicalize(path).ok();
    let Some(written) = same(out) else { return Ok(()) };
    if read.into_iter().any(|path| same(path).as_ref() == Some(&written)) {
        let message = format!("{} is a file that is read", out.display());
        return Err(UsageError(message).into());
    }
    Ok(())
}

/// A file that is there whole or not at all.
fn begun(path: &Path) -> anyhow::Result<Whole> {
    Whole::at(path).with_context(|| format!("{} could not be written", path.display()))
}

/// Brings it to its place.
fn settle(file: Whole, path: &Path) -> anyhow::Result<()> {
    file.keep().with_context(|| format!("{} could not be written", path.display()))
}

fn print(text: &str) -> anyhow::Result<()> {
    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}
