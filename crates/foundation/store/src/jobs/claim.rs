//! Take a job, keep it, lose it.

use ephor_kernel::{JobId, OrganizationId, Principal, Scope, SystemPart};
use uuid::Uuid;

use super::{context::Progress, event::worker_scope, new::Creation};
use crate::{
    Store, StoreError,
    outbox::{JobNews, job_append},
};

/// A job that this worker runs.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) id: JobId,
    pub(super) scope: Scope,
    pub(super) kind: String,
    pub(super) payload: serde_json::Value,
    pub(super) subject: Option<Uuid>,
    pub(super) attempt: i32,
    pub(super) max_attempts: i32,
    pub(super) is_cancelled: bool,
    pub(super) last_error: Option<String>,
    pub(super) worker: String,
}

/// What the database says to a sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pulse {
    /// Go on.
    Keep,
    /// Somebody wants it stopped.
    Cancel,
    /// It is not ours any more: another worker was given it.
    Lost,
}

/// The kind of a job that waits, without taking it.
pub(super) async fn job_kind(
    store: &Store,
    organization: OrganizationId,
    id: JobId,
) -> Result<Option<String>, StoreError> {
    let mut tx = store.begin_system(&worker_scope(organization)).await?;
    let kind = sqlx::query_scalar!(
        "select kind from ops.jobs where organization_id = $1 and id = $2 and state = 'queued'",
        organization.uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(kind)
}

/// Takes a job that waits. `None`: somebody else has it, or it has come to its end.
pub(super) async fn job_claim(
    store: &Store,
    organization: OrganizationId,
    id: JobId,
    worker: &str,
) -> Result<Option<Claim>, StoreError> {
    let mut tx = store.begin_system(&worker_scope(organization)).await?;
    let row = sqlx::query!(
        "update ops.jobs
            set state = 'running', attempts = attempts + 1, worker = $3, heartbeat_at = clock_timestamp(),
                started_at = coalesce(started_at, clock_timestamp())
          where organization_id = $1 and id = $2 and state = 'queued'
         returning kind, payload, subject_id, attempts, max_attempts, cancel_requested, context, error",
        organization.uuid(),
        id.uuid(),
        worker,
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else { return Ok(None) };
    job_append(&mut tx, id, JobNews::Changed).await?;
    tx.commit().await?;
    let Creation { permissions, request } = serde_json::from_value(row.context)?;
    let worker_principal = Principal::System(SystemPart::Worker);
    Ok(Some(Claim {
        id,
        scope: Scope::new(worker_principal, organization, permissions, request),
        kind: row.kind,
        payload: row.payload,
        subject: row.subject_id,
        attempt: row.attempts,
        max_attempts: row.max_attempts,
        is_cancelled: row.cancel_requested,
        last_error: row.error,
        worker: worker.to_owned(),
    }))
}

/// Gives a sign of life, with news of the progress when there is any.
pub(super) async fn job_pulse(
    store: &Store,
    claim: &Claim,
    progress: Option<&Progress>,
) -> Result<Pulse, StoreError> {
    let mut tx = store.begin_system(&claim.scope).await?;
    let cancel = sqlx::query_scalar!(
        "update ops.jobs
            set heartbeat_at = clock_timestamp(),
                progress = coalesce($5, progress),
                message = coalesce($6, message)
          where organization_id = $1 and id = $2 and state = 'running' and worker = $3 and attempts = $4
         returning cancel_requested",
        claim.scope.organization().uuid(),
        claim.id.uuid(),
        claim.worker,
        claim.attempt,
        progress.map(|progress| progress.fraction),
        progress.map(|progress| progress.message.as_str()),
    )
    .fetch_optional(tx.conn())
    .await?;
    if progress.is_some() && cancel.is_some() {
        job_append(&mut tx, claim.id, JobNews::Changed).await?;
    }
    tx.commit().await?;
    Ok(match cancel {
        None => Pulse::Lost,
        Some(true) => Pulse::Cancel,
        Some(false) => Pulse::Keep,
    })
}
