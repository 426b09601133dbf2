//! Revoking an API key: the next request with it is refused, on every replica, because each asks
//! the database.

use ephor_kernel::{ApiKeyId, Problem, Scope};
use uuid::Uuid;

use crate::identity::{Identity, database};

impl Identity {
    /// Revokes one of the caller's own keys, which needs `api_keys:update`, or anybody's in the
    /// organization, which needs `api_keys:manage`.
    ///
    /// # Errors
    /// `not_found` when there is no such key that the caller may revoke, or it was revoked before.
    pub async fn api_key_revoke(&self, scope: &Scope, key: ApiKeyId) -> Result<(), Problem> {
        let anybodys = scope.permissions().allows("api_keys", "manage");
        let mut tx = if anybodys {
            // As ephor_app one reaches one's own keys only.
            self.store().begin_system(scope).await?
        } else {
            scope.require("api_keys", "update")?;
            self.store().begin(scope).await?
        };
        let caller = scope.principal().uuid();
        let owner: Option<Uuid> = (!anybodys).then_some(caller);
        let revoked = sqlx::query!(
            "update identity.api_keys set is_active = false, revoked_at = now(), revoked_by = $4
             where organization_id = $1 and id = $2 and user_id = coalesce($3, user_id) and is_active",
            scope.organization().uuid(),
            key.uuid(),
            owner,
            caller,
        )
        .execute(tx.conn())
        .await
        .map_err(database)?
        .rows_affected();
        if revoked == 0 {
            return Err(Problem::not_found("API key"));
        }
        Ok(tx.commit().await?)
    }
}
