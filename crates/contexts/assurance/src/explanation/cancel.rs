//! Stop an explanation.

use ephor_kernel::{Code, ExplanationId, JobId, Problem};
use ephor_store::{
    OrgTx, StoreError,
    jobs::{Cancelled, job_cancel},
};

use super::record::explanation_cancelled;

/// Stops an explanation: at once while it is queued, else as soon as its work notices.
///
/// # Errors
/// `not_found`; `invalid_transition` when it has already come to its end.
pub async fn explanation_cancel(tx: &mut OrgTx, id: ExplanationId) -> Result<(), Problem> {
    let row = sqlx::query!(
        "select status, job_id from assurance.model_explanations
          where organization_id = $1 and id = $2 for update",
        tx.organization().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("explanation"))?;
    if !matches!(row.status.as_str(), "queued" | "running") {
        return Err(Problem::new(
            Code::InvalidTransition,
            format!("The explanation is {} already, so there is nothing to cancel", row.status),
        ));
    }
    let stopped = match row.job_id.map(JobId::from) {
        Some(job) => job_cancel(tx, job).await?,
        None => Cancelled::AtOnce,
    };
    // What has begun is written down by its runner, when it has stopped.
    if stopped == Cancelled::AtOnce {
        explanation_cancelled(tx, id).await?;
    }
    Ok(())
}
