//! Create a job.

use ephor_kernel::{JobId, PermissionSet, RequestContext};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    OrgTx, StoreError,
    outbox::{JobNews, job_append},
};

/// Work that is to be done in the background.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// What is to be done: the word of the [`JobHandler`](super::JobHandler) that does it.
    pub kind: &'static str,
    /// What to do it with.
    pub payload: serde_json::Value,
    /// What it is about, such as the bias analysis that it runs.
    pub subject: Option<Uuid>,
}

/// What a job keeps of the scope that created it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Creation {
    pub(super) permissions: PermissionSet,
    pub(super) request: RequestContext,
}

/// How often a job is begun at most, unless somebody asks for more patience.
pub(crate) const ATTEMPTS: i32 = 3;

/// Creates a job in the transaction's organization; it begins when that is committed.
pub(crate) async fn job_create(
    tx: &mut OrgTx,
    job: NewJob,
    attempts: i32,
) -> Result<JobId, StoreError> {
    let NewJob { kind, payload, subject } = job;
    let id = JobId::new();
    let creation = Creation {
        permissions: tx.scope().permissions().clone(),
        request: tx.scope().request().clone(),
    };
    let (organization, creator) = (tx.organization().uuid(), tx.scope().principal().uuid());
    sqlx::query!(
        "insert into ops.jobs (organization_id, id, kind, payload, subject_id, context, created_by, max_attempts)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        organization,
        id.uuid(),
        kind,
        payload,
        subject,
        serde_json::to_value(creation)?,
        creator,
        attempts,
    )
    .execute(tx.conn())
    .await?;
    job_append(tx, id, JobNews::Run).await?;
    Ok(id)
}
