//! When what waits is stored: the rule, and how it is asked for once.

use ephor_kernel::{Code, JobId, Problem, RowFeedId};
use ephor_store::{OrgTx, StoreError, jobs::NewJob};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The kind of job that stores what waits.
pub const FLUSH_JOB: &str = "row_feed_flush";

/// Bytes that wait at most before they are stored, whatever is asked for.
const FLUSH_BYTES: i64 = 64 << 20;

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
    /// Is it time? Also without a count of its own: no more waits than one data set holds.
    pub(crate) fn is_due(self) -> bool {
        let count = self.analyse_after.unwrap_or(self.keep_rows).min(self.keep_rows);
        self.rows > 0 && (self.rows >= i64::from(count) || self.bytes >= FLUSH_BYTES)
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
/// `not_found`; `conflict` when nothing waits.
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
        None => flush_begin(tx, id).await?,
    };
    Ok(FlushAsked { job, waiting: feed.rows_waiting })
}

/// Asks for the job, and has the row feed name it. The caller holds the row feed's lock, and knows of no live one.
pub(crate) async fn flush_begin(tx: &mut OrgTx, id: RowFeedId) -> Result<JobId, Problem> {
    let job = flush_enqueue(tx, id).await?;
    sqlx::query!(
        "update assurance.row_feeds set flush_job_id = $3 where organization_id = $1 and id = $2",
        tx.organization().uuid(),
        id.uuid(),
        job.uuid(),
    )
    .execute(tx.conn())
    .await
    .map_err(StoreError::from)?;
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
pub(crate) async fn flush_enqueue(tx: &mut OrgTx, feed: RowFeedId) -> Result<JobId, Problem> {
    let payload = serde_json::to_value(FlushPayload { feed }).map_err(|_| Problem::internal())?;
    let job = NewJob { kind: FLUSH_JOB, payload, subject: Some(feed.uuid()) };
    Ok(tx.enqueue(job).await?)
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
