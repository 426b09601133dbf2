//! Revoking an API key: the next request with it is refused, on every replica, because each asks
//! the database.

use ephor_kernel::{ApiKeyId, MemberId, Problem, Scope};
use ephor_store::OrgTx;
use uuid::Uuid;

use super::list::member_user;
use crate::identity::{Identity, database};

impl Identity {
    /// Revokes one of the caller's own keys. Needs `api_keys:update`.
    ///
    /// # Errors
    /// `not_found` when it is not the caller's, or was revoked before.
    pub async fn api_key_revoke(&self, scope: &Scope, key: ApiKeyId) -> Result<(), Problem> {
        scope.require("api_keys", "update")?;
        let tx = self.store().begin(scope).await?;
        revoke(tx, scope, scope.principal().uuid(), key).await
    }

    /// Revokes a member's key. Needs `api_keys:manage`.
    ///
    /// # Errors
    /// `not_found` when there is no such member or key, or it was revoked before.
    pub async fn member_api_key_revoke(
        &self,
        scope: &Scope,
        member: MemberId,
        key: ApiKeyId,
    ) -> Result<(), Problem> {
        scope.require("api_keys", "manage")?;
        let mut tx = self.store().begin_system(scope).await?;
        let user = member_user(&mut tx, member).await?;
        revoke(tx, scope, user, key).await
    }
}

async fn revoke(mut tx: OrgTx, scope: &Scope, owner: Uuid, key: ApiKeyId) -> Result<(), Problem> {
    let revoked = sqlx::query!(
        "update identity.api_keys set is_active = false, revoked_at = now(), revoked_by = $4
         where organization_id = $1 and id = $2 and user_id = $3 and is_active",
        scope.organization().uuid(),
        key.uuid(),
        owner,
        scope.principal().uuid(),
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
