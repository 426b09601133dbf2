//! Read jobs.

use chrono::{DateTime, Utc};
use ephor_kernel::JobId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{OrgTx, StoreError};

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It waits for a worker, or for its next attempt.
    Queued,
    /// A worker runs it.
    Running,
    /// It is done.
    Completed,
    /// It could not be done.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl JobState {
    /// The word that PostgreSQL stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Has it come to its end?
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    pub(super) fn parse(word: &str) -> Self {
        match word {
            "running" => Self::Running,
            "completed" => Self::Completed,
            "failed" => Self::Failed,
            "cancelled" => Self::Cancelled,
            // The constraint leaves no other.
            _ => Self::Queued,
        }
    }
}

/// A job, as those may see it who may see what it is about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Job {
    /// The job.
    pub id: JobId,
    /// What is done.
    pub kind: String,
    /// What it is about.
    pub subject: Option<Uuid>,
    /// How far it is.
    pub state: JobState,
    /// The part that is done, 0 to 1.
    pub progress: f64,
    /// What is being done at the moment, for people.
    pub message: Option<String>,
    /// Somebody wants it stopped.
    pub cancel_requested: bool,
    /// How often it was begun.
    pub attempts: i32,
    /// How often it is begun at most.
    pub max_attempts: i32,
    /// What came of it.
    pub result: Option<serde_json::Value>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// Who wanted it done.
    pub created_by: Uuid,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was begun for the first time.
    pub started_at: Option<DateTime<Utc>>,
    /// When it came to its end.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Which jobs to list.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Those about this thing.
    pub subject: Option<Uuid>,
    /// Those of this kind.
    pub kind: Option<String>,
    /// Those in this state.
    pub state: Option<JobState>,
    /// At most so many, 1 to 200; 50 when zero.
    pub limit: u16,
}

macro_rules! job {
    ($row:expr) => {{
        let row = $row;
        Job {
            id: JobId::from(row.id),
            kind: row.kind,
            subject: row.subject_id,
            state: JobState::parse(&row.state),
            progress: row.progress,
            message: row.message,
            cancel_requested: row.cancel_requested,
            attempts: row.attempts,
            max_attempts: row.max_attempts,
            result: row.result,
            error: row.error,
            created_by: row.created_by,
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
        }
    }};
}

/// One job of the transaction's organization.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none of that id.
pub async fn job_get(tx: &mut OrgTx, id: JobId) -> Result<Job, StoreError> {
    sqlx::query!(
        "select id, kind, subject_id, state, progress, message, cancel_requested, attempts, max_attempts,
                result, error, created_by, created_at, started_at, finished_at
           from ops.jobs where organization_id = $1 and id = $2",
        tx.organization().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?
    .map(|row| job!(row))
    .ok_or(StoreError::NotFound("job"))
}

/// The newest jobs of the transaction's organization, newest first.
pub async fn job_list(tx: &mut OrgTx, filter: &JobFilter) -> Result<Vec<Job>, StoreError> {
    let JobFilter { subject, kind, state, limit } = filter;
    let limit = if *limit == 0 { 50 } else { (*limit).min(200) };
    let rows = sqlx::query!(
        "select id, kind, subject_id, state, progress, message, cancel_requested, attempts, max_attempts,
                result, error, created_by, created_at, started_at, finished_at
           from ops.jobs
          where organization_id = $1
            and ($2::uuid is null or subject_id = $2)
            and ($3::text is null or kind = $3)
            and ($4::text is null or state = $4)
          order by created_at desc, id
          limit $5",
        tx.organization().uuid(),
        *subject,
        kind.as_deref(),
        state.map(JobState::as_str),
        i64::from(limit),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| job!(row)).collect())
}
