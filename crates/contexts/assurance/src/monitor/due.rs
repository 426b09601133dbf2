//! A monitor that is due begins to run.

use chrono::{DateTime, Utc};
use ephor_kernel::{MonitorId, OrganizationId};
use ephor_store::{Store, StoreError};

use super::{enqueue::monitor_enqueue, record::monitor_failed};
use crate::schedule::{self, turn};

/// Enqueues the run and works out the next, in one transaction; false if none was due.
pub(crate) async fn start_due(
    store: &Store,
    organization: OrganizationId,
    id: MonitorId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let mut tx = store.begin_system(&schedule::scope(organization)).await?;
    let due = sqlx::query!(
        r#"select schedule as "schedule!", next_run_at from assurance.monitors
            where organization_id = $1 and id = $2 and status = 'active' and schedule is not null
              and (next_run_at is null or next_run_at <= $3)
              for update skip locked"#,
        organization.uuid(),
        id.uuid(),
        now,
    )
    .fetch_optional(tx.conn())
    .await?;
    // Another was quicker, or somebody is changing it.
    let Some(due) = due else { return Ok(false) };
    let turn = turn(&due.schedule, due.next_run_at, now);
    // Its window ends when it was due, whenever somebody looks: so windows meet.
    if let Some(at) = turn.at {
        monitor_enqueue(&mut tx, id, Some(at)).await?;
    }
    if let Some(why) = &turn.unreadable {
        monitor_failed(&mut tx, id, why, now).await?;
    }
    sqlx::query!(
        "update assurance.monitors set next_run_at = $3 where organization_id = $1 and id = $2",
        organization.uuid(),
        id.uuid(),
        turn.next,
    )
    .execute(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(turn.at.is_some())
}
