//! What can go wrong with the database, and what a caller is told of it.

use ephor_kernel::{Code, Fault, Problem, Quota};
use sqlx::{
    error::ErrorKind,
    postgres::{PgDatabaseError, PgSeverity},
};

/// The database refused something, or could not be reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// PostgreSQL, or the way to it.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The configuration's URL is none.
    #[error(
        "the database URL of {login} cannot be read: {reason}; write postgres://user:password@host/database"
    )]
    Url {
        /// The login whose URL it is.
        login: &'static str,
        /// Why, without the URL, which holds a password.
        reason: String,
    },
    /// A value could not be written as JSON.
    #[error("a value could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Something that is named is not there, or not visible to the scope.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The state machine has no such step.
    #[error("{0}")]
    InvalidTransition(String),
}

impl StoreError {
    /// The name of the constraint that a statement violated.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Database(sqlx::Error::Database(error)) => error.constraint(),
            _ => None,
        }
    }

    /// PostgreSQL's five-letter code.
    pub fn sqlstate(&self) -> Option<String> {
        match self {
            Self::Database(sqlx::Error::Database(error)) => error.code().map(Into::into),
            _ => None,
        }
    }

    /// May the same statement succeed if it is tried again, with nothing changed by anybody?
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Database(error) => is_unavailable(error) || self.is_contention(),
            _ => false,
        }
    }

    /// Serialization failure, deadlock, lock or statement timeout.
    fn is_contention(&self) -> bool {
        matches!(self.sqlstate().as_deref(), Some("40001" | "40P01" | "55P03" | "57014"))
    }
}

/// Is the database not there, going down, coming up, full, or out of connections?
fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(error) => {
            // What ends a connection, or refuses one: the login, the database that takes nobody at the moment.
            let ended = error.try_downcast_ref::<PgDatabaseError>().is_some_and(|error| {
                matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic)
            });
            // Connection exceptions, insufficient resources, operator intervention but for a cancelled statement.
            ended
                || error.code().is_some_and(|code| {
                    ["08", "53", "57P"].iter().any(|class| code.starts_with(class))
                })
        }
        _ => false,
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(what) => Self::not_found(what),
            StoreError::InvalidTransition(why) => Self::new(Code::InvalidTransition, why),
            StoreError::Database(sqlx::Error::RowNotFound) => Self::not_found("thing"),
            StoreError::Database(ref cause) if is_unavailable(cause) => {
                tracing::error!(error = %error, "the database is not available");
                Self::new(
                    Code::Unavailable,
                    "The database cannot be reached at the moment; nothing was changed. Try again",
                )
                .retry_after(2)
            }
            ref contended if contended.is_contention() => {
                tracing::warn!(error = %error, "a statement was given up");
                Self::new(
                    Code::Unavailable,
                    "It took too long or clashed with another request at the same moment; nothing was changed. Try again",
                )
                .retry_after(1)
            }
            StoreError::Database(sqlx::Error::Database(ref refusal)) => {
                constraint_problem(refusal.as_ref()).unwrap_or_else(|| {
                    tracing::error!(error = %error, sqlstate = ?refusal.code(), "the database refused a statement");
                    Self::internal()
                })
            }
            StoreError::Database(_) | StoreError::Url { .. } | StoreError::Json(_) => {
                tracing::error!(error = %error, "the database could not be used");
                Self::internal()
            }
        }
    }
}

/// What a violated constraint means to the caller. It names the constraint, never the value: a value
/// may be another tenant's.
fn constraint_problem(error: &(dyn sqlx::error::DatabaseError + 'static)) -> Option<Problem> {
    let constraint = error.constraint().unwrap_or_default().to_owned();
    let fault =
        |code: &'static str, message: String| Problem::invalid(vec![Fault::new("", code, message)]);
    Some(match error.kind() {
        ErrorKind::UniqueViolation => {
            Problem::new(Code::Conflict, format!("There is one like it already ({constraint})"))
        }
        ErrorKind::ForeignKeyViolation => fault(
            "unknown_reference",
            format!(
                "It refers to something that is not there, or something refers to it ({constraint})"
            ),
        ),
        ErrorKind::CheckViolation => fault("check", format!("It breaks the rule {constraint}")),
        ErrorKind::ExclusionViolation => {
            Problem::new(Code::Conflict, format!("It overlaps with another ({constraint})"))
        }
        ErrorKind::NotNullViolation => {
            fault("required", "A value that must be given is missing".to_owned())
        }
        _ => match error.code()?.as_ref() {
            LIMIT_REACHED => return limit_problem(error),
            // Class 22: a value of the wrong form or range; PostgreSQL's words name it well.
            code if code.starts_with("22") => fault("value", error.message().to_owned()),
            _ => return None,
        },
    })
}

/// What `door.limit_keep` raises; its detail names the limit in JSON.
const LIMIT_REACHED: &str = "EPL01";

#[derive(serde::Deserialize)]
struct Limit {
    #[serde(flatten)]
    quota: Quota,
    retry_after: Option<u64>,
}

fn limit_problem(error: &(dyn sqlx::error::DatabaseError + 'static)) -> Option<Problem> {
    let detail = error.try_downcast_ref::<PgDatabaseError>()?.detail()?;
    let Limit { quota, retry_after } = serde_json::from_str(detail).ok()?;
    Some(quota.problem(retry_after))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_away_is_said_to_be_away() {
        for error in
            [sqlx::Error::PoolTimedOut, sqlx::Error::Io(std::io::Error::other("no such socket"))]
        {
            let error = StoreError::from(error);
            assert!(error.is_transient());
            let problem = Problem::from(error);
            assert_eq!(problem.code, Code::Unavailable);
            assert!(problem.retry_after.is_some());
        }
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let problem = Problem::from(StoreError::NotFound("job"));
        assert_eq!(problem.code, Code::NotFound);
        assert!(problem.detail.contains("job"));
    }

    #[test]
    fn faults_of_our_own_tell_the_caller_nothing() {
        let problem = Problem::from(StoreError::Database(sqlx::Error::Protocol("secret".into())));
        assert_eq!(problem.code, Code::Internal);
        assert!(!problem.detail.contains("secret"));
    }
}
