//! Erasing somebody whose erasure failed: the one thing about it that is left to who runs Ephor.

use ephor_kernel::{OrganizationId, Problem, Scope, UserId};
use ephor_store::jobs::NewJob;
use serde_json::json;

use super::jobs::{ERASURE, Person};
use crate::identity::{Identity, database};

impl Identity {
    /// Asks again for the erasure of a person who asked for it and is not erased; says whether there
    /// is such a one. For `ephor admin`.
    ///
    /// # Errors
    /// When the database cannot be had.
    pub async fn erasure_retry(&self, user: UserId, reason: &str) -> Result<bool, Problem> {
        // A job of the platform's own: the person's organizations may be suspended, or gone.
        let scope = Scope::platform(OrganizationId::PLATFORM, reason);
        let mut tx = self.store().begin_system(&scope).await?;
        let changed = sqlx::query_scalar!(
            r#"select changed as "changed!" from ops.erasure_retry($1, $2)"#,
            user.uuid(),
            reason,
        )
        .fetch_one(tx.conn())
        .await
        .map_err(database)?;
        if changed {
            tx.enqueue(NewJob { kind: ERASURE, payload: json!(Person { user }), subject: None })
                .await?;
        }
        tx.commit().await?;
        Ok(changed)
    }
}
