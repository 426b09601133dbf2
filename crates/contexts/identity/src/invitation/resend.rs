//! Sending an invitation again, and taking it back.

use ephor_kernel::{Code, InvitationId, Problem, RequestContext, Scope};
use ephor_store::OrgTx;
use serde_json::json;

use super::{Invited, create::join_link};
use crate::{
    email::Email,
    identity::{Identity, database},
    mail::{self, MailJob},
    role::must_cover,
};

impl Identity {
    /// Sends an open invitation again, with a new link, for seven days from now; the old link works
    /// no more. Needs `team_invitations:create`, and a role that may do no more than the caller may.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, `rate_limited`; `conflict` for one that is not open any more.
    pub async fn invitation_resend(
        &self,
        request: &RequestContext,
        scope: &Scope,
        invitation: InvitationId,
    ) -> Result<Invited, Problem> {
        scope.require("team_invitations", "create")?;
        let by_mail = self.config().mail;
        let mut tx = self.store().begin(scope).await?;
        let row = sqlx::query!(
            r#"select i.email, i.expires_at, i.status = 'pending' and i.expires_at > now() as "is_open!",
                      r.name, r.permissions
               from identity.team_invitations i
               join identity.roles r on r.organization_id = i.organization_id
                    and (r.id = i.role_id or i.role_id is null and r.builtin_code = 'member')
               where i.organization_id = $1 and i.id = $2"#,
            scope.organization().uuid(),
            invitation.uuid(),
        )
        .fetch_optional(tx.conn())
        .await
        .map_err(database)?
        .ok_or_else(|| Problem::not_found("invitation"))?;
        must_cover(scope, &row.permissions, &row.name)?;
        if !row.is_open {
            return Err(not_open());
        }
        tx.commit().await?;
        let email = Email::parse(&row.email).map_err(|_| Problem::internal())?;
        if by_mail {
            self.count_mail(request, &email).await?;
        }
        let mut tx = self.store().begin(scope).await?;
        record(&mut tx, "invitation_resend", invitation).await?;
        if by_mail {
            // What was accepted or revoked a moment ago is not mailed: the job looks again.
            mail::queue(&mut tx, MailJob::Invitation { invitation }).await?;
        }
        tx.commit().await?;
        if by_mail {
            let expires_at = row.expires_at;
            return Ok(Invited {
                id: invitation,
                email: row.email,
                expires_at,
                by_mail,
                link: None,
            });
        }
        let made = self.invitation_link(scope, invitation, false).await?.ok_or_else(not_open)?;
        Ok(Invited {
            id: invitation,
            email: made.email,
            expires_at: made.expires_at,
            by_mail,
            link: Some(join_link(&made.token, made.expires_at)),
        })
    }

    /// Takes an open invitation back: its link works no more. Needs `team_invitations:update`.
    ///
    /// # Errors
    /// `not_found`; `conflict` for one that is not open any more.
    pub async fn invitation_revoke(
        &self,
        scope: &Scope,
        invitation: InvitationId,
    ) -> Result<(), Problem> {
        scope.require("team_invitations", "update")?;
        let mut tx = self.store().begin(scope).await?;
        let status = sqlx::query_scalar!(
            "select status from identity.team_invitations
             where organization_id = $1 and id = $2 for update",
            scope.organization().uuid(),
            invitation.uuid(),
        )
        .fetch_optional(tx.conn())
        .await
        .map_err(database)?
        .ok_or_else(|| Problem::not_found("invitation"))?;
        if status != "pending" {
            return Err(not_open());
        }
        sqlx::query!(
            "update identity.team_invitations set status = 'revoked'
             where organization_id = $1 and id = $2",
            scope.organization().uuid(),
            invitation.uuid(),
        )
        .execute(tx.conn())
        .await
        .map_err(database)?;
        Ok(tx.commit().await?)
    }
}

async fn record(tx: &mut OrgTx, action: &str, invitation: InvitationId) -> Result<(), Problem> {
    sqlx::query_scalar!(
        "select audit.record($1, 'identity.team_invitations', $2, $3)",
        action,
        invitation.uuid(),
        json!({}),
    )
    .fetch_one(tx.conn())
    .await
    .map_err(database)?;
    Ok(())
}

fn not_open() -> Problem {
    Problem::new(
        Code::Conflict,
        "This invitation was accepted, revoked or has expired; invite the person again",
    )
}
