//! Write down how far a mitigation is and what came of it. Every step can be repeated: a job runs at
//! least once.

use ephor_fairness::{MitigationArtifact, mitigation::Measures};
use ephor_kernel::{MitigationId, Problem};
use ephor_store::{OrgTx, StoreError};
use serde_json::{Value, json};

/// The work begins, or begins anew. False when there is nothing to do any more.
pub(super) async fn mitigation_started(
    tx: &mut OrgTx,
    id: MitigationId,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update assurance.mitigation_artifacts
            set status = 'running', started_at = coalesce(started_at, now())
          where organization_id = $1 and id = $2 and status in ('queued', 'running')",
        tx.organization().uuid(),
        id.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The artefact, its hash, and what is expected of it. What another worker has stored, or somebody deleted, stays so.
pub(super) async fn mitigation_completed(
    tx: &mut OrgTx,
    id: MitigationId,
    artifact: &MitigationArtifact,
) -> Result<(), Problem> {
    let whole = serde_json::to_value(artifact).map_err(|_| Problem::internal())?;
    sqlx::query!(
        "update assurance.mitigation_artifacts
            set status = 'completed', completed_at = now(), row_count = $3, artifact = $4,
                artifact_sha256 = encode(sha256(convert_to(($4::jsonb)::text, 'UTF8')), 'hex'), expected = $5
          where organization_id = $1 and id = $2 and status = 'running'",
        tx.organization().uuid(),
        id.uuid(),
        i64::try_from(artifact.data.rows).unwrap_or(i64::MAX),
        whole,
        expected(artifact),
    )
    .execute(tx.conn())
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// What is expected of everybody; each group's part stays in the artefact, which may have many.
fn expected(artifact: &MitigationArtifact) -> Value {
    let measures = |of: &Measures| {
        json!({
            "accuracy": of.accuracy,
            "balanced_accuracy": of.balanced_accuracy,
            "base_rate_difference": of.base_rate_difference,
            "demographic_parity_difference": of.demographic_parity_difference,
            "equal_opportunity_difference": of.equal_opportunity_difference,
            "false_positive_rate_difference": of.false_positive_rate_difference,
            "equalized_odds_difference": of.equalized_odds_difference,
        })
    };
    let expected = &artifact.expected;
    json!({
        "before": measures(&expected.before),
        "after": measures(&expected.after),
        "note": expected.note,
    })
}

/// It could not be done; `reason` says why and what to do.
pub(super) async fn mitigation_failed(
    tx: &mut OrgTx,
    id: MitigationId,
    reason: &str,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update assurance.mitigation_artifacts
            set status = 'failed', completed_at = now(), failure = $3
          where organization_id = $1 and id = $2 and status in ('queued', 'running')",
        tx.organization().uuid(),
        id.uuid(),
        reason,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
