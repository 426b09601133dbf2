//! Why somebody does not come in whose password or key is right: their organization is suspended.

use ephor_kernel::{Code, OrganizationId, Problem, UserId};

use crate::{
    identity::{Identity, database},
    secrets::ApiKeyToken,
};

impl Identity {
    /// Belongs somebody whose password was verified to an organization that is suspended (to the one
    /// that they asked for, if they did)? Asked once they were refused.
    pub(crate) async fn is_suspended(
        &self,
        user: UserId,
        password_hash: &str,
        organization: Option<OrganizationId>,
    ) -> Result<bool, Problem> {
        let mut door = self.store().door().await?;
        sqlx::query_scalar!(
            r#"select door.suspended($1, $2, $3, null, null) as "suspended!""#,
            user.uuid(),
            password_hash,
            organization.map(OrganizationId::uuid),
        )
        .fetch_one(door.conn())
        .await
        .map_err(database)
    }

    /// Is the key right, and only its organization suspended? Asked once it was refused.
    pub(crate) async fn is_key_suspended(&self, token: &ApiKeyToken) -> Result<bool, Problem> {
        let mut door = self.store().door().await?;
        sqlx::query_scalar!(
            r#"select door.suspended(null, null, $1, $2, $3) as "suspended!""#,
            token.organization.uuid(),
            token.id.uuid(),
            &token.hash()[..],
        )
        .fetch_one(door.conn())
        .await
        .map_err(database)
    }
}

/// What such a one is told.
pub(crate) fn suspended() -> Problem {
    Problem::new(
        Code::OrganizationSuspended,
        "The organization is suspended: nobody works in it until whoever operates this Ephor reactivates it; nothing of it is lost",
    )
}
