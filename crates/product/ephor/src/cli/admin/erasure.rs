//! `ephor admin erasure`

use std::{io::Write as _, sync::Arc};

use clap::Subcommand;
use ephor_identity::Identity;
use ephor_kernel::{SystemClock, UserId};
use ephor_store::{
    Store,
    platform::{Erasure, erasure_list},
};
use serde_json::json as object;

use super::{super::ask::agreed, Change, json, moment};
use crate::{
    cli::printed,
    config::Config,
    exit::{Exit, UsageError},
};

/// Erasures: list those that people asked for and that are not done, try one again.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  ephor admin erasure list                    the exit code is 1 when one has failed
  ephor admin erasure retry ada@example.org --reason 'the disk was full'

Whoever asks to be erased has their account closed at once; a job erases the rest. These are the people of
whom it is not erased yet. Its reason tells what to put right before it is tried again.")]
pub enum Command {
    /// List people who asked to be erased and are not yet
    #[command(after_help = "\
Examples:
  ephor admin erasure list
  ephor admin erasure list --json")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Try again; a server or worker does it
    #[command(after_help = "\
Example:
  ephor admin erasure retry ada@example.org --reason 'the disk was full'")]
    Retry {
        /// E-mail address or id
        user: String,
        #[command(flatten)]
        change: Change,
    },
}

impl Command {
    pub(super) async fn act(self, config: &Config, store: &Store) -> anyhow::Result<Exit> {
        match self {
            Self::List { json } => list(store, json).await,
            Self::Retry { user, change } => retry(config, store, &user, &change).await,
        }
    }
}

async fn list(store: &Store, as_json: bool) -> anyhow::Result<Exit> {
    let all = erasure_list(store).await?;
    let outcome =
        if all.iter().any(|one| one.state == "failed") { Exit::Finding } else { Exit::Ok };
    if as_json {
        json(&all)?;
        return Ok(outcome);
    }
    let mut out = std::io::stdout().lock();
    if all.is_empty() {
        writeln!(out, "Everybody who asked to be erased is.")?;
        return Ok(outcome);
    }
    let rows = all.iter().map(|one| {
        vec![
            one.email.clone(),
            one.state.clone(),
            moment(Some(one.asked_at)),
            moment(one.ended_at),
            one.fault.clone().unwrap_or_default(),
        ]
    });
    printed::table(&mut out, &["e-mail", "state", "asked", "given up", "why"], rows)?;
    Ok(outcome)
}

/// The person who is meant, among those who are not erased.
async fn found(store: &Store, which: &str) -> anyhow::Result<Erasure> {
    let id = which.parse::<UserId>().ok().map(UserId::uuid);
    let address = which.to_lowercase();
    erasure_list(store)
        .await?
        .into_iter()
        .find(|one| Some(one.user_id) == id || one.email == address)
        .ok_or_else(|| {
            UsageError(format!(
                "`{which}` is nobody who asked to be erased and is not; `ephor admin erasure list` shows who is"
            ))
            .into()
        })
}

async fn retry(
    config: &Config,
    store: &Store,
    user: &str,
    change: &Change,
) -> anyhow::Result<Exit> {
    let one = found(store, user).await?;
    if !agreed(&format!("Erase {} for good?", printed::safe(&one.email)), change.yes)? {
        return Ok(Exit::Finding);
    }
    let identity = Identity::new(store.clone(), config.identity.clone(), Arc::new(SystemClock))?;
    let asked = identity.erasure_retry(one.user_id.into(), &change.reason()).await?;
    if !asked {
        return Err(UsageError("the person is erased by now".into()).into());
    }
    if change.json {
        return json(&object!({ "user_id": one.user_id, "state": "pending" }));
    }
    writeln!(
        std::io::stdout(),
        "It is asked for again; `ephor admin erasure list` shows whether it is done."
    )?;
    Ok(Exit::Ok)
}
