//! Which monitors are due, over all organizations: ids alone.

use chrono::{DateTime, Utc};
use ephor_kernel::{MonitorId, OrganizationId};

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
