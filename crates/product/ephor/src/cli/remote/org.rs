//! `ephor org`

use clap::Subcommand;
use reqwest::Method;
use serde_json::Value;

use super::{super::block_on, Remote, client::Client, output};
use crate::exit::Exit;

/// Look at the organizations that you belong to.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  ephor org list
  ephor org show --json

A key belongs to one organization: `ephor login --organization SLUG` goes to another.")]
pub enum Command {
    /// List the organizations that you belong to
    List {
        #[command(flatten)]
        remote: Remote,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the organization that the key is for, and what it may do there
    Show {
        #[command(flatten)]
        remote: Remote,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl Command {
    pub fn run(self) -> anyhow::Result<Exit> {
        block_on(async move {
            let (remote, json, all) = match self {
                Self::List { remote, json } => (remote, json, true),
                Self::Show { remote, json } => (remote, json, false),
            };
            let client = Client::new(&remote)?;
            let me: Value =
                client.send(client.request(Method::GET, "/v1/me")?).await?.json().await?;
            let mine = me["organizations"].as_array().cloned().unwrap_or_default();
            if all {
                output::rows(&mine, json, &["slug", "name", "kind", "role_name", "id"])?;
                return Ok(Exit::Ok);
            }
            let here = mine.into_iter().find(|it| it["id"] == me["organization_id"]);
            let mut here = here.unwrap_or_default();
            here["permissions"] = me["permissions"].clone();
            output::row(&here, json)?;
            Ok(Exit::Ok)
        })
    }
}
