//! Write down how far an explanation is and what came of it. Every step can be repeated: a job runs at least once.

use ephor_explain::summary::Summary;
use ephor_kernel::{DomainEvent, ExplanationId, Problem};
use ephor_store::{OrgTx, StoreError};
use ephor_tabular::Stored;
use object_store::path::Path;
use serde_json::Value;

use super::documents::Documents;

/// The work begins, or begins anew. False when there is nothing to do any more.
pub(super) async fn explanation_started(
    tx: &mut OrgTx,
    id: ExplanationId,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update assurance.model_explanations
            set status = 'running', started_at = coalesce(started_at, now())
          where organization_id = $1 and id = $2 and status in ('queued', 'running')",
        tx.organization().uuid(),
        id.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What was found, ready to be stored.
pub(super) struct Found {
    pub rows: u64,
    pub summary: Value,
    pub documents: Documents,
    pub path: Path,
    pub stored: Stored,
}

impl Found {
    /// The digest as it will be read again.
    ///
    /// # Errors
    /// When it holds numbers that JSON does not have.
    pub fn new(summary: &Summary, path: Path, stored: Stored) -> Result<Self, serde_json::Error> {
        let text = serde_json::to_string(summary)?;
        let _: Summary = serde_json::from_str(&text)?;
        Ok(Self {
            rows: summary.rows,
            summary: serde_json::from_str(&text)?,
            documents: Documents::of(summary),
            path,
            stored,
        })
    }
}

/// The digest, and where the values are. False when another worker was quicker, or somebody cancelled or deleted it: what is
/// there stays.
pub(super) async fn explanation_completed(
    tx: &mut OrgTx,
    id: ExplanationId,
    found: &Found,
) -> Result<bool, Problem> {
    let Found { rows, summary, documents, path, stored } = found;
    let done = sqlx::query!(
        "update assurance.model_explanations
            set status = 'completed', completed_at = now(), row_count = $3, summary = $4, values_path = $5,
                values_bytes = $6, values_sha256 = $7, shap_values = $8, lime_explanation = $9,
                feature_importance = $10, global_explanations = $11
          where organization_id = $1 and id = $2 and status = 'running'",
        tx.organization().uuid(),
        id.uuid(),
        i64::try_from(*rows).unwrap_or(i64::MAX),
        summary,
        path.to_string(),
        i64::try_from(stored.bytes).unwrap_or(i64::MAX),
        stored.sha256,
        documents.shap_values,
        documents.lime_explanation,
        documents.feature_importance,
        documents.global_explanations,
    )
    .execute(tx.conn())
    .await
    .map_err(StoreError::from)?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    ended(tx, id, "completed").await?;
    Ok(true)
}

/// It could not be done; `reason` says why and what to do.
pub(super) async fn explanation_failed(
    tx: &mut OrgTx,
    id: ExplanationId,
    reason: &str,
) -> Result<(), StoreError> {
    let done = sqlx::query!(
        "update assurance.model_explanations
            set status = 'failed', completed_at = now(), failure = $3
          where organization_id = $1 and id = $2 and status in ('queued', 'running')",
        tx.organization().uuid(),
        id.uuid(),
        reason,
    )
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 1 {
        ended(tx, id, "failed").await?;
    }
    Ok(())
}

/// Somebody stopped it.
pub(super) async fn explanation_cancelled(
    tx: &mut OrgTx,
    id: ExplanationId,
) -> Result<(), StoreError> {
    let done = sqlx::query!(
        "update assurance.model_explanations
            set status = 'cancelled', completed_at = now()
          where organization_id = $1 and id = $2 and status in ('queued', 'running')",
        tx.organization().uuid(),
        id.uuid(),
    )
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 1 {
        ended(tx, id, "cancelled").await?;
    }
    Ok(())
}

async fn ended(tx: &mut OrgTx, id: ExplanationId, status: &str) -> Result<(), StoreError> {
    tx.emit(&DomainEvent::ExplanationEnded { explanation: id, status: status.to_owned() }).await
}
