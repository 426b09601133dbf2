//! `ephor admin`: what only whoever runs an Ephor may do.

use std::io::Write as _;

use clap::Subcommand;
use ephor_identity::Identity;
use ephor_kernel::SystemClock;
use secrecy::ExposeSecret as _;

use super::{Settings, block_on};
use crate::{config::Config, exit::Exit, server::Database};

/// What is administered.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print a link with which somebody sets a new password, to hand over
    PasswordLink {
        /// The address of the account
        email: String,
    },
}

impl Command {
    pub fn run(self, settings: &Settings) -> anyhow::Result<Exit> {
        let config = settings.load(&[])?;
        let data = settings.data_dir(&config);
        let Self::PasswordLink { email } = self;
        let link = block_on(async {
            let database = if config.database.url.expose_secret().is_empty() {
                Database::join_or_open(&config, &data).await?
            } else {
                Database::open(&config, &data).await?
            };
            let link = password_link(&config, &database, &email).await;
            database.stop().await?;
            link
        })?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{link}")?;
        writeln!(
            std::io::stderr(),
            "It works once, for an hour. All of the person's sessions end."
        )?;
        Ok(Exit::Ok)
    }
}

async fn password_link(
    config: &Config,
    database: &Database,
    email: &str,
) -> anyhow::Result<String> {
    let store = database.connect().await?;
    let clock = std::sync::Arc::new(SystemClock);
    let identity = Identity::new(store.clone(), config.identity.clone(), clock)?;
    let link = identity.password_link(email).await;
    store.close().await;
    Ok(link?)
}
