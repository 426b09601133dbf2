//! Inviting somebody by e-mail. Where mail is not set up, the answer holds the link to hand over.

use chrono::{DateTime, Utc};
use ephor_kernel::{Code, Fault, InvitationId, Problem, RequestContext, RoleId, Scope, TeamId};
use ephor_store::OrgTx;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    email::Email,
    identity::{Identity, database},
    mail::{self, MailJob},
    member::{
        JoinLink,
        role::{RoleChoice, role_to_give},
    },
    secrets::{InvitationToken, JoinSecret},
};

/// What somebody may be in a team.
const TEAM_ROLES: [&str; 4] = ["owner", "admin", "member", "viewer"];

/// Whom to invite.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invite {
    /// The person's address.
    pub email: String,
    /// As what: a role's id …
    #[serde(default)]
    pub role_id: Option<RoleId>,
    /// … or a built-in role's word.
    #[serde(default)]
    pub role: Option<String>,
    /// The team to join too.
    #[serde(default)]
    pub team_id: Option<TeamId>,
    /// What to be in the team: `owner`, `admin`, `member` (if left out) or `viewer`.
    #[serde(default)]
    pub team_role: Option<String>,
}

/// An invitation that was made, or whose link was made anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Invited {
    /// The invitation.
    pub id: InvitationId,
    /// For whom it is.
    pub email: String,
    /// Until when it may be accepted.
    pub expires_at: DateTime<Utc>,
    /// Does the link go by e-mail?
    pub by_mail: bool,
    /// The link to hand over, where mail is not set up. It is shown now and never again.
    pub link: Option<JoinLink>,
}

impl Identity {
    /// Invites somebody to the caller's organization. Needs `team_invitations:create`, and a role
    /// that may do no more than the caller may.
    ///
    /// # Errors
    /// `invalid`, `forbidden`, `rate_limited`; `conflict` for a member, and for an address with an open
    /// invitation; `limit_reached` when the organization has as many members, with those who are
    /// invited, as it may.
    pub async fn invite(
        &self,
        request: &RequestContext,
        scope: &Scope,
        input: &Invite,
    ) -> Result<Invited, Problem> {
        scope.require("team_invitations", "create")?;
        let mut faults = Vec::new();
        let email = Email::parse(&input.email).map_err(|fault| faults.push(fault)).ok();
        let choice = RoleChoice { id: input.role_id, code: input.role.as_deref() };
        faults.extend(choice.faults());
        let team_role = input.team_role.as_deref().unwrap_or("member");
        if !TEAM_ROLES.contains(&team_role) {
            faults.push(
                Fault::new("/team_role", "vocabulary", "There is no such role in a team")
                    .hint("owner, admin, member or viewer"),
            );
        }
        let Some(email) = email.filter(|_| faults.is_empty()) else {
            return Err(Problem::invalid(faults));
        };
        let by_mail = self.config().mail;
        if by_mail {
            self.count_mail(request, &email).await?;
        }
        let id = InvitationId::new();
        let secret = JoinSecret::generate();
        let mut tx = self.store().begin(scope).await?;
        let role = role_to_give(&mut tx, scope, choice).await?;
        check_team(&mut tx, input.team_id).await?;
        check_person(&mut tx, &email).await?;
        // By mail, this is the hash of a secret that nobody keeps: the job makes the one that works.
        let expires_at = sqlx::query_scalar!(
            "insert into identity.team_invitations
                 (organization_id, id, email, role_id, team_id, team_role, token_hash, created_by)
             values ($1, $2, $3, $4, $5, $6, $7, $8)
             returning expires_at",
            scope.organization().uuid(),
            id.uuid(),
            email.as_str(),
            role.uuid(),
            input.team_id.map(Uuid::from),
            team_role,
            &secret.hash()[..],
            scope.principal().uuid(),
        )
        .fetch_one(tx.conn())
        .await
        .map_err(database)?;
        if by_mail {
            mail::queue(&mut tx, MailJob::Invitation { invitation: id }).await?;
        }
        tx.commit().await?;
        let token = InvitationToken::new(scope.organization(), id.uuid(), secret);
        let link = (!by_mail).then(|| join_link(&token, expires_at));
        Ok(Invited { id, email: email.to_string(), expires_at, by_mail, link })
    }
}

pub(super) fn join_link(token: &InvitationToken, expires_at: DateTime<Utc>) -> JoinLink {
    JoinLink { token: token.expose(), path: token.path(), expires_at }
}

async fn check_team(tx: &mut OrgTx, team: Option<TeamId>) -> Result<(), Problem> {
    let Some(team) = team else { return Ok(()) };
    let organization = tx.organization().uuid();
    sqlx::query_scalar!(
        "select id from identity.teams where organization_id = $1 and id = $2 and deleted_at is null",
        organization,
        team.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(database)?
    .map(|_| ())
    .ok_or_else(|| {
        let fault = Fault::new("/team_id", "unknown", "There is no such team in this organization");
        Problem::invalid(vec![fault])
    })
}

/// The person is no member; what lapsed makes way. Whether there is room, the database says.
async fn check_person(tx: &mut OrgTx, email: &Email) -> Result<(), Problem> {
    let organization = tx.organization().uuid();
    sqlx::query!(
        "update identity.team_invitations set status = 'expired'
         where organization_id = $1 and email = $2 and status = 'pending' and expires_at <= now()",
        organization,
        email.as_str(),
    )
    .execute(tx.conn())
    .await
    .map_err(database)?;
    let joined = sqlx::query_scalar!(
        r#"select exists (select from identity.organization_members m
                          where m.organization_id = $1 and m.email = $2 and m.joined_at is not null) as "is!""#,
        organization,
        email.as_str(),
    )
    .fetch_one(tx.conn())
    .await
    .map_err(database)?;
    if joined {
        return Err(Problem::new(
            Code::Conflict,
            "This person is a member already; change their membership, or add them to the team",
        ));
    }
    Ok(())
}
