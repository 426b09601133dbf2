//! `ephor db status`

use std::{io::Write as _, path::Path};

use chrono::Utc;
use ephor_kernel::{Clock as _, SystemClock};
use ephor_store::{
    HealthRecord, Store, health_list, migrate,
    platform::{
        PartitionedTable, PlatformStatus, SlowQueries, TableSize, partition_list, platform_status,
        slow_queries, table_sizes,
    },
};
use serde::Serialize;

use super::super::{block_on, printed};
use crate::{config::Config, exit::Exit, server::Database};

/// Show migrations, sizes, partitions, parts and slow queries.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor db status
  ephor db status --json | jq .pending

Works beside a running server and changes nothing. The exit code is 1 when migrations are pending,
months are not made ahead, or rows lie in a default partition.")]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How many of the tables are shown to people, the largest first.
const TABLES: usize = 12;

#[derive(Debug, Serialize)]
struct Found {
    applied: Vec<migrate::Applied>,
    pending: Vec<String>,
    /// None while migrations are pending: the schema may not know how to tell.
    status: Option<PlatformStatus>,
    tables: Vec<TableSize>,
    partitions: Vec<PartitionedTable>,
    /// How each part of Ephor was when it was looked at last.
    parts: Vec<HealthRecord>,
    /// None while migrations are pending.
    slow_queries: Option<SlowQueries>,
}

impl Args {
    pub fn run(self, config: &Config, data: &Path) -> anyhow::Result<Exit> {
        let found = block_on(async {
            let database = Database::beside(config, data).await?;
            let found = match database.connect().await {
                Ok(store) => {
                    let found = look(&store).await;
                    store.close().await;
                    found
                }
                Err(error) => Err(error),
            };
            database.stop().await?;
            found
        })?;
        let mut out = std::io::stdout().lock();
        if self.json {
            serde_json::to_writer_pretty(&mut out, &found)?;
            writeln!(out)?;
        } else {
            found.print(&mut out)?;
        }
        Ok(if found.is_whole() { Exit::Ok } else { Exit::Finding })
    }
}

async fn look(store: &Store) -> anyhow::Result<Found> {
    let mut door = store.door().await?;
    let applied = migrate::applied(door.conn()).await?;
    let pending = migrate::missing(door.conn()).await?;
    drop(door);
    if !pending.is_empty() {
        let (tables, partitions, parts) = (Vec::new(), Vec::new(), Vec::new());
        let (status, slow_queries) = (None, None);
        return Ok(Found { applied, pending, status, tables, partitions, parts, slow_queries });
    }
    let today = SystemClock.now().with_timezone(&Utc).date_naive();
    Ok(Found {
        applied,
        pending,
        status: Some(platform_status(store).await?),
        tables: table_sizes(store).await?,
        partitions: partition_list(store, today).await?,
        parts: health_list(store).await?,
        slow_queries: Some(slow_queries(store).await?),
    })
}

impl Found {
    fn is_whole(&self) -> bool {
        let whole = |table: &PartitionedTable| table.ahead >= 1 && table.spilt == 0;
        self.pending.is_empty() && self.partitions.iter().all(whole)
    }

    fn print(&self, out: &mut impl std::io::Write) -> std::io::Result<()> {
        if let Some(status) = &self.status {
            let size = printed::bytes(status.database.bytes.cast_signed());
            writeln!(out, "PostgreSQL {}, {size}", status.database.version)?;
        }
        let last = self.applied.last().map_or("none", |last| last.name.as_str());
        writeln!(out, "migrations   {} applied, the last is {last}", self.applied.len())?;
        for pending in &self.pending {
            writeln!(out, "pending      {pending}")?;
        }
        if !self.pending.is_empty() {
            return writeln!(out, "`ephor db migrate` applies what is pending.");
        }
        writeln!(out)?;
        let tables = self.tables.iter().take(TABLES).map(|table| {
            vec![table.table.clone(), table.rows.to_string(), printed::bytes(table.bytes)]
        });
        printed::table(out, &["table", "rows, about", "size"], tables)?;
        writeln!(out)?;
        let partitions = self.partitions.iter().map(|table| {
            let bytes = table.months.iter().map(|month| month.bytes).sum();
            let spilt = if table.spilt == 0 { "empty".to_owned() } else { table.spilt.to_string() };
            vec![
                table.table.clone(),
                table.months.len().to_string(),
                table.ahead.to_string(),
                printed::bytes(bytes),
                spilt,
            ]
        });
        let heads = ["partitioned by month", "months", "ahead", "size", "default partition"];
        printed::table(out, &heads, partitions)?;
        if !self.parts.is_empty() {
            writeln!(out)?;
            let parts = self.parts.iter().map(|part| {
                let state = if part.silent { "silent" } else { part.status.as_str() };
                let checked = part.checked_at.format("%Y-%m-%d %H:%M UTC").to_string();
                vec![part.service.clone(), state.to_owned(), checked]
            });
            printed::table(out, &["part", "state", "last checked"], parts)?;
        }
        if let Some(slow) = &self.slow_queries {
            writeln!(out)?;
            print_slow(slow, out)?;
        }
        if !self.is_whole() {
            writeln!(
                out,
                "\nMonths are missing: a running server makes them; see docs/operations.md."
            )?;
        }
        Ok(())
    }
}

/// How much of a query is shown to people.
const QUERY_CHARACTERS: usize = 90;

fn print_slow(slow: &SlowQueries, out: &mut impl std::io::Write) -> std::io::Result<()> {
    if let Some(hint) = &slow.hint {
        return writeln!(out, "{hint}");
    }
    if slow.queries.is_empty() {
        return writeln!(out, "No query takes more than 100 ms on average.");
    }
    let rows = slow.queries.iter().take(TABLES).map(|slow| {
        let line = slow.query.split_whitespace().collect::<Vec<_>>().join(" ");
        vec![
            line.chars().take(QUERY_CHARACTERS).collect(),
            slow.calls.to_string(),
            format!("{:.0} ms", slow.mean_ms),
            format!("{:.0} ms", slow.max_ms),
        ]
    });
    printed::table(out, &["slow query", "calls", "on average", "at most"], rows)
}
