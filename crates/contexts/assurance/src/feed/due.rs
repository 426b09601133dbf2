//! What waits in a row feed is stored when its schedule says so, or when it was put off until now.

use chrono::{DateTime, TimeDelta, Utc};
use ephor_kernel::{OrganizationId, RowFeedId};
use ephor_store::{Store, StoreError};

use super::flush::{flush_begin, flush_wait, live_job};
use crate::schedule::{self, Turn, turn};

/// Asks for what waits to be stored and works out the next time, in one transaction; false if nothing waits, or it is stored
/// already.
pub(crate) async fn start_due(
    store: &Store,
    organization: OrganizationId,
    id: RowFeedId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let mut tx = store.begin_system(&schedule::scope(organization)).await?;
    let due = sqlx::query!(
        "select schedule, next_flush_at, rows_waiting, flush_job_id, last_failure from assurance.row_feeds
          where organization_id = $1 and id = $2 and status = 'active'
            and (next_flush_at <= $3 or next_flush_at is null and schedule is not null)
            for update skip locked",
        organization.uuid(),
        id.uuid(),
        now,
    )
    .fetch_optional(tx.conn())
    .await?;
    // Another was quicker, or rows come in at this moment.
    let Some(due) = due else { return Ok(false) };
    let Turn { next, unreadable, .. } = match &due.schedule {
        Some(expression) => turn(expression, due.next_flush_at, now),
        None => Turn { at: None, next: None, unreadable: None },
    };
    let is_due = due.next_flush_at.is_some() && due.rows_waiting > 0;
    let is_due = is_due && live_job(&mut tx, due.flush_job_id).await?.is_none();
    let wait = if is_due { flush_wait(&mut tx, id).await? } else { None };
    if is_due && wait.is_none() {
        flush_begin(&mut tx, id).await?;
    }
    // Stored so often that it must wait: no later than that.
    let put_off = wait.and_then(|seconds| now.checked_add_signed(TimeDelta::seconds(seconds)));
    let next = put_off.into_iter().chain(next).min();
    sqlx::query!(
        "update assurance.row_feeds set next_flush_at = $3, last_failure = $4
          where organization_id = $1 and id = $2",
        organization.uuid(),
        id.uuid(),
        next,
        unreadable.unwrap_or(due.last_failure),
    )
    .execute(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(is_due && wait.is_none())
}
