//! `ephor config`

use std::io::Write as _;

use super::Settings;
use crate::{config, exit::Exit};

/// Print the default configuration with its explanations.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  ephor config > ephor.toml\n  ephor config --check --config ephor.toml"
)]
pub struct Args {
    /// Only check the configuration in force (file, variables, flags)
    #[arg(long)]
    check: bool,
}

impl Args {
    pub fn run(self, settings: &Settings) -> anyhow::Result<Exit> {
        let mut out = std::io::stdout().lock();
        if self.check {
            settings.load(&[])?;
            writeln!(out, "The configuration is right.")?;
        } else {
            out.write_all(config::DEFAULT.as_bytes())?;
        }
        Ok(Exit::Ok)
    }
}
