//! The job that stores what waits: it makes a data set of the newest rows.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use ephor_kernel::{RowFeedId, Scope};
use ephor_store::{
    Store, StoreError,
    jobs::{JobContext, JobFailure, JobHandler},
};
use ephor_tabular::Format;
use futures::{StreamExt as _, stream};
use serde_json::{json, value::RawValue};

use super::{
    FeedColumn, RowFeeds, RowsToStore, StoreRows,
    flush::{FLUSH_JOB, FlushPayload},
    settle::{Flushed, settled},
};

/// Bytes that a data set is made of, at most, unless more than that waits.
const WINDOW_BYTES: i64 = 256 << 20;
/// Rows' bytes and batches that are fetched at a time.
const FETCH_BYTES: i64 = 8 << 20;
const FETCH_BATCHES: usize = 1_000;
/// Lines that are passed on at a time, in bytes.
const CHUNK_BYTES: usize = 256 << 10;

/// Stores what waits in row feeds.
pub struct FlushRunner {
    store_rows: StoreRows,
}

impl FlushRunner {
    /// A runner that stores data sets in the way that these row feeds were given.
    pub fn new(feeds: &RowFeeds) -> Self {
        Self { store_rows: Arc::clone(&feeds.store_rows) }
    }
}

#[async_trait]
impl JobHandler for FlushRunner {
    fn kind(&self) -> &'static str {
        FLUSH_JOB
    }

    async fn run(&self, job: JobContext) -> Result<(), JobFailure> {
        let FlushPayload { feed } = job.payload()?;
        // Nothing waits: it was stored before, or the row feed is gone.
        let Some(plan) = Plan::make(&job, feed).await? else { return Ok(()) };
        job.progress(0.0, format!("Storing {} rows", plan.rows)).await;
        let outrun = Arc::new(AtomicBool::new(false));
        let flushed = Flushed {
            feed,
            waited: plan.waited.clone(),
            first: plan.batches.first().map_or(0, |batch| batch.until_row),
            rows: plan.rows,
            outrun: Arc::clone(&outrun),
        };
        let from = plan.until - plan.rows + 1;
        let rows = RowsToStore {
            name: plan.dataset_name(from),
            description: format!("Rows {from} to {} of the row feed {}", plan.until, plan.name),
            metadata: json!({ "row_feed": feed, "from_row": from, "until_row": plan.until }),
            format: Format::Ndjson,
            body: body(job.store().clone(), job.scope().clone(), feed, plan),
            cancel: job.cancelled(),
            settle: Box::new(move |tx, dataset| Box::pin(settled(tx, dataset, flushed))),
        };
        match (self.store_rows)(job.scope().clone(), rows).await {
            Ok(dataset) => {
                job.set_result(json!({ "dataset_id": dataset }));
                Ok(())
            }
            Err(_) if job.cancelled().is_cancelled() => Err(JobFailure::Cancelled),
            // Another worker was quicker: what this one made is taken back.
            Err(_) if outrun.load(Ordering::Relaxed) => Ok(()),
            Err(problem) => Err(problem.into()),
        }
    }

    async fn failed(&self, job: JobContext, reason: &str) -> Result<(), JobFailure> {
        let FlushPayload { feed } = job.payload()?;
        let reason: String = reason.chars().take(2_000).collect();
        let mut tx = job.store().begin_system(job.scope()).await?;
        // The next batch asks for another job.
        sqlx::query!(
            "update assurance.row_feeds
                set last_failure = $4, flush_job_id = case when flush_job_id = $3 then null else flush_job_id end
              where organization_id = $1 and id = $2",
            tx.organization().uuid(),
            feed.uuid(),
            job.id().uuid(),
            reason,
        )
        .execute(tx.conn())
        .await?;
        tx.commit().await?;
        Ok(())
    }
}

/// A batch that is to be stored.
#[derive(Debug, Clone, Copy)]
struct Stored {
    until_row: i64,
    bytes: i64,
}

/// What a data set is to be made of.
struct Plan {
    name: String,
    columns: Vec<FeedColumn>,
    /// In their order.
    batches: Vec<Stored>,
    /// Those of them that were in no data set yet, by their last rows' numbers.
    waited: Vec<i64>,
    rows: i64,
    until: i64,
}

impl Plan {
    /// All that waits, with the newest of what was stored before, as many as the row feed keeps.
    async fn make(job: &JobContext, feed: RowFeedId) -> Result<Option<Self>, JobFailure> {
        let mut tx = job.store().begin_system(job.scope()).await?;
        let organization = tx.organization().uuid();
        let row = sqlx::query!(
            "select name, columns, keep_rows from assurance.row_feeds where organization_id = $1 and id = $2",
            organization,
            feed.uuid(),
        )
        .fetch_optional(tx.conn())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let found = sqlx::query!(
            r#"select until_row, row_count, byte_count, stored_at is null as "waits!"
                 from (select until_row, row_count, byte_count, stored_at,
                              sum(row_count) over newest as rows, sum(byte_count) over newest as bytes
                         from assurance.row_feed_batches
                        where organization_id = $1 and feed_id = $2 and body is not null
                       window newest as (order by until_row desc)) as counted
                where stored_at is null or (rows <= $3 and bytes <= $4)
                order by until_row"#,
            organization,
            feed.uuid(),
            i64::from(row.keep_rows),
            WINDOW_BYTES,
        )
        .fetch_all(tx.conn())
        .await?;
        tx.commit().await?;
        let waited: Vec<i64> =
            found.iter().filter(|batch| batch.waits).map(|batch| batch.until_row).collect();
        if waited.is_empty() {
            return Ok(None);
        }
        let columns = serde_json::from_value(row.columns)
            .map_err(|error| JobFailure::fatal(format!("The columns cannot be read: {error}")))?;
        Ok(Some(Self {
            name: row.name,
            columns,
            waited,
            rows: found.iter().map(|batch| i64::from(batch.row_count)).sum(),
            until: found.last().map_or(0, |batch| batch.until_row),
            batches: found
                .iter()
                .map(|batch| Stored { until_row: batch.until_row, bytes: batch.byte_count.into() })
                .collect(),
        }))
    }

    /// The row feed's name and the rows' numbers, within what a name may have.
    fn dataset_name(&self, from: i64) -> String {
        let numbers = format!(", rows {from} to {}", self.until);
        let room = 200_usize.saturating_sub(numbers.chars().count());
        let mut name: String = self.name.chars().take(room).collect();
        name.push_str(&numbers);
        name
    }
}

/// What is still to be passed on.
struct Reading {
    store: Store,
    scope: Scope,
    feed: RowFeedId,
    /// `{"name":` of each column, with a comma before all but the first.
    keys: Vec<String>,
    batches: Vec<Stored>,
    next: usize,
    lines: Vec<u8>,
    at: usize,
}

/// The rows as NDJSON, fetched as they are read. No transaction is open in between.
fn body(
    store: Store,
    scope: Scope,
    feed: RowFeedId,
    plan: Plan,
) -> stream::BoxStream<'static, io::Result<Bytes>> {
    let keys = plan
        .columns
        .iter()
        .enumerate()
        .map(|(place, column)| {
            let begin = if place == 0 { "{" } else { "," };
            format!("{begin}{}:", serde_json::Value::from(column.name.as_str()))
        })
        .collect();
    let batches = plan.batches;
    let reading = Reading { store, scope, feed, keys, batches, next: 0, lines: Vec::new(), at: 0 };
    stream::try_unfold(reading, |mut reading: Reading| async move {
        if reading.at >= reading.lines.len() && !reading.fetch().await? {
            return Ok::<_, io::Error>(None);
        }
        let chunk = reading.chunk()?;
        Ok(Some((chunk, reading)))
    })
    .boxed()
}

impl Reading {
    /// Fetches the next batches; false when there are no more.
    async fn fetch(&mut self) -> io::Result<bool> {
        let mut bytes = 0;
        let group: Vec<i64> = self.batches[self.next..]
            .iter()
            .take(FETCH_BATCHES)
            .take_while(|batch| {
                let fits = bytes == 0 || bytes + batch.bytes <= FETCH_BYTES;
                bytes += batch.bytes;
                fits
            })
            .map(|batch| batch.until_row)
            .collect();
        if group.is_empty() {
            return Ok(false);
        }
        let fetched = self.read(&group).await.map_err(io::Error::other)?;
        // A row feed that is deleted takes its batches along.
        if fetched.len() != group.len() {
            return Err(io::Error::other("rows of the row feed are gone"));
        }
        self.next += group.len();
        self.lines = fetched.concat();
        self.at = 0;
        Ok(true)
    }

    async fn read(&self, group: &[i64]) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut tx = self.store.begin_system(&self.scope).await?;
        let found = sqlx::query_scalar!(
            r#"select body as "body!" from assurance.row_feed_batches
                where organization_id = $1 and feed_id = $2 and until_row = any($3) and body is not null
                order by until_row"#,
            tx.organization().uuid(),
            self.feed.uuid(),
            group,
        )
        .fetch_all(tx.conn())
        .await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Some of the lines, as objects.
    fn chunk(&mut self) -> io::Result<Bytes> {
        let mut out = Vec::with_capacity(CHUNK_BYTES);
        while out.len() < CHUNK_BYTES && self.at < self.lines.len() {
            let rest = &self.lines[self.at..];
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let values: Vec<&RawValue> = serde_json::from_slice(&rest[..end])?;
            for (key, value) in self.keys.iter().zip(values) {
                out.extend_from_slice(key.as_bytes());
                out.extend_from_slice(value.get().as_bytes());
            }
            out.extend_from_slice(b"}\n");
            self.at += end + 1;
        }
        Ok(out.into())
    }
}
