//! `ephor resource`: everything that the API stores, by the same words.

use std::{collections::BTreeMap, io::Write as _};

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use futures::StreamExt as _;
use reqwest::{Method, header};
use serde_json::{Value, json};

use super::{
    super::{
        ask::{agreed, can_ask},
        block_on,
    },
    Remote,
    client::Client,
    history,
    input::Fields,
    offer, output,
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
  ephor resource list builtin_copies offer_status=eq.open  beside what newer versions of Ephor wait
  ephor resource offer controls 01930b2e-…                 what the newer version would change
  ephor resource accept-offer controls 01930b2e-…          take it; decline-offer keeps what is here

Filters, operators and orders are those of the API: docs/api.md, or /docs on the server.")]
pub enum Command {
    /// List the kinds of things, and what may be done with each
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
    Create {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        fields: Fields,
    },
    /// Change a row; null empties a field
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
    Offer {
        #[command(flatten)]
        of: Of,
        /// Its id
        id: String,
    },
    /// Take the newer version: the row follows new versions again
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
    DeclineOffer {
        #[command(flatten)]
        of: Of,
        /// Its id
        id: String,
    },
    /// Delete a row
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
    remote: Remote,
    /// The kind: a name that `ephor resource types` lists
    #[arg(value_name = "TYPE")]
    kind: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// List rows.
#[derive(Debug, clap::Args)]
pub struct List {
    #[command(flatten)]
    remote: Remote,
    /// The kind: a name that `ephor resource types` lists
    #[arg(value_name = "TYPE")]
    kind: String,
    /// Filters, as in the API: column=operator.value
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    /// Words that the text holds
    #[arg(long, short, value_name = "WORDS")]
    q: Option<String>,
    /// Columns to order by, `-` before one for descending
    #[arg(long, value_name = "COLUMNS", allow_hyphen_values = true)]
    sort: Option<String>,
    /// Columns to show
    #[arg(long, value_name = "COLUMNS")]
    fields: Option<String>,
    /// How many
    #[arg(long, default_value_t = 50, conflicts_with = "all")]
    limit: u32,
    /// All of them, page by page
    #[arg(long)]
    all: bool,
    /// How to print them
    #[arg(long, value_enum, default_value_t)]
    format: ListFormat,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// How lists are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    /// For people
    #[default]
    Table,
    /// One JSON array
    Json,
    /// One JSON object a line
    Ndjson,
    /// Comma-separated values
    Csv,
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
                Self::Get { of, .. }
                | Self::Create { of, .. }
                | Self::Update { of, .. }
                | Self::Audit { of, .. }
                | Self::Offer { of, .. }
                | Self::AcceptOffer { of, .. }
                | Self::DeclineOffer { of, .. }
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
                if !kinds(client).await?.contains_key(&of.kind) {
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
    let etag = if if_match.is_some() {
        if_match
    } else {
        let now = client.send(client.request(Method::GET, &path)?).await?;
        now.headers().get(header::ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned)
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

impl List {
    async fn act(self, client: &Client) -> anyhow::Result<()> {
        let path = path(&self.kind, None)?;
        let mut query = Vec::new();
        for filter in &self.filters {
            let pair = filter.split_once('=').ok_or_else(|| {
                UsageError(format!(
                    "`{filter}` is no filter; write column=operator.value, such as status=eq.active"
                ))
            })?;
            query.push((pair.0.to_owned(), pair.1.to_owned()));
        }
        for (name, value) in [("q", &self.q), ("sort", &self.sort), ("fields", &self.fields)] {
            query.extend(value.clone().map(|value| (name.to_owned(), value)));
        }
        let format = if self.json { ListFormat::Json } else { self.format };
        match format {
            ListFormat::Csv => self.export(client, &path, &query, "text/csv").await,
            ListFormat::Ndjson => self.export(client, &path, &query, "application/x-ndjson").await,
            ListFormat::Json | ListFormat::Table => {
                let (rows, more) = self.pages(client, &path, &query).await?;
                let chosen: Option<Vec<&str>> =
                    self.fields.as_deref().map(|fields| fields.split(',').collect());
                output::rows(
                    &rows,
                    format == ListFormat::Json,
                    &chosen.unwrap_or_else(|| columns(&rows)),
                )?;
                if more {
                    writeln!(std::io::stderr(), "There are more: --all shows them.")?;
                }
                Ok(())
            }
        }
    }

    /// The rows that are asked for, and whether more lie behind them.
    async fn pages(
        &self,
        client: &Client,
        path: &str,
        query: &[(String, String)],
    ) -> anyhow::Result<(Vec<Value>, bool)> {
        let mut rows = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let left = if self.all { 500 } else { (self.limit as usize - rows.len()).min(500) };
            let mut query = query.to_vec();
            query.push(("limit".to_owned(), left.to_string()));
            query.extend(cursor.map(|cursor| ("cursor".to_owned(), cursor)));
            let mut page: Value = client.send(client.query(path, &query)?).await?.json().await?;
            if let Value::Array(data) = page["data"].take() {
                rows.extend(data);
            }
            cursor = page["next"].as_str().map(str::to_owned);
            if cursor.is_none() || !self.all && rows.len() >= self.limit as usize {
                return Ok((rows, cursor.is_some()));
            }
        }
    }

    /// The server's own export, as it comes.
    async fn export(
        &self,
        client: &Client,
        path: &str,
        query: &[(String, String)],
        accept: &str,
    ) -> anyhow::Result<()> {
        let mut query = query.to_vec();
        if !self.all {
            query.push(("limit".to_owned(), self.limit.min(500).to_string()));
        }
        let request = client.query(path, &query)?.header(header::ACCEPT, accept);
        let response = client.send(request).await?;
        let more = response.headers().contains_key(header::LINK);
        let mut body = response.bytes_stream();
        let mut out = std::io::stdout().lock();
        while let Some(bytes) = body.next().await {
            out.write_all(&bytes.context("the export broke off; what came is not whole")?)?;
        }
        out.flush()?;
        if more {
            writeln!(
                std::io::stderr(),
                "There are more than one export holds; narrow it with filters."
            )?;
        }
        Ok(())
    }
}

/// What to show of rows when nobody said: what names and sorts them first, then what is short.
fn columns(rows: &[Value]) -> Vec<&str> {
    const FIRST: [&str; 8] =
        ["id", "name", "title", "status", "severity", "risk_level", "email", "code"];
    const NEVER: [&str; 5] =
        ["organization_id", "version", "updated_at", "created_by", "description"];
    const MOST: usize = 6;
    let Some(Value::Object(row)) = rows.first() else { return Vec::new() };
    let short = |column: &&str| {
        rows.iter().all(|row| {
            let value = &row[*column];
            !value.is_object()
                && !value.is_array()
                && value.as_str().is_none_or(|text| text.len() <= 40)
        })
    };
    let of_first = FIRST.into_iter().filter_map(|name| row.get_key_value(name));
    let mut chosen: Vec<&str> = of_first.map(|(name, _)| name.as_str()).collect();
    let others = row
        .keys()
        .map(String::as_str)
        .filter(|name| !FIRST.contains(name) && !NEVER.contains(name));
    let room = MOST.saturating_sub(chosen.len() + 1);
    chosen.extend(others.filter(|name| *name != "created_at").filter(short).take(room));
    chosen.extend(row.get_key_value("created_at").map(|(name, _)| name.as_str()));
    chosen
}

/// The path of a kind, or of one row of it. Both are one segment of a path, whatever was typed.
fn path(kind: &str, id: Option<&str>) -> anyhow::Result<String> {
    let is_segment = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    if !is_segment(kind) {
        return Err(UsageError(format!(
            "`{kind}` is no type; `ephor resource types` lists what there is"
        ))
        .into());
    }
    match id {
        None => Ok(format!("/v1/{kind}")),
        Some(id) if is_segment(id) => Ok(format!("/v1/{kind}/{id}")),
        Some(id) => Err(UsageError(format!("`{id}` is no id")).into()),
    }
}

/// What was refused because there is no such kind is told with the nearest that there is.
async fn of_kind<T>(client: &Client, kind: &str, outcome: anyhow::Result<T>) -> anyhow::Result<T> {
    let Err(refused) = outcome else { return outcome };
    // When even this can't be had, the first refusal says more.
    let Ok(kinds) = kinds(client).await else { return Err(refused) };
    if !refused.is::<UsageError>() || kinds.contains_key(kind) {
        return Err(refused);
    }
    let near = kinds
        .keys()
        .map(|known| (strsim::jaro_winkler(known, kind), known))
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .filter(|(likeness, _)| *likeness > 0.8);
    let hint = match near {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None => "`ephor resource types` lists what there is".to_owned(),
    };
    Err(UsageError(format!("there is no `{kind}`; {hint}")).into())
}

/// The kinds of things that the server describes, and what may be done with each.
async fn kinds(client: &Client) -> anyhow::Result<BTreeMap<String, Vec<&'static str>>> {
    let document: Value =
        client.send(client.request(Method::GET, "/openapi.json")?).await?.json().await?;
    let mut kinds = BTreeMap::<String, Vec<&'static str>>::new();
    let paths =
        document["paths"].as_object().context("the server describes nothing; is it an Ephor?")?;
    for (path, operations) in paths {
        let Some(rest) = path.strip_prefix("/v1/") else { continue };
        let (kind, one) = match rest.split_once('/') {
            None => (rest, false),
            Some((kind, "{id}")) => (kind, true),
            Some(_) => continue,
        };
        let verbs: &[(&str, &str)] = if one {
            &[("get", "get"), ("patch", "update"), ("delete", "delete")]
        } else {
            &[("get", "list"), ("post", "create")]
        };
        let may = verbs
            .iter()
            .filter(|(method, _)| !operations[*method].is_null())
            .map(|(_, verb)| *verb);
        kinds.entry(kind.to_owned()).or_default().extend(may);
    }
    // What cannot be listed is an action, not a kind.
    kinds.retain(|_, may| may.contains(&"list"));
    Ok(kinds)
}

async fn types(client: &Client, json: bool) -> anyhow::Result<()> {
    let rows: Vec<Value> = kinds(client)
        .await?
        .into_iter()
        .map(|(kind, actions)| json!({ "type": kind, "actions": actions }))
        .collect();
    output::rows(&rows, json, &["type", "actions"])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::columns;

    #[test]
    fn what_names_a_row_comes_first_and_what_is_long_stays_away() {
        let rows = [json!({
            "organization_id": "o", "id": "i", "name": "n", "metadata": {}, "text": "x".repeat(50),
            "kind": "k", "created_at": "2026-01-01", "version": 1,
        })];
        assert_eq!(columns(&rows), ["id", "name", "kind", "created_at"]);
        assert!(columns(&[]).is_empty());
    }
}
