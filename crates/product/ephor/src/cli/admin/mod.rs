//! `ephor admin`: what who runs the installation may do, on its own machine.

mod erasure;
mod organization;
mod password_link;
mod user;

use std::io::Write as _;

use clap::Subcommand;
use ephor_store::Store;
use serde::Serialize;

use super::{Settings, block_on};
use crate::{config::Config, exit::Exit, server::Database};

/// Run the installation: organizations and people, whoever they belong to.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  ephor admin organization list
  ephor admin organization suspend analytical-engines --reason 'unpaid since May'
  ephor admin organization set analytical-engines --max-users 50 --tier Professional
  ephor admin user list lovelace --json
  ephor admin user disable ada@example.org --yes
  ephor admin user end-sessions ada@example.org
  ephor admin user remove-second-factor ada@example.org
  ephor admin password-link ada@example.org
  ephor admin erasure list

On the server's machine, beside a running server or alone, with the database's own log-in: no password
is asked. Each change is told in the audit trail of the platform, and of the organization that it
concerns; `ephor audit export 00000000-0000-7000-8000-000000000000` writes the former. docs/operations.md tells more.")]
pub enum Command {
    /// Organizations: list, show, suspend, reactivate, limit
    #[command(subcommand)]
    Organization(organization::Command),
    /// People: list, show, disable, enable, end their sessions, take away a lost second factor, let them run the platform
    #[command(subcommand)]
    User(user::Command),
    /// Erasures that people asked for and that are not done: list, try again
    #[command(subcommand)]
    Erasure(erasure::Command),
    /// Print a link with which somebody sets a new password, to hand over
    PasswordLink(password_link::Args),
}

/// What every change takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Change {
    /// Why; the audit trail keeps it
    #[arg(long, default_value = "not given")]
    reason: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Change {
    fn reason(&self) -> String {
        format!("ephor admin: {}", self.reason)
    }
}

impl Command {
    pub fn run(self, settings: &Settings) -> anyhow::Result<Exit> {
        let config = settings.load(&[])?;
        let data = settings.data_dir(&config);
        block_on(async {
            let database = Database::open_or_join(&config, &data).await?;
            let outcome = match database.connect().await {
                Ok(store) => {
                    let outcome = self.act(&config, &store).await;
                    store.close().await;
                    outcome
                }
                Err(error) => Err(error),
            };
            database.stop().await?;
            outcome
        })
    }

    async fn act(self, config: &Config, store: &Store) -> anyhow::Result<Exit> {
        match self {
            Self::Organization(command) => command.act(store).await,
            Self::User(command) => command.act(store).await,
            Self::Erasure(command) => command.act(config, store).await,
            Self::PasswordLink(args) => args.act(config, store).await,
        }
    }
}

/// Prints JSON.
fn json(value: &impl Serialize) -> anyhow::Result<Exit> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)?;
    Ok(Exit::Ok)
}

/// Prints names and values, a line for each.
fn facts(facts: &[(&str, String)]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for (name, value) in facts {
        writeln!(out, "{name:20} {}", super::printed::safe(value))?;
    }
    Ok(())
}

/// Yes or no.
const fn word(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

/// A moment as people read it.
fn moment(time: Option<chrono::DateTime<chrono::Utc>>) -> String {
    time.map_or_else(|| "never".to_owned(), |time| time.format("%Y-%m-%d %H:%M UTC").to_string())
}
