//! What a transaction leaves for the relay to hand over.

use ephor_kernel::{DomainEvent, JobId};
use uuid::Uuid;

use crate::{OrgTx, StoreError};

/// What the relay is to do about a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobNews {
    /// Hand it to the queue, to run at its `run_after`.
    Run,
    /// Tell those who watch it.
    Changed,
    /// Tell its worker to stop.
    Cancel,
}

impl JobNews {
    const fn kind(self) -> &'static str {
        match self {
            Self::Run => "job",
            Self::Changed => "job_update",
            Self::Cancel => "job_cancel",
        }
    }
}

/// Appends an event.
pub(crate) async fn event_append(tx: &mut OrgTx, event: &DomainEvent) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into ops.outbox (organization_id, id, kind, event) values ($1, $2, 'event', $3)",
        tx.organization().uuid(),
        Uuid::now_v7(),
        serde_json::to_value(event)?,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Appends news of a job.
pub(crate) async fn job_append(
    tx: &mut OrgTx,
    job: JobId,
    news: JobNews,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into ops.outbox (organization_id, id, kind, subject_id, due_at)
         select organization_id, $3, $4, id, case when $4 = 'job' and run_after > now() then run_after end
           from ops.jobs where organization_id = $1 and id = $2",
        tx.organization().uuid(),
        job.uuid(),
        Uuid::now_v7(),
        news.kind(),
    )
    .execute(tx.conn())
    .await?;
    tx.has_news();
    Ok(())
}
