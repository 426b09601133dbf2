//! Look at an analysis.

use chrono::{DateTime, Utc};
use ephor_fairness::task::{Task, TaskResult};
use ephor_kernel::{AnalysisId, DatasetId, JobId, ModelId, ModelVersionId, Problem, UserId};
use ephor_store::{OrgTx, StoreError};
use rust_decimal::Decimal;

/// An analysis without its result, which may be large.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Analysis {
    /// The analysis.
    pub id: AnalysisId,
    /// A name for people.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The data set.
    pub dataset_id: Option<DatasetId>,
    /// The model.
    pub model_id: Option<ModelId>,
    /// The model's version that was in force when it was asked for.
    pub model_version_id: Option<ModelVersionId>,
    /// What the model predicts: binary, regression, multiclass or ranking.
    pub task: String,
    /// Its type.
    pub analysis_type: String,
    /// The specification.
    pub parameters: serde_json::Value,
    /// queued, running, completed, failed or cancelled.
    pub status: String,
    /// The job that runs it.
    pub job_id: Option<JobId>,
    /// From 0 to 1.
    pub progress: f64,
    /// What it is doing.
    pub progress_message: String,
    /// pass, warning or fail, once completed.
    pub outcome: Option<String>,
    /// 0 to 100.
    pub compliance_score: Option<Decimal>,
    /// Rows read.
    pub row_count: Option<i64>,
    /// Metrics beyond their threshold.
    pub failed_count: Option<i32>,
    /// Metrics beyond their threshold, but within noise.
    pub warning_count: Option<i32>,
    /// SHA-256 of the result.
    pub metrics_sha256: Option<String>,
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

impl Analysis {
    /// Is it at its end?
    pub fn ended(&self) -> bool {
        matches!(self.status.as_str(), "completed" | "failed" | "cancelled")
    }
}

/// One analysis of the organization.
///
/// Its progress is the job's while it runs, so that a running analysis writes no audited row a second.
///
/// # Errors
/// `not_found`.
pub async fn analysis_get(tx: &mut OrgTx, id: AnalysisId) -> Result<Analysis, Problem> {
    let row = sqlx::query!(
        r#"select a.id, a.name, a.description, a.dataset_id, a.model_id, a.model_version_id, a.task, a.analysis_type, a.parameters,
                  a.status, a.job_id,
                  case when a.status = 'running' then coalesce(j.progress, a.progress) else a.progress end as "progress!",
                  case when a.status = 'running' then coalesce(j.message, a.progress_message) else a.progress_message end as "message!",
                  a.outcome, a.compliance_score, a.row_count, a.failed_count, a.warning_count, a.metrics_sha256,
                  a.failure, a.created_by, a.created_at, a.started_at, a.completed_at
             from assurance.bias_analyses a
             left join ops.jobs j on j.organization_id = $1 and j.id = a.job_id
            where a.organization_id = $1 and a.id = $2"#,
        tx.organization().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("bias analysis"))?;
    Ok(Analysis {
        id: row.id.into(),
        name: row.name,
        description: row.description,
        dataset_id: row.dataset_id.map(Into::into),
        model_id: row.model_id.map(Into::into),
        model_version_id: row.model_version_id.map(Into::into),
        task: row.task,
        analysis_type: row.analysis_type,
        parameters: row.parameters,
        status: row.status,
        job_id: row.job_id.map(Into::into),
        progress: row.progress,
        progress_message: row.message,
        outcome: row.outcome,
        compliance_score: row.compliance_score,
        row_count: row.row_count,
        failed_count: row.failed_count,
        warning_count: row.warning_count,
        metrics_sha256: row.metrics_sha256,
        failure: row.failure,
        created_by: row.created_by.into(),
        created_at: row.created_at,
        started_at: row.started_at,
        completed_at: row.completed_at,
    })
}

/// What an analysis found; `None` while it has not completed, and of one that another system ran: its result
/// is kept as it came, in a shape of its own.
///
/// # Errors
/// `not_found`.
pub async fn analysis_result(
    tx: &mut OrgTx,
    id: AnalysisId,
) -> Result<Option<TaskResult>, Problem> {
    let row = sqlx::query!(
        "select task, case when origin = 'ephor' then metrics end as metrics
           from assurance.bias_analyses where organization_id = $1 and id = $2",
        tx.organization().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("bias analysis"))?;
    let Some(metrics) = row.metrics else { return Ok(None) };
    let task = Task::named(&row.task).ok_or_else(Problem::internal)?;
    TaskResult::read(task, metrics).map(Some).map_err(|error| {
        tracing::error!(%error, analysis = %id, "a stored result could not be read");
        Problem::internal()
    })
}
