//! Record how an attempt ended.

use std::time::Duration;

use super::{claim::Claim, context::Progress};
use crate::{
    Store, StoreError,
    outbox::{JobNews, job_append},
};

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum End {
    /// The work is done.
    Completed(Option<serde_json::Value>),
    /// It was stopped by somebody.
    Cancelled,
    /// It failed, and is tried again after this time.
    Again(String, Duration),
    /// It failed for good.
    Failed(String),
    /// This worker has to go: another takes it over at once, and it is no failed attempt.
    HandedBack,
}

/// Records the end of an attempt. `false`: it was not ours any more, and nothing was recorded.
pub(super) async fn job_finish(
    store: &Store,
    claim: &Claim,
    progress: &Progress,
    end: &End,
) -> Result<bool, StoreError> {
    let (state, result, error) = match end {
        End::Completed(result) => ("completed", result.clone(), None),
        End::Cancelled => ("cancelled", None, None),
        End::Again(reason, _) => ("queued", None, Some(reason)),
        End::Failed(reason) => ("failed", None, Some(reason)),
        End::HandedBack => ("queued", None, None),
    };
    let delay = if let End::Again(_, delay) = end { *delay } else { Duration::ZERO };
    let not_counted = i32::from(matches!(end, End::HandedBack));
    let mut tx = store.begin_system(&claim.scope).await?;
    let recorded = sqlx::query!(
        "update ops.jobs
            set state = $5,
                progress = case $5 when 'completed' then 1 when 'queued' then 0 else $6::float8 end,
                message = coalesce(nullif($7::text, ''), message),
                result = coalesce($8::jsonb, result),
                error = case $5 when 'completed' then null else coalesce($9::text, error) end,
                attempts = attempts - $11::integer,
                run_after = clock_timestamp() + make_interval(secs => $10),
                finished_at = case $5 when 'queued' then null else clock_timestamp() end
          where organization_id = $1 and id = $2 and state = 'running' and worker = $3 and attempts = $4",
        claim.scope.organization().uuid(),
        claim.id.uuid(),
        claim.worker,
        claim.attempt,
        state,
        progress.fraction,
        progress.message,
        result,
        error.map(String::as_str),
        delay.as_secs_f64(),
        not_counted,
    )
    .execute(tx.conn())
    .await?
    .rows_affected()
        == 1;
    if recorded {
        let news = if state == "queued" { JobNews::Run } else { JobNews::Changed };
        job_append(&mut tx, claim.id, news).await?;
    }
    tx.commit().await?;
    Ok(recorded)
}

/// How long to wait before the next attempt: doubled with each, up to five minutes.
pub(super) fn backoff(first: Duration, attempt: i32) -> Duration {
    let doublings = attempt.clamp(1, 20) as u32 - 1;
    first.saturating_mul(1 << doublings).min(Duration::from_mins(5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound() {
        let first = Duration::from_secs(1);
        let waits: Vec<u64> =
            [1, 2, 3, 4, 9, 10, 100].map(|n| backoff(first, n).as_secs()).to_vec();
        assert_eq!(waits, [1, 2, 4, 8, 256, 300, 300]);
    }
}
