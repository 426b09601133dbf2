//! Look at an explanation.

use chrono::{DateTime, Utc};
use ephor_explain::summary::Summary;
use ephor_kernel::{
    AnalysisId, Code, DatasetId, ExplanationId, JobId, ModelArtifactId, ModelId, Problem, UserId,
};
use ephor_store::{OrgTx, StoreError};
use serde_json::Value;

/// An explanation without what it found, which may be large.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Explanation {
    /// The explanation.
    pub id: ExplanationId,
    /// The model.
    pub model_id: ModelId,
    /// The file of the model; none of an explanation that was imported.
    pub artifact_id: Option<ModelArtifactId>,
    /// The data set.
    pub dataset_id: Option<DatasetId>,
    /// The data set whose rows are compared with; none when they are rows of the data set itself.
    pub background_dataset_id: Option<DatasetId>,
    /// The analysis that it goes with.
    pub analysis_id: Option<AnalysisId>,
    /// shap, lime, permutation or global.
    pub explanation_type: String,
    /// The specification.
    pub parameters: Value,
    /// queued, running, completed, failed or cancelled.
    pub status: String,
    /// The job that computes it.
    pub job_id: Option<JobId>,
    /// From 0 to 1.
    pub progress: f64,
    /// What it is doing.
    pub progress_message: String,
    /// The rows that it is made of.
    pub row_count: Option<i64>,
    /// The size of the values, in bytes.
    pub values_bytes: Option<i64>,
    /// SHA-256 of the values.
    pub values_sha256: Option<String>,
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

impl Explanation {
    /// Is it at its end?
    pub fn ended(&self) -> bool {
        !matches!(self.status.as_str(), "queued" | "running")
    }
}

/// One explanation of the organization. Its progress is the job's.
///
/// # Errors
/// `not_found`.
pub async fn explanation_get(tx: &mut OrgTx, id: ExplanationId) -> Result<Explanation, Problem> {
    let row = sqlx::query!(
        r#"select e.id, e.model_id, e.artifact_id, e.dataset_id, e.background_dataset_id, e.analysis_id, e.explanation_type,
                  e.parameters, e.status, e.job_id,
                  case e.status when 'completed' then 1 when 'running' then coalesce(j.progress, 0) else 0 end as "progress!",
                  case e.status when 'running' then coalesce(j.message, '') else '' end as "message!",
                  e.row_count, e.values_bytes, e.values_sha256, e.failure, e.created_by, e.created_at, e.started_at,
                  e.completed_at
             from assurance.model_explanations e
             left join ops.jobs j on j.organization_id = $1 and j.id = e.job_id
            where e.organization_id = $1 and e.id = $2"#,
        tx.organization().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("explanation"))?;
    Ok(Explanation {
        id: row.id.into(),
        model_id: row.model_id.into(),
        artifact_id: row.artifact_id.map(Into::into),
        dataset_id: row.dataset_id.map(Into::into),
        background_dataset_id: row.background_dataset_id.map(Into::into),
        analysis_id: row.analysis_id.map(Into::into),
        explanation_type: row.explanation_type,
        parameters: row.parameters,
        status: row.status,
        job_id: row.job_id.map(Into::into),
        progress: row.progress,
        progress_message: row.message,
        row_count: row.row_count,
        values_bytes: row.values_bytes,
        values_sha256: row.values_sha256,
        failure: row.failure,
        created_by: row.created_by.into(),
        created_at: row.created_at,
        started_at: row.started_at,
        completed_at: row.completed_at,
    })
}

/// What an explanation found, digested.
///
/// # Errors
/// `not_found`; `conflict` when it found nothing yet, or another system made it.
pub async fn explanation_summary(tx: &mut OrgTx, id: ExplanationId) -> Result<Summary, Problem> {
    let row = sqlx::query!(
        "select status, summary from assurance.model_explanations where organization_id = $1 and id = $2",
        tx.organization().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("explanation"))?;
    let Some(summary) = row.summary else { return Err(nothing(&row.status)) };
    serde_json::from_value(summary).map_err(|error| {
        tracing::error!(%error, explanation = %id, "a stored digest could not be read");
        Problem::internal()
    })
}

/// Where the values of an explanation are, in the object store.
///
/// # Errors
/// As [`explanation_summary`].
pub(super) async fn explanation_values(
    tx: &mut OrgTx,
    id: ExplanationId,
) -> Result<String, Problem> {
    let row = sqlx::query!(
        "select status, values_path from assurance.model_explanations where organization_id = $1 and id = $2",
        tx.organization().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("explanation"))?;
    row.values_path.ok_or_else(|| nothing(&row.status))
}

fn nothing(status: &str) -> Problem {
    let detail = match status {
        "completed" => "Another system made this explanation; its values are not here".to_owned(),
        "failed" => "The explanation failed, and has no values".to_owned(),
        "cancelled" => "The explanation was cancelled, and has no values".to_owned(),
        status => format!("The explanation is {status}; ask again when it has completed"),
    };
    Problem::new(Code::Conflict, detail)
}
