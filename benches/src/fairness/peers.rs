//! Runs the peers, in Python, each in a process of its own.

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::found::Measured;
use crate::programs::answer;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/fairness.py");

/// One way of counting, by somebody else.
#[derive(Debug, Deserialize)]
pub struct Peer {
    /// With its version.
    pub name: String,
    #[serde(flatten)]
    pub measured: Measured,
}

/// A peer by its short name: `duckdb`, `fairlearn` … One that cannot be run is an error, never left out.
pub fn run(peer: &str, python: &Path, file: &Path, rounds: usize) -> Result<Peer> {
    answer(Command::new(python).arg(SCRIPT).arg(peer).arg(file).arg(rounds.to_string()))
        .with_context(|| format!("{peer} could not be run (`make bench` installs the peers)"))
}
