//! `ephor resource list`

use std::io::Write as _;

use anyhow::Context as _;
use clap::ValueEnum;
use futures::StreamExt as _;
use reqwest::header;
use serde_json::Value;

use super::{Remote, client::Client, kinds::path, org::reach, output};
use crate::exit::UsageError;

/// Rows of a page at most.
const MOST: usize = 500;

/// List rows.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor resource list models status=eq.active --sort=-created_at
  ephor resource list models -q credit --fields id,name,status
  ephor resource list models/01930b2e-…/versions
  ephor resource list risk_items 'severity=in.(high,critical)' --all --format csv > risks.csv
  ephor resource list models --organizations all

Filters, operators and orders are those of the API: docs/api.md, or /docs on the server.")]
pub struct List {
    #[command(flatten)]
    pub(super) remote: Remote,
    /// The kind, a name that `ephor resource types` lists; or what lies below a row: models/ID/versions
    #[arg(value_name = "TYPE")]
    pub(super) kind: String,
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
    /// From a holding: all, or the slugs or ids of organizations that it reads, separated by commas
    #[arg(long, value_name = "all|SLUG,…")]
    organizations: Option<String>,
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

impl List {
    pub(super) async fn act(self, client: &Client) -> anyhow::Result<()> {
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
        if let Some(organizations) = &self.organizations {
            query.push(("organizations".to_owned(), reach(client, organizations).await?));
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
        // Where rows are so long that a page ends before its limit, no more are asked for than it held: the
        // server would make them in vain.
        let mut step = MOST;
        loop {
            let left = if self.all { step } else { (self.limit as usize - rows.len()).min(step) };
            let before = rows.len();
            let mut query = query.to_vec();
            query.push(("limit".to_owned(), left.to_string()));
            query.extend(cursor.map(|cursor| ("cursor".to_owned(), cursor)));
            let mut page: Value = client.send(client.query(path, &query)?).await?.json().await?;
            match page["data"].take() {
                Value::Array(data) => rows.extend(data),
                _ => {
                    return Err(UsageError(format!("`{}` is no list", self.kind)).into());
                }
            }
            let given = rows.len() - before;
            step = if given < left { given.max(1) } else { (2 * step).min(MOST) };
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
pub(super) fn columns(rows: &[Value]) -> Vec<&str> {
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
