//! Stop an analysis.

use ephor_kernel::{AnalysisId, Code, DomainEvent, JobId, Problem};
use ephor_store::{
    OrgTx, StoreError,
    jobs::{Cancelled, job_cancel},
};

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
    if !matches!(row.status.as_str(), "queued" | "running") {
        return Err(Problem::new(
            Code::InvalidTransition,
            format!("The analysis is {} already, so there is nothing to cancel", row.status),
        ));
    }
    let stopped = match row.job_id.map(JobId::from) {
        Some(job) => job_cancel(tx, job).await?,
        None => Cancelled::AtOnce,
    };
    // What has begun is written down by its runner, when it has stopped.
    if stopped == Cancelled::AtOnce {
        super::analysis_cancelled(tx, id).await?;
        tx.emit(&DomainEvent::AnalysisCancelled { analysis: id }).await?;
    }
    Ok(())
}
