//! `ephor admin password-link`

use std::{io::Write as _, sync::Arc};

use ephor_identity::Identity;
use ephor_kernel::SystemClock;
use ephor_store::Store;
use serde_json::json as object;

use super::json;
use crate::{config::Config, exit::Exit};

/// Whose password is to be set anew.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor admin password-link ada@example.org
  ephor admin password-link ada@example.org --json")]
pub struct Args {
    /// The address of the account
    email: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(super) async fn act(self, config: &Config, store: &Store) -> anyhow::Result<Exit> {
        let identity =
            Identity::new(store.clone(), config.identity.clone(), Arc::new(SystemClock))?;
        let link = identity.password_link(&self.email).await?;
        if self.json {
            json(&object!({ "email": self.email, "link": link }))?;
        } else {
            writeln!(std::io::stdout(), "{link}")?;
        }
        writeln!(
            std::io::stderr(),
            "It works once, for an hour. All of the person's sessions end."
        )?;
        Ok(Exit::Ok)
    }
}
