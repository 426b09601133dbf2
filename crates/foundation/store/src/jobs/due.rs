//! What is due on a schedule, over all organizations: ids alone.

use chrono::{DateTime, Utc};
use ephor_kernel::{MonitorId, OrganizationId, RowFeedId};

use crate::{Store, StoreError};

/// The active monitors on a schedule whose next run is due at `now`, or not yet worked out: the longest
/// due first, `limit` of them at most (and never more than a thousand).
pub async fn monitors_due(
    store: &Store,
    now: DateTime<Utc>,
    limit: i32,
) -> Result<Vec<(OrganizationId, MonitorId)>, StoreError> {
    let due = sqlx::query!(
        r#"select organization_id as "organization_id!", monitor_id as "monitor_id!"
             from ops.monitors_due($1, $2)"#,
        now,
        limit,
    )
    .fetch_all(store.system_pool())
    .await?;
    Ok(due.into_iter().map(|row| (row.organization_id.into(), row.monitor_id.into())).collect())
}

/// The active row feeds that are to be stored at `now`, or whose next time is not yet worked out: the longest due first,
/// `limit` of them at most (and never more than a thousand).
pub async fn row_feeds_due(
    store: &Store,
    now: DateTime<Utc>,
    limit: i32,
) -> Result<Vec<(OrganizationId, RowFeedId)>, StoreError> {
    let due = sqlx::query!(
        r#"select organization_id as "organization_id!", feed_id as "feed_id!"
             from ops.row_feeds_due($1, $2)"#,
        now,
        limit,
    )
    .fetch_all(store.system_pool())
    .await?;
    Ok(due.into_iter().map(|row| (row.organization_id.into(), row.feed_id.into())).collect())
}
