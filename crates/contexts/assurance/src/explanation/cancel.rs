//! Stop an explanation.

use ephor_kernel::{ExplanationId, Problem};
use ephor_store::{OrgTx, StoreError, jobs::Cancelled};

use super::record::explanation_cancelled;
use crate::stop::stop;

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
    let stopped = stop(tx, "explanation", &row.status, row.job_id).await?;
    // What has begun is written down by its runner, when it has stopped.
    if stopped == Cancelled::AtOnce {
        explanation_cancelled(tx, id).await?;
    }
    Ok(())
}
