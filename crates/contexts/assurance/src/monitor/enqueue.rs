//! Have a monitor run: one run of it at a time.

use chrono::{DateTime, Utc};
use ephor_kernel::{Code, JobId, MonitorId, Problem};
use ephor_store::{OrgTx, StoreError, jobs::NewJob};
use serde::Serialize;

use super::{JOB_KIND, JobPayload, columns::column_faults, definition::Definition, monitor_get};

/// A run that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MonitorRun {
    /// The monitor.
    pub monitor_id: MonitorId,
    /// The job that runs it.
    pub job_id: JobId,
}

/// Creates the job, unless one of the monitor waits or runs already: then that is the one. The caller holds
/// the monitor's lock, so that two who ask at once do not make two.
pub(super) async fn monitor_enqueue(
    tx: &mut OrgTx,
    id: MonitorId,
    at: Option<DateTime<Utc>>,
) -> Result<JobId, StoreError> {
    let open = sqlx::query_scalar!(
        "select id from ops.jobs
          where organization_id = $1 and subject_id = $2 and kind = $3 and state in ('queued', 'running')
          limit 1",
        tx.organization().uuid(),
        id.uuid(),
        JOB_KIND,
    )
    .fetch_optional(tx.conn())
    .await?;
    if let Some(open) = open {
        return Ok(open.into());
    }
    let payload = serde_json::to_value(JobPayload { monitor: id, at })?;
    tx.enqueue(NewJob { kind: JOB_KIND, payload, subject: Some(id.uuid()) }).await
}

/// Has a monitor run now.
///
/// # Errors
/// `not_found`; `invalid_transition` when it is not active; `invalid` with all that is wrong or missing.
pub async fn monitor_run_now(tx: &mut OrgTx, id: MonitorId) -> Result<MonitorRun, Problem> {
    let monitor = monitor_get(tx, id).await?;
    if monitor.status != "active" {
        return Err(Problem::new(
            Code::InvalidTransition,
            format!("The monitor is {}, so it does not run", monitor.status),
        ));
    }
    let mut faults = Definition::of(&monitor).err().unwrap_or_default();
    faults.extend(column_faults(tx, &monitor).await?);
    Problem::unless_empty(faults)?;
    Ok(MonitorRun { monitor_id: id, job_id: monitor_enqueue(tx, id, None).await? })
}
