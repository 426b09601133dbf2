//! `ephor admin organization`

use std::io::Write as _;

use clap::Subcommand;
use ephor_kernel::OrganizationId;
use ephor_store::{
    Store,
    platform::{
        OrganizationChange, OrganizationSize, organization_list, organization_set, tier_list,
    },
};

use super::{super::ask::agreed, Change, facts, json, moment, word};
use crate::{
    cli::printed,
    exit::{Exit, UsageError},
};

/// Organizations: list, show, suspend, reactivate, limit.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  ephor admin organization list --json
  ephor admin organization show analytical-engines
  ephor admin organization suspend analytical-engines --reason 'unpaid since May' --yes
  ephor admin organization set analytical-engines --max-users 50 --monthly-cost-limit none")]
pub enum Command {
    /// List all organizations with how much they keep
    #[command(after_help = "\
Examples:
  ephor admin organization list
  ephor admin organization list --json")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one
    #[command(after_help = "\
Example:
  ephor admin organization show analytical-engines")]
    Show {
        /// Its id, or its name in addresses
        organization: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Suspend one: nobody logs in to it, and its keys are refused; nothing is lost
    #[command(after_help = "\
Example:
  ephor admin organization suspend analytical-engines --reason 'unpaid since May' --yes")]
    Suspend {
        /// Its id, or its name in addresses
        organization: String,
        #[command(flatten)]
        change: Change,
    },
    /// Let a suspended one work again
    #[command(after_help = "\
Example:
  ephor admin organization reactivate analytical-engines --reason 'paid' --yes")]
    Reactivate {
        /// Its id, or its name in addresses
        organization: String,
        #[command(flatten)]
        change: Change,
    },
    /// Set its tier and limits; `none` takes one away
    Set(Set),
}

/// Set its tier and limits.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor admin organization set analytical-engines --tier Professional
  ephor admin organization set analytical-engines --max-users 50 --max-assistants 10
  ephor admin organization set analytical-engines --monthly-cost-limit none --yes

What each tier includes: docs/billing.md.")]
pub struct Set {
    /// Its id, or its name in addresses
    organization: String,
    /// The tier, by its name; none for the free one
    #[arg(long, value_name = "NAME")]
    tier: Option<String>,
    /// How many members it may have
    #[arg(long, value_name = "COUNT")]
    max_users: Option<String>,
    /// How many AI assistants it may have
    #[arg(long, value_name = "COUNT")]
    max_assistants: Option<String>,
    /// What its AI may cost in a month, in US dollars
    #[arg(long, value_name = "AMOUNT")]
    monthly_cost_limit: Option<String>,
    #[command(flatten)]
    change: Change,
}

impl Command {
    pub(super) async fn act(self, store: &Store) -> anyhow::Result<Exit> {
        match self {
            Self::List { json } => list(store, json).await,
            Self::Show { organization, json } => show(&found(store, &organization).await?, json),
            Self::Suspend { organization, change } => {
                let one = found(store, &organization).await?;
                let question = format!(
                    "Suspend “{}”? Its {} members can no longer log in to it.",
                    printed::safe(&one.name),
                    one.members
                );
                let active = OrganizationChange { is_active: Some(false), ..Default::default() };
                apply(store, &one, active, &question, &change).await
            }
            Self::Reactivate { organization, change } => {
                let one = found(store, &organization).await?;
                let question = format!("Let “{}” work again?", printed::safe(&one.name));
                let active = OrganizationChange { is_active: Some(true), ..Default::default() };
                apply(store, &one, active, &question, &change).await
            }
            Self::Set(set) => {
                let one = found(store, &set.organization).await?;
                let asked = set.asked(store).await?;
                if asked.is_empty() {
                    return Err(UsageError(
                        "nothing is to be set; --tier, --max-users, --max-assistants or --monthly-cost-limit say what".into(),
                    )
                    .into());
                }
                let question = format!("Change the limits of “{}”?", printed::safe(&one.name));
                apply(store, &one, asked, &question, &set.change).await
            }
        }
    }
}

/// A limit: a number of at least `least`, or `none`.
#[allow(clippy::option_option, reason = "not given, none, and a limit are three things")]
fn limit(name: &str, text: Option<&str>, least: i32) -> Result<Option<Option<i32>>, UsageError> {
    match text {
        None => Ok(None),
        Some("none") => Ok(Some(None)),
        Some(text) => match text.parse() {
            Ok(limit) if limit >= least => Ok(Some(Some(limit))),
            _ => Err(UsageError(format!(
                "--{name} is {least} or more, or none; `{text}` is neither"
            ))),
        },
    }
}

/// An amount in US dollars, or `none`.
#[allow(clippy::option_option, reason = "not given, none, and a limit are three things")]
fn amount(text: Option<&str>) -> Result<Option<Option<String>>, UsageError> {
    let decimal = |text: &str| {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str, most| {
            !text.is_empty() && text.len() <= most && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        digits(whole, 9) && digits(part, 10)
    };
    match text {
        None => Ok(None),
        Some("none") => Ok(Some(None)),
        Some(text) if decimal(text) => Ok(Some(Some(text.to_owned()))),
        Some(text) => Err(UsageError(format!(
            "--monthly-cost-limit is an amount in US dollars such as 1500.00, or none; `{text}` is neither"
        ))),
    }
}

impl Set {
    async fn asked(&self, store: &Store) -> anyhow::Result<OrganizationChange> {
        let tier = match self.tier.as_deref() {
            None => None,
            Some("none") => Some(None),
            Some(name) => {
                let tiers = tier_list(store).await?;
                let tier = tiers.iter().find(|tier| tier.name.eq_ignore_ascii_case(name));
                let names: Vec<&str> = tiers.iter().map(|tier| tier.name.as_str()).collect();
                let tier = tier.ok_or_else(|| {
                    UsageError(format!(
                        "there is no tier `{name}`; there are: {}",
                        names.join(", ")
                    ))
                })?;
                Some(Some(tier.id))
            }
        };
        Ok(OrganizationChange {
            is_active: None,
            tier,
            max_users: limit("max-users", self.max_users.as_deref(), 1)?,
            max_assistants: limit("max-assistants", self.max_assistants.as_deref(), 0)?,
            monthly_cost_limit: amount(self.monthly_cost_limit.as_deref())?,
        })
    }
}

/// Its state, in a word.
fn state(one: &OrganizationSize) -> &'static str {
    if one.is_active { "active" } else { "suspended" }
}

/// The organization that is meant.
async fn found(store: &Store, which: &str) -> anyhow::Result<OrganizationSize> {
    let all = match which.parse::<OrganizationId>() {
        Ok(id) => organization_list(store, Some(id)).await?,
        Err(_) => organization_list(store, None)
            .await?
            .into_iter()
            .filter(|one| one.slug == which)
            .collect(),
    };
    all.into_iter().next().ok_or_else(|| {
        UsageError(format!(
            "there is no organization `{which}`; `ephor admin organization list` shows their ids and names in addresses"
        ))
        .into()
    })
}

async fn list(store: &Store, as_json: bool) -> anyhow::Result<Exit> {
    let all = organization_list(store, None).await?;
    if as_json {
        return json(&all);
    }
    let mut out = std::io::stdout().lock();
    if all.is_empty() {
        writeln!(out, "There are none.")?;
        return Ok(Exit::Ok);
    }
    let rows = all.iter().map(|one| {
        vec![
            one.slug.clone(),
            one.name.clone(),
            state(one).to_owned(),
            one.tier.clone().unwrap_or_else(|| "free".to_owned()),
            one.members.to_string(),
            one.models.to_string(),
            printed::bytes(one.dataset_bytes),
            one.audit_entries.to_string(),
        ]
    });
    let heads = [
        "in addresses",
        "name",
        "state",
        "tier",
        "members",
        "models",
        "data sets",
        "audit entries",
    ];
    printed::table(&mut out, &heads, rows)?;
    Ok(Exit::Ok)
}

fn show(one: &OrganizationSize, as_json: bool) -> anyhow::Result<Exit> {
    if as_json {
        return json(one);
    }
    let limit =
        |limit: Option<i32>| limit.map_or_else(|| "no limit".into(), |most| most.to_string());
    facts(&[
        ("id", one.id.to_string()),
        ("name", one.name.clone()),
        ("in addresses", one.slug.clone()),
        ("kind", one.kind.clone()),
        ("state", state(one).to_owned()),
        ("tier", one.tier.clone().unwrap_or_else(|| "free".to_owned())),
        ("members", format!("{} of {}", one.members, limit(one.max_users))),
        ("most assistants", limit(one.max_assistants)),
        (
            "monthly cost limit",
            one.monthly_cost_limit
                .clone()
                .map_or_else(|| "no limit".into(), |most| format!("USD {most}")),
        ),
        ("models", one.models.to_string()),
        ("data sets", format!("{}, {}", one.datasets, printed::bytes(one.dataset_bytes))),
        ("audit entries", one.audit_entries.to_string()),
        ("last sealed", moment(one.last_entry_at)),
        ("made", moment(Some(one.created_at))),
        ("a subsidiary", word(one.parent_id.is_some()).to_owned()),
    ])?;
    Ok(Exit::Ok)
}

async fn apply(
    store: &Store,
    one: &OrganizationSize,
    asked: OrganizationChange,
    question: &str,
    change: &Change,
) -> anyhow::Result<Exit> {
    if !agreed(question, change.yes)? {
        return Ok(Exit::Finding);
    }
    let id = OrganizationId::from(one.id);
    if !organization_set(store, id, asked, &change.reason()).await? {
        return Err(UsageError("the organization is gone by now".into()).into());
    }
    let now = found(store, &id.to_string()).await?;
    show(&now, change.json)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_numbers_or_none() {
        assert_eq!(limit("max-users", Some("5"), 1).unwrap(), Some(Some(5)));
        assert_eq!(limit("max-users", Some("none"), 1).unwrap(), Some(None));
        assert_eq!(limit("max-users", None, 1).unwrap(), None);
        assert!(limit("max-users", Some("0"), 1).is_err());
        assert_eq!(amount(Some("1500.50")).unwrap(), Some(Some("1500.50".into())));
        assert!(
            amount(Some("-1")).is_err()
                && amount(Some("1e9")).is_err()
                && amount(Some("1.")).is_err()
        );
    }
}
