//! Stop a job.

use ephor_kernel::JobId;

use super::query::JobState;
use crate::{
    OrgTx, StoreError,
    outbox::{JobNews, job_append},
};

/// How a job was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// It had not begun, and never will. Its handler is not told.
    AtOnce,
    /// It was begun: its handler is told, and has to come to an end.
    Requested,
}

/// Stops a job: at once if it was never begun, else by telling its handler, wherever it runs or will
/// run next.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::InvalidTransition`] when it has come to its end already.
pub async fn job_cancel(tx: &mut OrgTx, id: JobId) -> Result<Cancelled, StoreError> {
    let organization = tx.organization().uuid();
    let row = sqlx::query!(
        "select state, attempts from ops.jobs where organization_id = $1 and id = $2 for update",
        organization,
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?
    .ok_or(StoreError::NotFound("job"))?;
    let state = JobState::parse(&row.state);
    if state.has_ended() {
        return Err(StoreError::InvalidTransition(format!(
            "The job is {} already, so there is nothing to cancel",
            state.as_str()
        )));
    }
    // What was begun once may have left something that its handler must put right.
    let at_once = state == JobState::Queued && row.attempts == 0;
    sqlx::query!(
        "update ops.jobs
            set cancel_requested = true,
                state = case when $3 then 'cancelled' else state end,
                finished_at = case when $3 then now() end
          where organization_id = $1 and id = $2",
        organization,
        id.uuid(),
        at_once,
    )
    .execute(tx.conn())
    .await?;
    if at_once {
        job_append(tx, id, JobNews::Changed).await?;
        Ok(Cancelled::AtOnce)
    } else {
        job_append(tx, id, JobNews::Cancel).await?;
        Ok(Cancelled::Requested)
    }
}
