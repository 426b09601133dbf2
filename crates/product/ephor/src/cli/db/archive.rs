//! `ephor db archive`

use std::{io::Write as _, path::Path, sync::Arc};

use chrono::{Datelike as _, NaiveDate};
use ephor_kernel::{Clock as _, SystemClock};
use ephor_seal::KeyRing;
use ephor_store::{
    Store, audit,
    retention::{self, MonthPlan},
};
use object_store::ObjectStore;
use serde::Serialize;

use super::super::{audit::with_store, block_on, printed};
use crate::{
    config::{self, Config},
    exit::{Exit, UsageError},
    server,
};

/// The table whose archives are of a form of their own.
const TRAIL: &str = "audit.audit_logs";

/// Archive old months to the object store, and drop them from the database.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor db archive --dry-run
  ephor db archive --keep 24
  ephor db archive --table gateway.conversation_logs --month 2026-01
  ephor db archive --check --json

Without --keep, `retention.audit_months`, `retention.months` and `retention.tables` say what stays. What is written is
read back before a month is dropped; killed anywhere, the next run goes on.")]
pub struct Args {
    /// How many months before the present one stay, whatever the configuration says
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// Only this table, such as `gateway.conversation_logs`; `audit.audit_logs` is the audit trail
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// Only this past month of the table, whatever is to be kept
    #[arg(long, value_name = "YYYY-MM", requires = "table", conflicts_with = "keep", value_parser = month)]
    month: Option<NaiveDate>,
    /// Change nothing: tell what would be archived
    #[arg(long)]
    dry_run: bool,
    /// Drop nothing: read the archives that there are back, and tell which are damaged
    #[arg(long, conflicts_with_all = ["keep", "table", "dry_run"])]
    check: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn month(text: &str) -> Result<NaiveDate, String> {
    let day = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d");
    day.map_err(|_| "a month is written like 2026-01".to_owned())
}

fn written(month: NaiveDate) -> String {
    month.format("%Y-%m").to_string()
}

/// A month, or one of its files.
#[derive(Debug, Default, Serialize)]
struct Line {
    table: String,
    month: String,
    rows: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    organizations: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

impl Line {
    fn failed(table: &str, month: NaiveDate, error: &anyhow::Error) -> Self {
        Self {
            table: table.to_owned(),
            month: written(month),
            fault: Some(format!("{error:#}")),
            ..Self::default()
        }
    }
}

impl From<MonthPlan> for Line {
    fn from(MonthPlan { table, month, organizations, rows }: MonthPlan) -> Self {
        Self {
            table,
            month: written(month),
            rows,
            organizations: Some(organizations),
            ..Self::default()
        }
    }
}

impl From<audit::Archive> for Line {
    fn from(archive: audit::Archive) -> Self {
        Self {
            table: TRAIL.to_owned(),
            month: written(archive.month),
            rows: archive.row_count,
            bytes: Some(archive.byte_count),
            object: Some(archive.object),
            sha256: Some(archive.sha256),
            ..Self::default()
        }
    }
}

impl From<retention::Archive> for Line {
    fn from(archive: retention::Archive) -> Self {
        Self {
            table: archive.table,
            month: written(archive.month),
            rows: archive.row_count,
            bytes: Some(archive.byte_count),
            object: Some(archive.object),
            sha256: Some(archive.sha256),
            ..Self::default()
        }
    }
}

impl Args {
    pub fn run(self, config: &Config, data: &Path) -> anyhow::Result<Exit> {
        let today = SystemClock.now().date_naive();
        if self
            .month
            .is_some_and(|month| (month.year(), month.month()) >= (today.year(), today.month()))
        {
            return Err(UsageError("--month: only a past month is archived".into()).into());
        }
        let trail = self.table.as_deref().is_none_or(|table| table == TRAIL);
        if trail && self.month.is_some() {
            return Err(UsageError(
                "the audit trail goes the oldest month first: --keep says how many stay".into(),
            )
            .into());
        }
        let objects = server::objects(config, data).open()?;
        let lines = block_on(with_store(config, data, async |store, key| {
            if self.check {
                return check(&store, &objects).await;
            }
            let keys = KeyRing::new([key.public()]);
            let chosen = self.chosen(&config.retention, &store, today).await?;
            let mut lines = Vec::new();
            // One table does not hold up the others; of a table, the oldest month goes first.
            let mut failed = None;
            for (table, month) in &chosen {
                if failed == Some(table) {
                    continue;
                }
                match self.month(&store, &objects, table, *month).await {
                    Ok(done) => lines.extend(done),
                    Err(error) => {
                        failed = Some(table);
                        lines.push(Line::failed(table, *month, &error));
                    }
                }
            }
            let keep = self.keep.unwrap_or(config.retention.audit_months);
            if trail && keep > 0 {
                if self.dry_run {
                    let plan = audit::archive_plan(&store, keep, today).await?;
                    lines.extend(plan.into_iter().map(Line::from));
                } else {
                    let done = audit::archive_due(&store, &objects, &keys, keep, today).await?;
                    lines.extend(done.into_iter().map(Line::from));
                }
            }
            Ok(lines)
        }))?;
        self.print(&lines)?;
        let sound = lines.iter().all(|line| line.fault.is_none());
        Ok(if sound { Exit::Ok } else { Exit::Finding })
    }

    /// Which months of which tables, the trail's excepted.
    async fn chosen(
        &self,
        config: &config::Retention,
        store: &Store,
        today: NaiveDate,
    ) -> anyhow::Result<Vec<(String, NaiveDate)>> {
        let all = retention::table_list(store).await?;
        let tables = config
            .of_tables(&all)
            .map_err(|faults| UsageError(format!("retention.tables: {}", faults.join("; "))))?;
        if let Some(wanted) = &self.table
            && wanted != TRAIL
            && !all.contains(wanted)
        {
            return Err(UsageError(format!(
                "{wanted} is not partitioned by month; these are: {TRAIL}, {}",
                all.join(", ")
            ))
            .into());
        }
        let mut chosen = Vec::new();
        for (table, months) in tables {
            if self.table.as_ref().is_some_and(|wanted| *wanted != table) {
                continue;
            }
            let keep = self.keep.unwrap_or(months);
            let due = match self.month {
                // All that are past: it is one of them, or not there.
                Some(month) => {
                    let there = retention::month_list(store, &table, 0, today).await?;
                    there.into_iter().filter(|there| *there == month).collect()
                }
                None if keep == 0 => Vec::new(),
                None => retention::month_list(store, &table, keep, today).await?,
            };
            chosen.extend(due.into_iter().map(|month| (table.clone(), month)));
        }
        Ok(chosen)
    }

    /// Archives one month and drops it, or tells what it holds.
    async fn month(
        &self,
        store: &Store,
        objects: &Arc<dyn ObjectStore>,
        table: &str,
        month: NaiveDate,
    ) -> anyhow::Result<Vec<Line>> {
        if self.dry_run {
            return Ok(vec![retention::month_plan(store, table, month).await?.into()]);
        }
        let done = retention::archive_month(store, objects, table, month).await?;
        Ok(done.into_iter().flat_map(|done| done.archives).map(Line::from).collect())
    }

    fn print(&self, lines: &[Line]) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        if self.json {
            serde_json::to_writer_pretty(&mut out, lines)?;
            writeln!(out)?;
            return Ok(());
        }
        if lines.is_empty() {
            writeln!(
                out,
                "{}",
                match (self.check, self.dry_run) {
                    (true, _) => "There are no archives.",
                    (_, true) => "No month is older than is to be kept.",
                    _ => "No rows are older than is to be kept, or another process is at them.",
                }
            )?;
            return Ok(());
        }
        if self.dry_run {
            let rows = lines.iter().map(|line| {
                vec![
                    line.table.clone(),
                    line.month.clone(),
                    line.organizations.unwrap_or_default().to_string(),
                    line.rows.to_string(),
                ]
            });
            printed::table(
                &mut out,
                &["would be archived", "month", "organizations", "rows"],
                rows,
            )?;
            return Ok(());
        }
        let rows = lines.iter().map(|line| {
            vec![
                line.object.clone().unwrap_or_else(|| format!("{} {}", line.table, line.month)),
                line.rows.to_string(),
                printed::bytes(line.bytes.unwrap_or_default()),
                match (&line.fault, self.check) {
                    (Some(fault), true) => format!("DAMAGED: {fault}"),
                    (Some(fault), false) => format!("NOT DROPPED: {fault}"),
                    (None, true) => "as archived".to_owned(),
                    (None, false) => "dropped from the database".to_owned(),
                },
            ]
        });
        printed::table(&mut out, &["archive", "rows", "size", "state"], rows)?;
        Ok(())
    }
}

/// Reads every archive back.
async fn check(store: &Store, objects: &Arc<dyn ObjectStore>) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    for (archive, fault) in retention::archive_check(store, objects).await? {
        lines.push(Line { fault, ..Line::from(archive) });
    }
    for (archive, fault) in audit::archive_check(store, objects).await? {
        lines.push(Line { fault, ..Line::from(archive) });
    }
    Ok(lines)
}
