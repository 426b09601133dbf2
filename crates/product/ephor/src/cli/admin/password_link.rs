//! `ephor admin password-link`

use std::{io::Write as _, sync::Arc};

use ephor_identity::Identity;
use ephor_kernel::SystemClock;
use ephor_store::Store;

use crate::{config::Config, exit::Exit};

/// Whose password is to be set anew.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The address of the account
    email: String,
}

impl Args {
    pub(super) async fn act(self, config: &Config, store: &Store) -> anyhow::Result<Exit> {
        let identity =
            Identity::new(store.clone(), config.identity.clone(), Arc::new(SystemClock))?;
        let link = identity.password_link(&self.email).await?;
        writeln!(std::io::stdout(), "{link}")?;
        writeln!(
            std::io::stderr(),
            "It works once, for an hour. All of the person's sessions end."
        )?;
        Ok(Exit::Ok)
    }
}
