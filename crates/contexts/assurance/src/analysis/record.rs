//! Write down how far an analysis is and what came of it. Every step can be repeated: a job
//! runs at least once.

use ephor_fairness::{
    Disparity, Status,
    task::{Found, TaskResult},
};
use ephor_kernel::{AnalysisId, DomainEvent, Problem, ResultId};
use ephor_store::{OrgTx, StoreError};
use rust_decimal::Decimal;

/// The work begins, or begins anew. False when there is nothing to do any more.
pub(crate) async fn analysis_started(tx: &mut OrgTx, id: AnalysisId) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update assurance.bias_analyses
            set status = 'running', started_at = coalesce(started_at, now())
          where organization_id = $1 and id = $2 and status in ('queued', 'running')",
        tx.organization().uuid(),
        id.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The worst status that was judged. What could not be judged is no pass: an analysis in which nothing could be is a warning,
/// the mildest outcome that says so.
fn outcome(result: &TaskResult) -> Status {
    result.status().unwrap_or(Status::Warning)
}

/// The result, its hash and its rows, and the event that it is there. Where nothing could be judged, the result says why.
pub(crate) async fn analysis_completed(
    tx: &mut OrgTx,
    id: AnalysisId,
    mut result: TaskResult,
) -> Result<(), Problem> {
    if let Some(why) = result.unjudged() {
        result.note(why);
    }
    let result = &result;
    let metrics = serde_json::to_value(result).map_err(|_| Problem::internal())?;
    let recommendations =
        serde_json::to_value(result.recommendations()).map_err(|_| Problem::internal())?;
    let score =
        result.compliance_score().and_then(Decimal::from_f64_retain).map(|score| score.round_dp(2));
    let counts = result.counts();
    let failed = i32::try_from(counts.fail).unwrap_or(i32::MAX);
    let warned = i32::try_from(counts.warning).unwrap_or(i32::MAX);
    let done = sqlx::query!(
        "update assurance.bias_analyses
            set status = 'completed', completed_at = now(), progress = 1, progress_message = '',
                outcome = $3, compliance_score = $4, row_count = $5, failed_count = $6, warning_count = $7,
                metrics = $8, metrics_sha256 = encode(sha256(convert_to(($8::jsonb)::text, 'UTF8')), 'hex'),
                recommendations = $9
          where organization_id = $1 and id = $2 and status = 'running'",
        tx.organization().uuid(),
        id.uuid(),
        outcome(result).as_str(),
        score,
        i64::try_from(result.rows().read).unwrap_or(i64::MAX),
        failed,
        warned,
        metrics,
        recommendations,
    )
    .execute(tx.conn())
    .await
    .map_err(StoreError::from)?;
    if done.rows_affected() == 0 {
        // Another worker was quicker, or somebody cancelled: what is there stays.
        return Ok(());
    }
    results_insert(tx, id, result).await?;
    tx.emit(&DomainEvent::AnalysisCompleted {
        analysis: id,
        failed: counts.fail.try_into().unwrap_or(u32::MAX),
        warned: counts.warning.try_into().unwrap_or(u32::MAX),
    })
    .await?;
    Ok(())
}

/// One row for each disparity, in one statement.
async fn results_insert(
    tx: &mut OrgTx,
    id: AnalysisId,
    result: &TaskResult,
) -> Result<(), Problem> {
    let row = |found: &Found<'_>| {
        let Disparity {
            id: metric,
            title,
            value,
            ideal,
            interval,
            threshold,
            status,
            worst_pair,
            n,
            undefined,
            left_out,
            sentence,
            p_value,
            p_adjusted,
            detectable,
            significance,
        } = found.disparity;
        let mut row = serde_json::json!({
            "id": ResultId::new(),
            "metric_name": metric,
            "metric_description": sentence,
            "attribute": found.attribute,
            "demographic_group": worst_pair.as_ref().map(|pair| &pair.low),
            "score": value,
            "interval_low": interval.as_ref().map(|interval| interval.lower),
            "interval_high": interval.as_ref().map(|interval| interval.upper),
            "threshold": threshold,
            "status": status.map(Status::as_str),
            "sample_size": n,
            "undefined_reason": undefined.as_deref().or(value.is_none().then_some("undefined")),
            "additional_data": {
                "title": title, "ideal": ideal, "worst_pair": worst_pair, "left_out": left_out,
                "p_value": p_value, "p_adjusted": p_adjusted, "detectable": detectable, "significance": significance,
            },
        });
        // Of one class against the rest, its name.
        if let Some(class) = found.class {
            row["additional_data"]["class"] = class.into();
        }
        row
    };
    let rows = serde_json::Value::Array(result.disparities().iter().map(row).collect());
    sqlx::query!(
        r#"insert into assurance.bias_analysis_results
               (organization_id, id, analysis_id, position, metric_name, metric_description, attribute,
                demographic_group, score, interval_low, interval_high, threshold, status, sample_size,
                undefined_reason, additional_data)
           select $1, (r ->> 'id')::uuid, $2, position - 1, r ->> 'metric_name', r ->> 'metric_description',
                  r ->> 'attribute', r ->> 'demographic_group', (r ->> 'score')::double precision,
                  (r ->> 'interval_low')::double precision, (r ->> 'interval_high')::double precision,
                  (r ->> 'threshold')::double precision, r ->> 'status', (r ->> 'sample_size')::bigint,
                  r ->> 'undefined_reason', r -> 'additional_data'
             from jsonb_array_elements($3::jsonb) with ordinality as listed (r, position)"#,
        tx.organization().uuid(),
        id.uuid(),
        rows,
    )
    .execute(tx.conn())
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// It could not be done; `reason` says why and what to do.
pub(crate) async fn analysis_failed(
    tx: &mut OrgTx,
    id: AnalysisId,
    reason: &str,
) -> Result<(), StoreError> {
    let done = sqlx::query!(
        "update assurance.bias_analyses
            set status = 'failed', completed_at = now(), failure = $3
          where organization_id = $1 and id = $2 and status in ('queued', 'running')",
        tx.organization().uuid(),
        id.uuid(),
        reason,
    )
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 1 {
        tx.emit(&DomainEvent::AnalysisFailed { analysis: id, reason: reason.to_owned() }).await?;
    }
    Ok(())
}

/// It was stopped.
pub(crate) async fn analysis_cancelled(tx: &mut OrgTx, id: AnalysisId) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update assurance.bias_analyses
            set status = 'cancelled', completed_at = now()
          where organization_id = $1 and id = $2 and status in ('queued', 'running')",
        tx.organization().uuid(),
        id.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}
