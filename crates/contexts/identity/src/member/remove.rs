//! Ending a membership.

use ephor_kernel::{DomainEvent, MemberId, Problem, Scope};

use crate::{
    identity::{Identity, database},
    role::must_cover,
};

impl Identity {
    /// Ends a membership; the person's API keys here end with it, and their sessions here at
    /// once. Needs `members:delete`, and a member whose role may do no more than the caller may.
    ///
    /// # Errors
    /// `not_found`, `forbidden`; `conflict` for the last owner.
    pub async fn member_remove(&self, scope: &Scope, member: MemberId) -> Result<(), Problem> {
        scope.require("members", "delete")?;
        let organization = scope.organization().uuid();
        let mut tx = self.store().begin(scope).await?;
        let row = sqlx::query!(
            "select r.name, r.permissions
             from identity.organization_members m
             join identity.roles r on r.organization_id = m.organization_id and r.id = m.role_id
             where m.organization_id = $1 and m.id = $2 for update of m",
            organization,
            member.uuid(),
        )
        .fetch_optional(tx.conn())
        .await
        .map_err(database)?
        .ok_or_else(|| Problem::not_found("member"))?;
        must_cover(scope, &row.permissions, &row.name)?;
        sqlx::query!(
            "delete from identity.organization_members where organization_id = $1 and id = $2",
            organization,
            member.uuid(),
        )
        .execute(tx.conn())
        .await
        .map_err(database)?;
        tx.emit(&DomainEvent::MembershipChanged { member }).await?;
        Ok(tx.commit().await?)
    }
}
