//! `ephor resource`: everything that the API stores, by the same words.

use std::io::Write as _;

use clap::Subcommand;
use reqwest::{Method, header};
use serde_json::{Value, json};

use super::{
    super::{
        ask::{agreed, can_ask},
        block_on,
    },
    Remote,
    act::{Act, actions, etag},
    client::Client,
    content::Content,
    document::Document,
    history,
    input::Fields,
    kinds::{kinds, of_kind, path, types},
    list::{List, columns},
    offer, output,
    upload::Upload,
};
use crate::exit::{Exit, UsageError};

/// List, read, create, change and delete what a server keeps.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  ephor resource types                                     what there is, and what may be done with it
  ephor resource list models status=eq.active --sort=-created_at
  ephor resource list risk_items --all --format csv > risks.csv
  ephor resource get models 01930b2e-7c1a-7def-8000-1b2c3d4e5f60 --json
  ephor resource create models name='Credit risk' model_type=classification metadata:='{\"team\":\"risk\"}'
  ephor resource update models 01930b2e-… description='For retail customers'
  ephor resource delete models 01930b2e-… --yes
  ephor resource audit models 01930b2e-…                   who changed it, when, from what to what
  ephor resource list models/01930b2e-…/versions           what lies below a row
  ephor resource actions monitoring_alerts                 what may be done with a row beside changing it
  ephor resource act monitoring_alerts 01930b2e-… close reason='The model was replaced.'
  ephor resource upload datasets loans.csv --set name=Loans
  ephor resource content bias_analyses 01930b2e-… report --set format=pdf --out report.pdf
  ephor resource list builtin_copies offer_status=eq.open  beside what newer versions of Ephor wait
  ephor resource offer controls 01930b2e-…                 what the newer version would change
  ephor resource accept-offer controls 01930b2e-…          take it; decline-offer keeps what is here

Filters, operators and orders are those of the API: docs/api.md, or /docs on the server.")]
pub enum Command {
    /// List the kinds of things, and what may be done with each
    #[command(after_help = "\
Examples:
  ephor resource types
  ephor resource types --json")]
    Types {
        #[command(flatten)]
        remote: Remote,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List rows
    List(List),
    /// Show one row
    #[command(after_help = "\
Examples:
  ephor resource get models 01930b2e-…
  ephor resource get models 01930b2e-… --include versions --json")]
    Get {
        #[command(flatten)]
        of: Of,
        /// Its id
        id: String,
        /// Related rows to show in place
        #[arg(long, value_name = "NAMES")]
        include: Option<String>,
    },
    /// Create a row, or several from a JSON array
    #[command(after_help = "\
Examples:
  ephor resource create models name='Credit risk' model_type=classification
  ephor resource create models name=Credit model_type=classification metadata:='{\"team\":\"risk\"}'
  ephor resource create risk_items --body @risks.json --json")]
    Create {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        fields: Fields,
    },
    /// Change a row; null empties a field
    #[command(after_help = "\
Examples:
  ephor resource update models 01930b2e-… description='For retail customers'
  ephor resource update models 01930b2e-… description:=null
  ephor resource update risk_items 01930b2e-… impact=high --if-match 3")]
    Update {
        #[command(flatten)]
        of: Of,
        /// Its id
        id: String,
        #[command(flatten)]
        fields: Fields,
        /// Only if the row still has this etag; without it, the version that there is now
        #[arg(long, value_name = "ETAG")]
        if_match: Option<String>,
    },
    /// Show what was done to a row: who changed what, when, and whether that is sealed
    #[command(after_help = "\
Examples:
  ephor resource audit models 01930b2e-…
  ephor resource audit models 01930b2e-… --limit 500 --json")]
    Audit {
        #[command(flatten)]
        of: Of,
        /// Its id
        id: String,
        /// How many entries, the newest first
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
        limit: u16,
    },
    /// Show what a newer version of Ephor would change in a row that was changed here
    #[command(after_help = "\
Examples:
  ephor resource list builtin_copies offer_status=eq.open
  ephor resource offer controls 01930b2e-…")]
    Offer {
        #[command(flatten)]
        of: Of,
        /// Its id
        id: String,
    },
    /// Take the newer version: the row follows new versions again
    #[command(after_help = "\
Example:
  ephor resource accept-offer controls 01930b2e-… --yes")]
    AcceptOffer {
        #[command(flatten)]
        of: Of,
        /// Its id
        id: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Keep the row as it is; the version after the one that waits is offered again
    #[command(after_help = "\
Example:
  ephor resource decline-offer controls 01930b2e-…")]
    DeclineOffer {
        #[command(flatten)]
        of: Of,
        /// Its id
        id: String,
    },
    /// List what may be done with rows of a kind beside changing them, and what each step takes
    #[command(after_help = "\
Examples:
  ephor resource actions monitoring_alerts
  ephor resource actions models --json")]
    Actions {
        #[command(flatten)]
        of: Of,
    },
    /// Do one of these: run, cancel, publish, acknowledge, …
    Act(Act),
    /// Send a file: a data set, the file of a model's version, …
    Upload(Upload),
    /// Download what lies below a row: its file, a report, a result, …
    Content(Content),
    /// Delete a row
    #[command(after_help = "\
Examples:
  ephor resource delete models 01930b2e-…
  ephor resource delete models 01930b2e-… --yes --json")]
    Delete {
        #[command(flatten)]
        of: Of,
        /// Its id
        id: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// Which kind of thing, where, and how it is printed.
#[derive(Debug, clap::Args)]
pub struct Of {
    #[command(flatten)]
    pub(super) remote: Remote,
    /// The kind: a name that `ephor resource types` lists
    #[arg(value_name = "TYPE")]
    pub(super) kind: String,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl Command {
    pub fn run(self) -> anyhow::Result<Exit> {
        block_on(async move {
            let (remote, kind) = match &self {
                Self::Types { remote, .. } => {
                    let client = Client::new(remote)?;
                    return self.act(&client).await;
                }
                Self::List(list) => (&list.remote, list.kind.clone()),
                Self::Act(act) => (&act.of.remote, act.of.kind.clone()),
                // What it is sent to is told with the places that there are.
                Self::Upload(upload) => {
                    let client = Client::new(&upload.of.remote)?;
                    return self.act(&client).await;
                }
                Self::Content(content) => (&content.remote, content.kind.clone()),
                Self::Get { of, .. }
                | Self::Create { of, .. }
                | Self::Update { of, .. }
                | Self::Audit { of, .. }
                | Self::Offer { of, .. }
                | Self::AcceptOffer { of, .. }
                | Self::DeclineOffer { of, .. }
                | Self::Actions { of }
                | Self::Delete { of, .. } => (&of.remote, of.kind.clone()),
            };
            let client = Client::new(remote)?;
            let outcome = self.act(&client).await;
            of_kind(&client, &kind, outcome).await
        })
    }

    async fn act(self, client: &Client) -> anyhow::Result<Exit> {
        match self {
            Self::Types { json, .. } => types(client, json).await?,
            Self::List(list) => list.act(client).await?,
            Self::Actions { of } => actions(client, &of).await?,
            Self::Act(act) => act.act(client).await?,
            Self::Upload(upload) => upload.act(client).await?,
            Self::Content(content) => content.act(client).await?,
            Self::Get { of, id, include } => {
                let related: Vec<_> =
                    include.into_iter().map(|names| ("include".to_owned(), names)).collect();
                let request = client.query(&path(&of.kind, Some(&id))?, &related)?;
                output::row(&client.send(request).await?.json().await?, of.json)?;
            }
            Self::Create { of, fields } => {
                let request = client.request(Method::POST, &path(&of.kind, None)?)?;
                let made: Value = client.send(request.json(&fields.read()?)).await?.json().await?;
                match made["data"].as_array() {
                    Some(rows) => output::rows(rows, of.json, &columns(rows))?,
                    None => output::row(&made, of.json)?,
                }
            }
            Self::Update { of, id, fields, if_match } => {
                update(client, &of, &id, &fields.read()?, if_match).await?;
            }
            Self::Audit { of, id, limit } => {
                // The trail knows things by their ids alone: so the kind is looked at here.
                path(&of.kind, Some(&id))?;
                if !kinds(&Document::of(client).await?).contains_key(&of.kind) {
                    return Err(UsageError(format!("there is no `{}`", of.kind)).into());
                }
                history::show(client, &id, limit, of.json).await?;
            }
            Self::Offer { of, id } => {
                offer::show(client, &path(&of.kind, Some(&id))?, of.json).await?;
            }
            Self::AcceptOffer { of, id, yes } => {
                return offer::accept(client, &path(&of.kind, Some(&id))?, yes, of.json).await;
            }
            Self::DeclineOffer { of, id } => {
                offer::decline(client, &path(&of.kind, Some(&id))?, of.json).await?;
            }
            Self::Delete { of, id, yes } => return delete(client, &of, &id, yes).await,
        }
        Ok(Exit::Ok)
    }
}

async fn update(
    client: &Client,
    of: &Of,
    id: &str,
    change: &Value,
    if_match: Option<String>,
) -> anyhow::Result<()> {
    let path = path(&of.kind, Some(id))?;
    let etag = match if_match {
        Some(etag) => Some(etag),
        None => etag(client, &path).await?,
    };
    let mut request = client
        .request(Method::PATCH, &path)?
        .header(header::CONTENT_TYPE, "application/merge-patch+json")
        .body(change.to_string());
    if let Some(etag) = etag {
        request = request.header(header::IF_MATCH, etag);
    }
    output::row(&client.send(request).await?.json().await?, of.json)
}

async fn delete(client: &Client, of: &Of, id: &str, yes: bool) -> anyhow::Result<Exit> {
    let path = path(&of.kind, Some(id))?;
    if !yes {
        can_ask()?;
        let row: Value = client.send(client.request(Method::GET, &path)?).await?.json().await?;
        let name =
            ["name", "title", "email"].iter().find_map(|field| row[*field].as_str()).unwrap_or(id);
        if !agreed(&format!("Delete “{name}” for good?"), false)? {
            return Ok(Exit::Finding);
        }
    }
    client.send(client.request(Method::DELETE, &path)?).await?;
    if of.json {
        writeln!(std::io::stdout(), "{}", json!({ "deleted": id }))?;
    } else {
        writeln!(std::io::stdout(), "Deleted.")?;
    }
    Ok(Exit::Ok)
}
