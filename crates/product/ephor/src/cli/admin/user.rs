//! `ephor admin user`

use std::io::Write as _;

use clap::Subcommand;
use ephor_kernel::UserId;
use ephor_store::{
    Store,
    platform::{Person, user_list, user_second_factor_remove, user_sessions_end, user_set},
};
use serde_json::json as object;

use super::{super::ask::agreed, Change, facts, json, moment, word};
use crate::{
    cli::printed,
    exit::{Exit, UsageError},
};

/// People: list, show, disable, enable, end their sessions, take away a lost second factor, let them run the platform.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  ephor admin user list
  ephor admin user show ada@example.org --json
  ephor admin user disable ada@example.org --reason 'left the company'
  ephor admin user end-sessions ada@example.org --yes
  ephor admin user remove-second-factor ada@example.org --reason 'lost her phone; called back, knew her contract'
  ephor admin user grant ada@example.org              may see the pages Health and Partitions of all")]
pub enum Command {
    /// List people, by a part of their name or address
    #[command(after_help = "\
Examples:
  ephor admin user list
  ephor admin user list lovelace --limit 10 --json")]
    List {
        /// A part of the name or address
        words: Option<String>,
        /// How many
        #[arg(long, default_value_t = 100)]
        limit: i32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one
    #[command(after_help = "\
Example:
  ephor admin user show ada@example.org --json")]
    Show {
        /// E-mail address or id
        user: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Disable one: they are logged out, and log in no more
    #[command(after_help = "\
Example:
  ephor admin user disable ada@example.org --reason 'left the company'")]
    Disable {
        /// E-mail address or id
        user: String,
        #[command(flatten)]
        change: Change,
    },
    /// Let a disabled one log in again
    #[command(after_help = "\
Example:
  ephor admin user enable ada@example.org --reason 'is back'")]
    Enable {
        /// E-mail address or id
        user: String,
        #[command(flatten)]
        change: Change,
    },
    /// End all of somebody's sessions; they may log in again
    #[command(after_help = "\
Example:
  ephor admin user end-sessions ada@example.org --yes")]
    EndSessions {
        /// E-mail address or id
        user: String,
        #[command(flatten)]
        change: Change,
    },
    /// Take away somebody's second factor, which they lost with its recovery codes; their sessions end
    #[command(after_help = "\
Example:
  ephor admin user remove-second-factor ada@example.org --reason 'lost her phone; called back, knew her contract'")]
    RemoveSecondFactor {
        /// E-mail address or id
        user: String,
        #[command(flatten)]
        change: Change,
    },
    /// Make somebody an administrator of the platform
    #[command(after_help = "\
Example:
  ephor admin user grant ada@example.org --reason 'on call'")]
    Grant {
        /// E-mail address or id
        user: String,
        #[command(flatten)]
        change: Change,
    },
    /// Take that back
    #[command(after_help = "\
Example:
  ephor admin user revoke ada@example.org --reason 'no longer on call'")]
    Revoke {
        /// E-mail address or id
        user: String,
        #[command(flatten)]
        change: Change,
    },
}

impl Command {
    pub(super) async fn act(self, store: &Store) -> anyhow::Result<Exit> {
        let (user, change, active, superuser, question) = match self {
            Self::List { words, limit, json } => {
                return list(store, words.as_deref(), limit, json).await;
            }
            Self::Show { user, json } => return show(&found(store, &user).await?, json),
            Self::EndSessions { user, change } => return end(store, &user, &change).await,
            Self::RemoveSecondFactor { user, change } => {
                return remove_second_factor(store, &user, &change).await;
            }
            Self::Disable { user, change } => (user, change, Some(false), None, "Disable"),
            Self::Enable { user, change } => (user, change, Some(true), None, "Enable"),
            Self::Grant { user, change } => {
                (user, change, None, Some(true), "Let run the whole installation:")
            }
            Self::Revoke { user, change } => {
                (user, change, None, Some(false), "Let run the installation no longer:")
            }
        };
        let one = found(store, &user).await?;
        if !agreed(&format!("{question} {}?", printed::safe(&one.email)), change.yes)? {
            return Ok(Exit::Finding);
        }
        let id = UserId::from(one.id);
        let set = user_set(store, id, active, superuser, &change.reason()).await?;
        if !set.changed {
            return Err(UsageError("the account is gone by now".into()).into());
        }
        let now = found(store, &id.to_string()).await?;
        if !change.json && set.ended > 0 {
            writeln!(std::io::stdout(), "{} sessions ended.", set.ended)?;
        }
        show(&now, change.json)
    }
}

/// The person who is meant.
async fn found(store: &Store, which: &str) -> anyhow::Result<Person> {
    let all = if let Ok(id) = which.parse::<UserId>() {
        user_list(store, None, Some(id), 1).await?
    } else {
        let address = which.to_lowercase();
        let near = user_list(store, Some(&address), None, 1000).await?;
        near.into_iter().filter(|person| person.email == address).collect()
    };
    all.into_iter().next().ok_or_else(|| {
        UsageError(format!("there is nobody `{which}`; `ephor admin user list` finds people by a part of their name"))
            .into()
    })
}

async fn list(
    store: &Store,
    words: Option<&str>,
    limit: i32,
    as_json: bool,
) -> anyhow::Result<Exit> {
    if limit < 1 {
        return Err(UsageError("--limit is 1 or more".into()).into());
    }
    let all = user_list(store, words, None, limit).await?;
    if as_json {
        return json(&all);
    }
    let mut out = std::io::stdout().lock();
    if all.is_empty() {
        writeln!(out, "There are none.")?;
        return Ok(Exit::Ok);
    }
    let rows = all.iter().map(|person| {
        vec![
            person.email.clone(),
            person.full_name.clone(),
            state(person).to_owned(),
            person.organizations.join(", "),
            person.sessions.to_string(),
            moment(person.last_login_at),
        ]
    });
    let heads = ["e-mail", "name", "state", "organizations", "sessions", "last log-in"];
    printed::table(&mut out, &heads, rows)?;
    Ok(Exit::Ok)
}

/// Their state, in a word.
fn state(person: &Person) -> &'static str {
    match (person.is_active, person.is_superuser) {
        (false, _) => "disabled",
        (true, true) => "runs the platform",
        (true, false) => "active",
    }
}

fn show(person: &Person, as_json: bool) -> anyhow::Result<Exit> {
    if as_json {
        return json(person);
    }
    facts(&[
        ("id", person.id.to_string()),
        ("e-mail", person.email.clone()),
        ("name", person.full_name.clone()),
        ("may log in", word(person.is_active).to_owned()),
        ("runs the platform", word(person.is_superuser).to_owned()),
        ("organizations", person.organizations.join(", ")),
        ("open sessions", person.sessions.to_string()),
        ("last log-in", moment(person.last_login_at)),
        ("made", moment(Some(person.created_at))),
    ])?;
    Ok(Exit::Ok)
}

async fn end(store: &Store, user: &str, change: &Change) -> anyhow::Result<Exit> {
    let one = found(store, user).await?;
    let question = format!("End all {} sessions of {}?", one.sessions, printed::safe(&one.email));
    if !agreed(&question, change.yes)? {
        return Ok(Exit::Finding);
    }
    let ended = user_sessions_end(store, UserId::from(one.id), &change.reason()).await?;
    if change.json {
        return json(&object!({ "id": one.id, "ended": ended }));
    }
    writeln!(std::io::stdout(), "{ended} sessions ended.")?;
    Ok(Exit::Ok)
}

async fn remove_second_factor(store: &Store, user: &str, change: &Change) -> anyhow::Result<Exit> {
    let one = found(store, user).await?;
    let question = format!(
        "Take away the second factor of {}? The password alone lets them in then, so be sure that it is they who ask; all of their sessions end.",
        printed::safe(&one.email)
    );
    if !agreed(&question, change.yes)? {
        return Ok(Exit::Finding);
    }
    let done = user_second_factor_remove(store, UserId::from(one.id), &change.reason()).await?;
    if !done.removed {
        return Err(UsageError(format!("{} has no second factor", one.email)).into());
    }
    if change.json {
        return json(&object!({ "id": one.id, "removed": true, "ended": done.ended }));
    }
    writeln!(
        std::io::stdout(),
        "The second factor is gone, and {} sessions ended. The next log-in asks for the password alone.",
        done.ended
    )?;
    Ok(Exit::Ok)
}
