//! When what waits is stored: the rule, and how it is asked for once.

use ephor_kernel::{Code, JobId, Problem, RowFeedId};
use ephor_store::{OrgTx, StoreError, jobs::NewJob};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The kind of job that stores what waits.
pub const FLUSH_JOB: &str = "row_feed_flush";

/// Bytes that wait at most before they are stored, whatever is asked for.
const FLUSH_BYTES: i64 = 64 << 20;

/// How often a row feed is stored in an hour, at most: each time makes a data set of all the rows that it keeps.
pub const MOST_FLUSHES: i64 = 60;

/// What the job is given.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct FlushPayload {
    /// The row feed.
    pub feed: RowFeedId,
}

/// What waits in a row feed, and when it is to be stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    pub rows: i64,
    pub bytes: i64,
    pub analyse_after: Option<i32>,
    pub keep_rows: i32,
}

impl Waiting {
    /// Is there so much that it must not wait, however often it was stored of late?
    fn is_full(self) -> bool {
        self.bytes >= FLUSH_BYTES
    }

    /// Is it time? Also without a count of its own: no more waits than one data set holds.
    pub(crate) fn is_due(self) -> bool {
        let count = self.analyse_after.unwrap_or(self.keep_rows).min(self.keep_rows);
        self.rows > 0 && (self.rows >= i64::from(count) || self.is_full())
    }
}

/// A flush that was asked for.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct FlushAsked {
    /// The job that does it.
    pub job: JobId,
    /// How many rows wait.
    pub waiting: i64,
}

/// Stores what waits, now; if that is under way already, it is not begun again.
///
/// # Errors
/// `not_found`; `conflict` when nothing waits; `rate_limited` after [`MOST_FLUSHES`] within an hour.
pub async fn row_feed_flush(tx: &mut OrgTx, id: RowFeedId) -> Result<FlushAsked, Problem> {
    let feed = sqlx::query!(
        "select rows_waiting, flush_job_id from assurance.row_feeds
          where organization_id = $1 and id = $2 for update",
        tx.organization().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("row feed"))?;
    let job = match live_job(tx, feed.flush_job_id).await? {
        Some(job) => job,
        None if feed.rows_waiting == 0 => {
            return Err(Problem::new(Code::Conflict, "No rows wait to be stored"));
        }
        None => {
            if let Some(seconds) = flush_wait(tx, id).await? {
                let what = format!(
                    "A row feed is stored {MOST_FLUSHES} times an hour at most; what waits can be stored later"
                );
                let seconds = u64::try_from(seconds).unwrap_or(1);
                return Err(Problem::new(Code::RateLimited, what).retry_after(seconds));
            }
            flush_begin(tx, id).await?
        }
    };
    Ok(FlushAsked { job, waiting: feed.rows_waiting })
}

/// What follows from what waits.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Next {
    /// The job that stores it.
    pub job: Option<JobId>,
    /// Or in how many seconds it may be stored: it was so often of late.
    pub wait: Option<i64>,
}

/// Asks for what waits to be stored, if it is time. The caller holds the row feed's lock, and knows of no live job.
pub(crate) async fn flush_if_due(
    tx: &mut OrgTx,
    id: RowFeedId,
    waiting: Waiting,
) -> Result<Next, StoreError> {
    if !waiting.is_due() {
        return Ok(Next::default());
    }
    let wait = if waiting.is_full() { None } else { flush_wait(tx, id).await? };
    let job = if wait.is_none() { Some(flush_enqueue(tx, id).await?) } else { None };
    Ok(Next { job, wait })
}

/// In how many seconds a row feed may be stored again; `None`: now.
pub(crate) async fn flush_wait(tx: &mut OrgTx, id: RowFeedId) -> Result<Option<i64>, StoreError> {
    let seconds = sqlx::query_scalar!(
        r#"select greatest(ceil(extract(epoch from created_at + interval '1 hour' - now())), 1)::bigint as "seconds!"
             from ops.jobs
            where organization_id = $1 and subject_id = $2 and kind = $3 and created_at > now() - interval '1 hour'
            order by created_at desc, id
           offset $4 limit 1"#,
        tx.organization().uuid(),
        id.uuid(),
        FLUSH_JOB,
        MOST_FLUSHES - 1,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(seconds)
}

/// Asks for the job, and has the row feed name it. The caller holds the row feed's lock, and knows of no live one.
pub(crate) async fn flush_begin(tx: &mut OrgTx, id: RowFeedId) -> Result<JobId, StoreError> {
    let job = flush_enqueue(tx, id).await?;
    sqlx::query!(
        "update assurance.row_feeds set flush_job_id = $3 where organization_id = $1 and id = $2",
        tx.organization().uuid(),
        id.uuid(),
        job.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(job)
}

/// The job, if it is still to come or under way. The caller holds the row feed's lock.
pub(crate) async fn live_job(
    tx: &mut OrgTx,
    job: Option<Uuid>,
) -> Result<Option<JobId>, StoreError> {
    let Some(job) = job else { return Ok(None) };
    let live = sqlx::query_scalar!(
        "select id from ops.jobs
          where organization_id = $1 and id = $2 and state in ('queued', 'running')",
        tx.organization().uuid(),
        job,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(live.map(JobId::from))
}

/// Asks for the job.
async fn flush_enqueue(tx: &mut OrgTx, feed: RowFeedId) -> Result<JobId, StoreError> {
    let payload = serde_json::to_value(FlushPayload { feed })?;
    tx.enqueue(NewJob { kind: FLUSH_JOB, payload, subject: Some(feed.uuid()) }).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_stored_when_there_is_enough_and_never_when_there_is_nothing() {
        let waiting = |rows, bytes, analyse_after, keep_rows| {
            Waiting { rows, bytes, analyse_after, keep_rows }.is_due()
        };
        assert!(!waiting(0, 0, Some(1), 10));
        assert!(!waiting(9, 0, Some(10), 100));
        assert!(waiting(10, 0, Some(10), 100));
        assert!(!waiting(99, 0, None, 100));
        assert!(waiting(100, 0, None, 100));
        assert!(waiting(100, 0, Some(1000), 100), "no row leaves the newest before it was stored");
        assert!(waiting(1, FLUSH_BYTES, None, 100));
    }
}
