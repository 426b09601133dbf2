//! Runs the peers, in Python.

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::{answer, found::Measured};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/fairness.py");

/// One way of counting, by somebody else.
#[derive(Debug, Deserialize)]
pub struct Peer {
    /// Short and fixed: `duckdb`, `fairlearn` …
    pub key: String,
    /// With its version.
    pub name: String,
    #[serde(flatten)]
    pub measured: Measured,
}

/// All peers; one that is missing is an error, never left out.
pub fn run(python: &Path, file: &Path, rounds: usize) -> Result<Vec<Peer>> {
    answer(Command::new(python).arg(SCRIPT).arg(file).arg(rounds.to_string()))
        .context("the peers could not be run (`make bench` installs them)")
}
