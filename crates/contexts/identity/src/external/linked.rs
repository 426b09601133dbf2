//! One's own log-ins elsewhere.

use chrono::{DateTime, Utc};
use ephor_kernel::{Code, Problem, Scope, UserIdentityId};
use serde::Serialize;

use crate::identity::{Identity, database};

/// A person as a provider knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkedIdentity {
    /// The link's id.
    pub id: UserIdentityId,
    /// The provider's name.
    pub provider: String,
    /// The address that the provider last reported.
    pub email: Option<String>,
    /// When the person last logged in by it, to within an hour.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Since when it is linked.
    pub created_at: DateTime<Utc>,
}

impl Identity {
    /// The caller's.
    pub async fn linked_identities(&self, scope: &Scope) -> Result<Vec<LinkedIdentity>, Problem> {
        let mut tx = self.store().begin(scope).await?;
        let rows = sqlx::query_as!(
            LinkedIdentity,
            "select id, provider, email, last_used_at, created_at from identity.user_identities
             where user_id = $1 order by created_at, id limit 100",
            scope.principal().uuid(),
        )
        .fetch_all(tx.conn())
        .await
        .map_err(database)?;
        tx.commit().await?;
        Ok(rows)
    }

    /// Ends one of them.
    ///
    /// # Errors
    /// `not_found` for one that is not the caller's; `conflict` for the only way in.
    pub async fn identity_unlink(
        &self,
        scope: &Scope,
        identity: UserIdentityId,
    ) -> Result<(), Problem> {
        let mut tx = self.store().begin(scope).await?;
        let state = sqlx::query_scalar!(
            r#"select state as "state!" from door.identity_unlink($1)"#,
            identity.uuid()
        )
        .fetch_one(tx.conn())
        .await
        .map_err(database)?;
        match state.as_str() {
            "ok" => Ok(tx.commit().await?),
            "last_way" => Err(Problem::new(
                Code::Conflict,
                "This is your only way to log in; set a password first",
            )),
            _ => Err(Problem::not_found("linked identity")),
        }
    }
}
