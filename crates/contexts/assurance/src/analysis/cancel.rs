//! Stop an analysis.

use ephor_kernel::{AnalysisId, DomainEvent, Problem};
use ephor_store::{OrgTx, StoreError, jobs::Cancelled};

use crate::stop::stop;

/// Stops an analysis: at once while it is queued, else as soon as its scan notices.
///
/// # Errors
/// `not_found`; `invalid_transition` when it has already come to its end.
pub async fn analysis_cancel(tx: &mut OrgTx, id: AnalysisId) -> Result<(), Problem> {
    let row = sqlx::query!(
        "select status, job_id from assurance.bias_analyses
          where organization_id = $1 and id = $2 for update",
        tx.organization().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("bias analysis"))?;
    let stopped = stop(tx, "analysis", &row.status, row.job_id).await?;
    // What has begun is written down by its runner, when it has stopped.
    if stopped == Cancelled::AtOnce {
        super::analysis_cancelled(tx, id).await?;
        tx.emit(&DomainEvent::AnalysisCancelled { analysis: id }).await?;
    }
    Ok(())
}
