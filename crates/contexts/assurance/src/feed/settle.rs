//! What becomes true with a row feed's data set, in one transaction with it: its batches are stored, and
//! the analysis is asked for.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use ephor_kernel::{Code, DatasetId, JobId, ModelId, Problem, RowFeedId};
use ephor_store::{OrgTx, StoreError};
use uuid::Uuid;

use super::{
    columns::specification,
    flush::{Next, Waiting, flush_if_due},
};
use crate::analysis::{AnalysisCreate, analysis_attempt};

/// Rows that a data set was made of.
pub(super) struct Flushed {
    /// Whose they are.
    pub feed: RowFeedId,
    /// The batches that were in no data set yet, by their last rows' numbers.
    pub waited: Vec<i64>,
    /// The last row's number of the first batch of all.
    pub first: i64,
    /// How many rows there are.
    pub rows: i64,
    /// Set when another worker stored them first.
    pub outrun: Arc<AtomicBool>,
}

/// Marks them, forgets what has left the newest rows, and asks for the analysis.
pub(super) async fn settled(
    tx: &mut OrgTx,
    dataset: DatasetId,
    flushed: Flushed,
) -> Result<(), Problem> {
    let organization = tx.organization().uuid();
    let feed = flushed.feed.uuid();
    let row = sqlx::query!(
        "select name, model_id, parameters, analyse_after, keep_rows from assurance.row_feeds
          where organization_id = $1 and id = $2 for update",
        organization,
        feed,
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("row feed"))?;
    let marked = sqlx::query!(
        "update assurance.row_feed_batches set stored_at = now()
          where organization_id = $1 and feed_id = $2 and until_row = any($3) and stored_at is null",
        organization,
        feed,
        &flushed.waited,
    )
    .execute(tx.conn())
    .await
    .map_err(StoreError::from)?;
    if marked.rows_affected() != flushed.waited.len() as u64 {
        flushed.outrun.store(true, Ordering::Relaxed);
        return Err(Problem::new(Code::Conflict, "Another worker has stored these rows"));
    }
    forget(tx, &flushed).await?;
    followed(tx, feed, dataset).await?;

    let asked = match row.parameters {
        Some(parameters) => {
            let model = row.model_id.map(ModelId::from);
            analysis(tx, &row.name, dataset, model, parameters).await?
        }
        None => Ok(None),
    };
    let (analysis, failure) = match asked {
        Ok(analysis) => (analysis, String::new()),
        Err(problem) => (None, problem.detail.chars().take(2_000).collect()),
    };
    let left = sqlx::query!(
        r#"select coalesce(sum(row_count), 0)::bigint as "rows!", coalesce(sum(byte_count), 0)::bigint as "bytes!"
             from assurance.row_feed_batches
            where organization_id = $1 and feed_id = $2 and stored_at is null"#,
        organization,
        feed,
    )
    .fetch_one(tx.conn())
    .await
    .map_err(StoreError::from)?;
    // What came in meanwhile found this job under way, and asked for none.
    let waiting = Waiting {
        rows: left.rows,
        bytes: left.bytes,
        analyse_after: row.analyse_after,
        keep_rows: row.keep_rows,
    };
    let Next { job, wait } = flush_if_due(tx, flushed.feed, waiting).await?;
    sqlx::query!(
        "update assurance.row_feeds
            set dataset_id = $3, analysis_id = coalesce($4, analysis_id), rows_stored = $5, rows_waiting = $6,
                bytes_waiting = $7, last_stored_at = now(), flush_job_id = $8, last_failure = $9,
                next_flush_at = least(next_flush_at, now() + $10 * interval '1 second')
          where organization_id = $1 and id = $2",
        organization,
        feed,
        dataset.uuid(),
        analysis.map(ephor_kernel::AnalysisId::uuid),
        flushed.rows,
        left.rows,
        left.bytes,
        job.map(JobId::uuid),
        failure,
        wait.map(|seconds| seconds as f64),
    )
    .execute(tx.conn())
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// Rows that no later data set holds are not needed any more; their batches' keys are, for a day.
async fn forget(tx: &mut OrgTx, flushed: &Flushed) -> Result<(), StoreError> {
    let (organization, feed) = (tx.organization().uuid(), flushed.feed.uuid());
    sqlx::query!(
        "update assurance.row_feed_batches set body = null
          where organization_id = $1 and feed_id = $2 and until_row < $3 and body is not null
            and stored_at is not null",
        organization,
        feed,
        flushed.first,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "delete from assurance.row_feed_batches
          where organization_id = $1 and feed_id = $2 and body is null and created_at < now() - interval '1 day'",
        organization,
        feed,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A data set never changes: a monitor that waits for rows of the row feed's newest one waits for this one's,
/// which the event of its storing tells it of.
async fn followed(tx: &mut OrgTx, feed: Uuid, dataset: DatasetId) -> Result<(), StoreError> {
    sqlx::query!(
        "update assurance.monitors as m set current_dataset_id = $3
           from assurance.row_feeds as f
          where m.organization_id = $1 and f.organization_id = $1 and f.id = $2
            and m.current_dataset_id = f.dataset_id and m.on_arrival and m.status <> 'archived'",
        tx.organization().uuid(),
        feed,
        dataset.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Asks for the analysis. When it is refused, as beyond what the plan allows, the rows are stored all
/// the same, and the reason is told.
async fn analysis(
    tx: &mut OrgTx,
    feed: &str,
    dataset: DatasetId,
    model_id: Option<ModelId>,
    parameters: serde_json::Value,
) -> Result<Result<Option<ephor_kernel::AnalysisId>, Problem>, Problem> {
    let parameters = match specification(&parameters) {
        Ok(parameters) => parameters,
        Err(faults) => {
            let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
            let why = format!("The specification cannot be read: {}", told.join("; "));
            return Ok(Err(Problem::new(Code::Malformed, why)));
        }
    };
    let create = AnalysisCreate {
        name: Some(feed.to_owned()),
        description: format!("Rows of the row feed {feed}"),
        dataset_id: dataset,
        model_id,
        parameters,
    };
    let asked = analysis_attempt(tx, &create).await?;
    Ok(asked.map(Some))
}
