//! Look at a mitigation's application to a data set, and write down what came of it.

use chrono::{DateTime, Utc};
use ephor_kernel::{
    AnalysisId, DatasetId, JobId, MitigationApplicationId, MitigationId, Problem, UserId,
};
use ephor_store::{OrgTx, StoreError};
use serde_json::Value;

/// An application.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Application {
    /// The application.
    pub id: MitigationApplicationId,
    /// The name that the new data set is given.
    pub name: String,
    /// The mitigation.
    pub artifact_id: MitigationId,
    /// The data set that it is applied to, unless that is deleted.
    pub dataset_id: Option<DatasetId>,
    /// The column that it adds.
    pub column_name: String,
    /// The column that draws follow.
    pub row_id_column: Option<String>,
    /// queued, running, completed or failed.
    pub status: String,
    /// The job that applies it.
    pub job_id: Option<JobId>,
    /// From 0 to 1.
    pub progress: f64,
    /// What it is doing.
    pub progress_message: String,
    /// The new data set.
    pub result_dataset_id: Option<DatasetId>,
    /// The analysis of the data as they were.
    pub before_analysis_id: Option<AnalysisId>,
    /// The analysis of the data with the new column.
    pub after_analysis_id: Option<AnalysisId>,
    /// Rows of the new data set.
    pub row_count: Option<i64>,
    /// What was done.
    pub report: Option<Value>,
    /// Why it was not analysed, if it was not.
    pub note: String,
    /// Why it failed.
    pub failure: Option<String>,
    /// Who asked for it.
    pub created_by: UserId,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When its work began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it came to its end.
    pub completed_at: Option<DateTime<Utc>>,
}

/// One application of the organization. Its progress is the job's.
///
/// # Errors
/// `not_found`.
pub async fn application_get(
    tx: &mut OrgTx,
    id: MitigationApplicationId,
) -> Result<Application, Problem> {
    let row = sqlx::query!(
        r#"select a.id, a.name, a.artifact_id, a.dataset_id, a.column_name, a.row_id_column, a.status, a.job_id,
                  case a.status when 'completed' then 1 when 'running' then coalesce(j.progress, 0) else 0 end as "progress!",
                  case a.status when 'running' then coalesce(j.message, '') else '' end as "message!",
                  a.result_dataset_id, a.before_analysis_id, a.after_analysis_id, a.row_count, a.report, a.note,
                  a.failure, a.created_by, a.created_at, a.started_at, a.completed_at
             from assurance.mitigation_applications a
             left join ops.jobs j on j.organization_id = $1 and j.id = a.job_id
            where a.organization_id = $1 and a.id = $2"#,
        tx.organization().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("application"))?;
    Ok(Application {
        id: row.id.into(),
        name: row.name,
        artifact_id: row.artifact_id.into(),
        dataset_id: row.dataset_id.map(Into::into),
        column_name: row.column_name,
        row_id_column: row.row_id_column,
        status: row.status,
        job_id: row.job_id.map(Into::into),
        progress: row.progress,
        progress_message: row.message,
        result_dataset_id: row.result_dataset_id.map(Into::into),
        before_analysis_id: row.before_analysis_id.map(Into::into),
        after_analysis_id: row.after_analysis_id.map(Into::into),
        row_count: row.row_count,
        report: row.report,
        note: row.note,
        failure: row.failure,
        created_by: row.created_by.into(),
        created_at: row.created_at,
        started_at: row.started_at,
        completed_at: row.completed_at,
    })
}

/// The latest application of a mitigation that waits or runs.
///
/// # Errors
/// The database could not be read.
pub async fn application_under_way(
    tx: &mut OrgTx,
    artifact: MitigationId,
) -> Result<Option<Application>, Problem> {
    let id = sqlx::query_scalar!(
        "select id from assurance.mitigation_applications
          where organization_id = $1 and artifact_id = $2 and status in ('queued', 'running')
          order by created_at desc limit 1",
        tx.organization().uuid(),
        artifact.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?;
    match id {
        Some(id) => Ok(Some(application_get(tx, id.into()).await?)),
        None => Ok(None),
    }
}

/// The work begins, or begins anew. False when there is nothing to do any more.
pub(super) async fn application_started(
    tx: &mut OrgTx,
    id: MitigationApplicationId,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update assurance.mitigation_applications
            set status = 'running', started_at = coalesce(started_at, now())
          where organization_id = $1 and id = $2 and status in ('queued', 'running')",
        tx.organization().uuid(),
        id.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// It could not be done; `reason` says why and what to do.
pub(super) async fn application_failed(
    tx: &mut OrgTx,
    id: MitigationApplicationId,
    reason: &str,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update assurance.mitigation_applications
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
