//! `ephor man`

use std::path::PathBuf;

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::exit::Exit;

/// Write the manual pages, one for each command.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  ephor man ~/.local/share/man/man1 && man ephor-resource-list")]
pub struct Args {
    /// The folder to write them to; it is made if it is not there
    folder: PathBuf,
}

impl Args {
    pub fn run(self) -> anyhow::Result<Exit> {
        std::fs::create_dir_all(&self.folder)
            .and_then(|()| clap_mangen::generate_to(super::Cli::command(), &self.folder))
            .with_context(|| format!("{} can't be written to", self.folder.display()))?;
        Ok(Exit::Ok)
    }
}
