//! Take a batch in: all of it, committed before it is acknowledged, or none.

use std::sync::Arc;

use bytes::Bytes;
use ephor_kernel::{Code, Fault, Problem, RowFeedId, Scope};
use ephor_store::{OrgTx, StoreError};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    FeedColumn, RowFeeds,
    columns::{parameter_faults, specification},
    flush::{Next, Waiting, flush_begin, flush_if_due, live_job},
    rows::{self, Batch, BatchFormat, Refused},
};

/// Bytes that wait at most: when they cannot be stored, no more is taken in.
const MOST_WAITING_BYTES: i64 = 256 << 20;
/// How often a batch is read anew because another one fixed the columns meanwhile.
const TRIES: usize = 3;

/// A batch as it was sent.
#[derive(Debug, Clone)]
pub struct PushedBatch {
    /// The header `content-type`.
    pub media_type: String,
    /// The header `idempotency-key`.
    pub idempotency_key: Option<String>,
    /// The body.
    pub body: Bytes,
}

impl RowFeeds {
    /// Takes a batch in; answers how many rows it had and how many there are. The same key with the same
    /// body gets the same answer again, and is taken in once.
    ///
    /// # Errors
    /// `invalid` with every fault of the batch, of which nothing is kept; `conflict` for a key that was
    /// used for another body and for a row feed that is paused; `too_large`; `unsupported_media_type`.
    pub async fn row_feed_accept(
        &self,
        scope: &Scope,
        feed: RowFeedId,
        pushed: &PushedBatch,
    ) -> Result<Value, Problem> {
        if let Some(key) = &pushed.idempotency_key
            && (!(1..=200).contains(&key.chars().count()) || key.contains('\0'))
        {
            let what = "An idempotency key has 1 to 200 characters";
            return Err(Problem::invalid(vec![Fault::new(
                "header:idempotency-key",
                "length",
                what,
            )]));
        }
        let format = BatchFormat::of(&pushed.media_type)?;
        let sha256: [u8; 32] = Sha256::digest(&pushed.body).into();
        for _ in 0..TRIES {
            let mut tx = self.store.begin(scope).await?;
            let columns = columns_of(&mut tx, feed).await?;
            let replayed = replay(&mut tx, feed, pushed, &sha256).await?;
            tx.commit().await?;
            if let Some(answer) = replayed {
                return Ok(answer);
            }
            let (body, known) = (pushed.body.clone(), columns.clone());
            let turn = Arc::clone(&self.reading).acquire_owned().await;
            let turn = turn.map_err(|_| Problem::internal())?;
            let read = tokio::task::spawn_blocking(move || {
                // Whoever hangs up meanwhile gives it back when the batch is read.
                let _turn = turn;
                rows::read(format, &body, &known)
            });
            let batch = match read.await.map_err(|_| Problem::internal())? {
                Ok(batch) => batch,
                Err(refused) => return Err(self.refuse(scope, feed, refused).await?),
            };
            if let Some(answer) =
                self.keep(scope, feed, pushed, (&batch, columns.as_slice()), &sha256).await?
            {
                return Ok(answer);
            }
        }
        Err(Problem::new(
            Code::Conflict,
            "The columns were fixed by another batch meanwhile; send it again",
        ))
    }

    /// Counts the rows of a batch that is refused.
    async fn refuse(
        &self,
        scope: &Scope,
        feed: RowFeedId,
        refused: Refused,
    ) -> Result<Problem, Problem> {
        let Refused { problem, wrong_rows } = refused;
        if wrong_rows > 0 {
            let mut tx = self.store.begin(scope).await?;
            sqlx::query!(
                "update assurance.row_feeds set rows_rejected = rows_rejected + $3
                  where organization_id = $1 and id = $2",
                tx.organization().uuid(),
                feed.uuid(),
                i64::try_from(wrong_rows).unwrap_or(i64::MAX),
            )
            .execute(tx.conn())
            .await
            .map_err(StoreError::from)?;
            tx.commit().await?;
        }
        Ok(problem)
    }

    /// Commits a batch that was read with these columns. `None` when they are others by now.
    async fn keep(
        &self,
        scope: &Scope,
        feed: RowFeedId,
        pushed: &PushedBatch,
        (batch, read_with): (&Batch, &[FeedColumn]),
        sha256: &[u8; 32],
    ) -> Result<Option<Value>, Problem> {
        let mut tx = self.store.begin(scope).await?;
        // Batches of one row feed come one after the other: each knows how many rows there are before it.
        let row = sqlx::query!(
            "select status, columns, parameters, analyse_after, keep_rows, rows_received, rows_waiting,
                    bytes_waiting, flush_job_id
               from assurance.row_feeds where organization_id = $1 and id = $2 for update",
            tx.organization().uuid(),
            feed.uuid(),
        )
        .fetch_optional(tx.conn())
        .await
        .map_err(StoreError::from)?
        .ok_or_else(|| Problem::not_found("row feed"))?;
        if let Some(answer) = replay(&mut tx, feed, pushed, sha256).await? {
            return Ok(Some(answer));
        }
        if row.status != "active" {
            return Err(paused());
        }
        if parsed::<Vec<FeedColumn>>(row.columns)? != read_with {
            return Ok(None);
        }
        let fixes = read_with.is_empty();
        if fixes && let Some(parameters) = row.parameters {
            let spec = specification(&parameters).map_err(|faults| {
                tracing::error!(?faults, "the specification of a row feed could not be read");
                Problem::internal()
            })?;
            Problem::unless_empty(parameter_faults(&spec, &batch.columns))?;
        }
        let (rows, bytes) = (whole(batch.rows), stored_bytes(batch));
        let waiting = Waiting {
            rows: row.rows_waiting + rows,
            bytes: row.bytes_waiting + bytes,
            analyse_after: row.analyse_after,
            keep_rows: row.keep_rows,
        };
        if bytes > MOST_WAITING_BYTES {
            return Err(Problem::new(
                Code::TooLarge,
                "With the names of its columns in every row the batch is too large; send its rows in several",
            ));
        }
        let mut job = live_job(&mut tx, row.flush_job_id).await?;
        if waiting.bytes > MOST_WAITING_BYTES {
            // When the last job failed, nothing else asks for another: no batch is taken in that would.
            if job.is_none() {
                flush_begin(&mut tx, feed).await?;
                tx.commit().await?;
            }
            return Err(Problem::new(
                Code::RateLimited,
                "So much waits to be stored that no more is taken in at the moment",
            )
            .retry_after(60));
        }
        let total = row.rows_received + rows;
        let mut wait = None;
        if job.is_none() {
            Next { job, wait } = flush_if_due(&mut tx, feed, waiting).await?;
        }
        let answer = json!({
            "accepted": rows,
            "total": total,
            "waiting": waiting.rows,
            "job": job,
        });
        sqlx::query!(
            "insert into assurance.row_feed_batches
                 (organization_id, feed_id, until_row, row_count, byte_count, body, idempotency_key,
                  request_sha256, answer)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            tx.organization().uuid(),
            feed.uuid(),
            total,
            i32::try_from(rows).unwrap_or(i32::MAX),
            i32::try_from(bytes).unwrap_or(i32::MAX),
            batch.body,
            pushed.idempotency_key,
            &sha256[..],
            answer,
        )
        .execute(tx.conn())
        .await
        .map_err(StoreError::from)?;
        sqlx::query!(
            "update assurance.row_feeds
                set rows_received = $3, rows_waiting = $4, bytes_waiting = $5, last_received_at = now(),
                    flush_job_id = $6, next_flush_at = least(next_flush_at, now() + $7 * interval '1 second')
              where organization_id = $1 and id = $2",
            tx.organization().uuid(),
            feed.uuid(),
            total,
            waiting.rows,
            waiting.bytes,
            job.map(ephor_kernel::JobId::uuid),
            wait.map(|seconds| seconds as f64),
        )
        .execute(tx.conn())
        .await
        .map_err(StoreError::from)?;
        if fixes {
            fix_columns(&mut tx, feed, &batch.columns).await?;
        }
        tx.commit().await?;
        Ok(Some(answer))
    }
}

/// Its columns, if it takes anything in.
async fn columns_of(tx: &mut OrgTx, feed: RowFeedId) -> Result<Vec<FeedColumn>, Problem> {
    let columns = sqlx::query_scalar!(
        "select columns from assurance.row_feeds where organization_id = $1 and id = $2",
        tx.organization().uuid(),
        feed.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("row feed"))?;
    parsed(columns)
}

async fn fix_columns(
    tx: &mut OrgTx,
    feed: RowFeedId,
    columns: &[FeedColumn],
) -> Result<(), Problem> {
    let columns = serde_json::to_value(columns).map_err(|_| Problem::internal())?;
    sqlx::query!(
        "update assurance.row_feeds set columns = $3 where organization_id = $1 and id = $2",
        tx.organization().uuid(),
        feed.uuid(),
        columns,
    )
    .execute(tx.conn())
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// What was answered to the same batch before.
async fn replay(
    tx: &mut OrgTx,
    feed: RowFeedId,
    pushed: &PushedBatch,
    sha256: &[u8; 32],
) -> Result<Option<Value>, Problem> {
    let Some(key) = &pushed.idempotency_key else { return Ok(None) };
    let before = sqlx::query!(
        "select request_sha256, answer from assurance.row_feed_batches
          where organization_id = $1 and feed_id = $2 and idempotency_key = $3",
        tx.organization().uuid(),
        feed.uuid(),
        key,
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?;
    match before {
        Some(before) if before.request_sha256 == sha256 => Ok(Some(before.answer)),
        Some(_) => Err(Problem::new(
            Code::Conflict,
            "This idempotency key was used for another batch; give each batch a key of its own",
        )),
        None => Ok(None),
    }
}

/// The refusal of a row feed that is paused.
pub(crate) fn paused() -> Problem {
    Problem::new(Code::Conflict, "The row feed is paused, and takes nothing in")
}

/// What the rows take as the NDJSON that they are stored from: every row repeats the names.
fn stored_bytes(batch: &Batch) -> i64 {
    let names: usize = batch.columns.iter().map(|column| column.name.len() + 4).sum();
    whole(batch.body.len()).saturating_add(whole(names).saturating_mul(whole(batch.rows)))
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn parsed<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_json::from_value(value).map_err(|error| {
        tracing::error!(%error, "the settings of a row feed could not be read");
        Problem::internal()
    })
}
