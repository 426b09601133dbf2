//! One attempt at one table, in a transaction that is always rolled back.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool, Row};
use uuid::Uuid;

/// The roles that act for a tenant.
pub const ROLES: [&str; 3] = ["ephor_app", "ephor_reach", "ephor_system"];
/// `insufficient_privilege`: not granted, or refused by a policy.
const REFUSED: &str = "42501";

/// Who attempts.
#[derive(Debug, Clone)]
pub struct Attempter {
    pub role: &'static str,
    /// The organization of its scope; `None`: no scope at all.
    pub organization: Option<Uuid>,
    pub readable: Vec<Uuid>,
    pub actor: Uuid,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// So many rows were seen or changed.
    Rows(i64),
    /// PostgreSQL refused.
    Refused,
    /// Something else went wrong, which proves nothing.
    Broken(String),
}

impl Outcome {
    pub fn reached_something(&self) -> bool {
        !matches!(self, Self::Rows(0) | Self::Refused)
    }
}

/// Counts what `query` (a `select count(*)`) sees.
pub async fn count(admin: &PgPool, who: &Attempter, query: &str) -> Outcome {
    attempt(admin, who, query, true).await
}

/// Runs a write and says how many rows it changed.
pub async fn write(admin: &PgPool, who: &Attempter, statement: &str) -> Outcome {
    attempt(admin, who, statement, false).await
}

async fn attempt(admin: &PgPool, who: &Attempter, sql: &str, counts: bool) -> Outcome {
    let mut connection = admin.acquire().await.unwrap();
    let mut tx = connection.begin().await.unwrap();
    become_attempter(&mut tx, who).await;
    let result = if counts {
        tx.fetch_one(AssertSqlSafe(sql)).await.map(|row| row.get::<i64, _>(0))
    } else {
        tx.execute(AssertSqlSafe(sql)).await.map(|done| done.rows_affected() as i64)
    };
    tx.rollback().await.unwrap();
    match result {
        Ok(rows) => Outcome::Rows(rows),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(REFUSED) => {
            Outcome::Refused
        }
        Err(error) => Outcome::Broken(error.to_string()),
    }
}

async fn become_attempter(connection: &mut PgConnection, who: &Attempter) {
    let mut sql = format!("set local role {}", who.role);
    if let Some(organization) = who.organization {
        let readable: Vec<String> = who.readable.iter().map(Uuid::to_string).collect();
        sql.push_str(&format!(
            "; set local ephor.organization_id = '{organization}'; set local ephor.readable = '{{{}}}'; \
             set local ephor.actor_type = 'user'; set local ephor.actor_id = '{}'",
            readable.join(","),
            who.actor
        ));
    }
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
}
