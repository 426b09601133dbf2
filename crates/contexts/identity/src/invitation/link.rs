//! A new link for an open invitation: made when it is mailed, or handed over. The newest one works.

use chrono::{DateTime, Utc};
use ephor_kernel::{InvitationId, Problem, Scope};

use crate::{
    identity::{Identity, database},
    secrets::{InvitationToken, JoinSecret},
};

/// A link that was made, and what its mail says.
#[derive(Debug)]
pub(crate) struct MadeLink {
    pub token: InvitationToken,
    pub email: String,
    pub organization: String,
    pub inviter: String,
    pub role: String,
    pub made_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

impl Identity {
    /// Makes the link of an open invitation anew; `None` for one that is not open any more.
    ///
    /// The caller has checked that it may: this is the system's work, which alone replaces hashes.
    pub(crate) async fn invitation_link(
        &self,
        scope: &Scope,
        invitation: InvitationId,
        by_mail: bool,
    ) -> Result<Option<MadeLink>, Problem> {
        let secret = JoinSecret::generate();
        let mut tx = self.store().begin_system(scope).await?;
        let row = sqlx::query!(
            r#"update identity.team_invitations as i
               set token_hash = $3, link_made_at = now(), expires_at = now() + interval '7 days',
                   by_mail = $4, mailed_at = null
               where i.organization_id = $1 and i.id = $2 and i.status = 'pending' and i.expires_at > now()
               returning i.email, i.expires_at, now() as "made_at!",
                   (select o.name from identity.organizations o
                    where o.organization_id = $1 and o.id = $1) as organization,
                   (select m.full_name from identity.organization_members m
                    where m.organization_id = $1 and m.user_id = i.created_by) as inviter,
                   (select r.name from identity.roles r
                    where r.organization_id = $1
                      and (r.id = i.role_id or i.role_id is null and r.builtin_code = 'member')) as role"#,
            scope.organization().uuid(),
            invitation.uuid(),
            &secret.hash()[..],
            by_mail,
        )
        .fetch_optional(tx.conn())
        .await
        .map_err(database)?;
        tx.commit().await?;
        Ok(row.map(|row| MadeLink {
            token: InvitationToken::new(scope.organization(), invitation.uuid(), secret),
            email: row.email,
            organization: row.organization.unwrap_or_default(),
            inviter: row.inviter.unwrap_or_else(|| "Somebody".to_owned()),
            role: row.role.unwrap_or_else(|| "Member".to_owned()),
            made_at: row.made_at,
            expires_at: row.expires_at,
        }))
    }

    /// Notes that the mail server took the mail with the link that was made then.
    pub(crate) async fn invitation_mailed(
        &self,
        scope: &Scope,
        invitation: InvitationId,
        made_at: DateTime<Utc>,
    ) -> Result<(), Problem> {
        let mut tx = self.store().begin_system(scope).await?;
        sqlx::query!(
            "update identity.team_invitations set mailed_at = now()
             where organization_id = $1 and id = $2 and status = 'pending' and link_made_at = $3",
            scope.organization().uuid(),
            invitation.uuid(),
            made_at,
        )
        .execute(tx.conn())
        .await
        .map_err(database)?;
        Ok(tx.commit().await?)
    }
}
