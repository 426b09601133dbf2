//! Programs that do one piece of work and say what it cost.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde::de::DeserializeOwned;

/// The JSON that a program prints.
pub fn answer<T: DeserializeOwned>(command: &mut Command) -> Result<T> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} ended with {}:\n{said}", output.status);
    serde_json::from_slice(&output.stdout).with_context(|| format!("{command:?} printed no JSON"))
}

/// This program itself, to do one piece of work alone.
pub fn itself() -> Result<Command> {
    Ok(Command::new(std::env::current_exe()?))
}
