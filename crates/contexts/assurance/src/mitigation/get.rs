//! Look at a mitigation.

use axum::response::Response;
use chrono::{DateTime, Utc};
use ephor_fairness::MitigationArtifact;
use ephor_kernel::{AnalysisId, Code, DatasetId, JobId, MitigationId, Problem, UserId};
use ephor_store::{OrgTx, StoreError};
use serde_json::Value;

use crate::reports::{attachment, pretty};

/// A mitigation without its artefact, which may be large.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Mitigation {
    /// The mitigation.
    pub id: MitigationId,
    /// A name for people.
    pub name: String,
    /// The analysis whose finding it is to mend.
    pub analysis_id: AnalysisId,
    /// The data set that it is computed from.
    pub dataset_id: DatasetId,
    /// reweighing, threshold or `reject_option`.
    pub kind: String,
    /// What is to be equal.
    pub fairness_constraint: String,
    /// The specification.
    pub parameters: Value,
    /// queued, running, completed or failed.
    pub status: String,
    /// The job that computes it.
    pub job_id: Option<JobId>,
    /// From 0 to 1.
    pub progress: f64,
    /// What it is doing.
    pub progress_message: String,
    /// Rows read.
    pub row_count: Option<i64>,
    /// SHA-256 of the artefact.
    pub artifact_sha256: Option<String>,
    /// Disparities and accuracy before and after, on the data that it was made from.
    pub expected: Option<Value>,
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

impl Mitigation {
    /// Is it at its end?
    pub fn ended(&self) -> bool {
        matches!(self.status.as_str(), "completed" | "failed")
    }
}

/// One mitigation of the organization. Its progress is the job's.
///
/// # Errors
/// `not_found`.
pub async fn mitigation_get(tx: &mut OrgTx, id: MitigationId) -> Result<Mitigation, Problem> {
    let row = sqlx::query!(
        r#"select m.id, m.name, m.analysis_id, m.dataset_id, m.kind, m.fairness_constraint, m.parameters, m.status, m.job_id,
                  case m.status when 'completed' then 1 when 'running' then coalesce(j.progress, 0) else 0 end as "progress!",
                  case m.status when 'running' then coalesce(j.message, '') else '' end as "message!",
                  m.row_count, m.artifact_sha256, m.expected, m.failure, m.created_by, m.created_at, m.started_at, m.completed_at
             from assurance.mitigation_artifacts m
             left join ops.jobs j on j.organization_id = $1 and j.id = m.job_id
            where m.organization_id = $1 and m.id = $2"#,
        tx.organization().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("mitigation"))?;
    Ok(Mitigation {
        id: row.id.into(),
        name: row.name,
        analysis_id: row.analysis_id.into(),
        dataset_id: row.dataset_id.into(),
        kind: row.kind,
        fairness_constraint: row.fairness_constraint,
        parameters: row.parameters,
        status: row.status,
        job_id: row.job_id.map(Into::into),
        progress: row.progress,
        progress_message: row.message,
        row_count: row.row_count,
        artifact_sha256: row.artifact_sha256,
        expected: row.expected,
        failure: row.failure,
        created_by: row.created_by.into(),
        created_at: row.created_at,
        started_at: row.started_at,
        completed_at: row.completed_at,
    })
}

/// The artefact of a mitigation.
///
/// # Errors
/// `not_found`; `conflict` when it has none, as it is not completed.
pub async fn mitigation_artifact(
    tx: &mut OrgTx,
    id: MitigationId,
) -> Result<MitigationArtifact, Problem> {
    let row = sqlx::query!(
        "select status, artifact from assurance.mitigation_artifacts where organization_id = $1 and id = $2",
        tx.organization().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("mitigation"))?;
    let Some(artifact) = row.artifact else {
        let detail = match row.status.as_str() {
            "failed" => "The mitigation failed and has no artefact".to_owned(),
            status => format!("The mitigation is {status}; ask again when it has completed"),
        };
        return Err(Problem::new(Code::Conflict, detail));
    };
    serde_json::from_value(artifact).map_err(|error| {
        tracing::error!(%error, mitigation = %id, "a stored artefact could not be read");
        Problem::internal()
    })
}

/// The artefact as the file that `ephor mitigate apply` takes.
///
/// # Errors
/// It could not be written, which only a lack of memory can cause.
pub fn mitigation_file(
    id: MitigationId,
    artifact: &MitigationArtifact,
) -> Result<Response, Problem> {
    let name = format!("mitigation-{id}.json");
    Ok(attachment("application/json", &name, pretty(artifact)?))
}
