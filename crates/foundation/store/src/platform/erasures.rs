//! People who asked to be erased and are not yet: what no organization sees, and nobody may forget.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::scope;
use crate::{Store, StoreError};

/// Somebody who asked to be erased and is not yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Erasure {
    /// The person.
    pub user_id: Uuid,
    /// Their address, which is still kept.
    pub email: String,
    /// pending or failed.
    pub state: String,
    /// Why it failed.
    pub fault: Option<String>,
    /// When they asked.
    pub asked_at: DateTime<Utc>,
    /// When it was given up.
    pub ended_at: Option<DateTime<Utc>>,
}

/// How many asked to be erased and are not yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenErasures {
    /// Those whose erasure waits for its job.
    pub waiting: u64,
    /// Those whose erasure was given up.
    pub failed: u64,
    /// For how long the oldest waits.
    pub waiting_seconds: Option<f64>,
}

impl OpenErasures {
    /// Erasures take moments: one that waits for longer than this has lost its job, in seconds.
    const OVERDUE: f64 = 86_400.0;

    /// Does one need somebody to look after it?
    pub fn need_help(&self) -> bool {
        self.failed > 0 || self.waiting_seconds.is_some_and(|seconds| seconds > Self::OVERDUE)
    }
}

/// People who asked to be erased and are not yet, the first who asked first.
pub async fn erasure_list(store: &Store) -> Result<Vec<Erasure>, StoreError> {
    let mut tx = store.begin_system(&scope("erasures")).await?;
    let list = sqlx::query_as!(
        Erasure,
        r#"select user_id as "user_id!", email as "email!", state as "state!", fault,
                  asked_at as "asked_at!", ended_at
             from ops.erasures_list()"#,
    )
    .fetch_all(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(list)
}

/// How many people asked to be erased and are not yet.
pub async fn erasures_open(store: &Store) -> Result<OpenErasures, StoreError> {
    let open = sqlx::query!(
        r#"select waiting as "waiting!", failed as "failed!", waiting_seconds from ops.erasures_open()"#
    )
    .fetch_one(store.system_pool())
    .await?;
    Ok(OpenErasures {
        waiting: open.waiting.unsigned_abs(),
        failed: open.failed.unsigned_abs(),
        waiting_seconds: open.waiting_seconds,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_and_what_waits_for_days_needs_help() {
        let open = OpenErasures { waiting: 1, failed: 0, waiting_seconds: Some(60.0) };
        assert!(!open.need_help());
        assert!(OpenErasures { waiting_seconds: Some(90_000.0), ..open.clone() }.need_help());
        assert!(OpenErasures { failed: 1, ..open }.need_help());
    }
}
