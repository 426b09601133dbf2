//! Accepting an invitation: as somebody new, with a first password, or as oneself, signed in.

use chrono::{DateTime, Utc};
use ephor_kernel::{Code, Fault, MemberId, OrganizationId, Problem, RequestContext, Scope, UserId};
use serde::{Deserialize, Serialize};

use crate::{
    cookie::SessionCookie,
    email::Email,
    identity::{Identity, database, request_hex},
    password::{self, Password},
    secrets::InvitationToken,
    session::OpenSession,
    text,
    throttle::Attempt,
};

/// What somebody new tells to accept.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    /// The link's token.
    pub token: String,
    /// The password that the account shall have.
    pub password: Password,
    /// The person's name.
    pub full_name: String,
    /// Does the person agree to the processing of their data?
    #[serde(default)]
    pub consent: bool,
}

impl std::fmt::Debug for AcceptInvitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AcceptInvitation").finish_non_exhaustive()
    }
}

/// What an invitation offers, to whoever holds its link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InvitationOffer {
    /// For whom it is.
    pub email: String,
    /// The organization to join.
    pub organization_name: String,
    /// As what.
    pub role_name: String,
    /// The team to join too.
    pub team_name: Option<String>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// Has the address an account, which one signs in to in order to accept?
    pub has_account: bool,
}

/// Where one belongs by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AcceptedInvitation {
    /// The organization.
    pub organization_id: OrganizationId,
    /// One's membership.
    pub member_id: MemberId,
}

impl Identity {
    /// What an invitation offers.
    ///
    /// # Errors
    /// `not_found` for a link that is unknown, used, revoked or expired; `rate_limited`.
    pub async fn invitation_offer(
        &self,
        request: &RequestContext,
        token: &str,
    ) -> Result<InvitationOffer, Problem> {
        let most = self.config().log_ins_per_address;
        self.count_from_address(request, Attempt::Join, most).await?;
        Ok(self.invitation(token).await?.1)
    }

    /// Accepts as somebody new, and logs them in there.
    ///
    /// # Errors
    /// `not_found` for a link that is unknown, used, revoked or expired; `invalid` for a name or
    /// password that will not do; `conflict` for an address with an account; `limit_reached` when the
    /// organization has no room; `rate_limited`.
    pub async fn invitation_accept(
        &self,
        request: &RequestContext,
        input: &AcceptInvitation,
    ) -> Result<SessionCookie, Problem> {
        let most = self.config().log_ins_per_address;
        self.count_from_address(request, Attempt::Join, most).await?;
        let (token, offer) = self.invitation(&input.token).await?;
        if offer.has_account {
            return Err(has_account());
        }
        let email = Email::parse(&offer.email).map_err(|_| Problem::internal())?;
        let mut faults = password::faults(&input.password, &email);
        let full_name = text::name("/full_name", &input.full_name, 200, &mut faults);
        Problem::unless_empty(faults)?;
        let hash = self.parts().hasher.hash(&input.password).await?;
        let mut door = self.store().door().await?;
        let row = sqlx::query!(
            r#"select state as "state!", user_id, member_id
               from door.invitation_accept($1, $2, $3, $4, $5, $6, $7)"#,
            token.organization.uuid(),
            token.invitation,
            &token.hash()[..],
            hash,
            full_name,
            input.consent,
            request_hex(request),
        )
        .fetch_one(door.conn())
        .await
        .map_err(database)?;
        drop(door);
        refusal(&row.state)?;
        let session = OpenSession {
            user: row.user_id.map(UserId::from).ok_or_else(Problem::internal)?,
            password_hash: &hash,
            organization: Some(token.organization),
            email: &email,
        };
        self.session_open(request, session).await?.session()
    }

    /// Accepts as oneself: the invitation is for the address of one's account.
    ///
    /// # Errors
    /// `not_found`, `limit_reached` and `rate_limited` as [`Identity::invitation_accept`]; `forbidden` for an
    /// invitation of another address, and for a member who was deactivated.
    pub async fn invitation_accept_as_oneself(
        &self,
        request: &RequestContext,
        scope: &Scope,
        token: &str,
    ) -> Result<AcceptedInvitation, Problem> {
        let most = self.config().log_ins_per_address;
        self.count_from_address(request, Attempt::Join, most).await?;
        let token = InvitationToken::parse(token).ok_or_else(no_invitation)?;
        let mut tx = self.store().begin(scope).await?;
        let row = sqlx::query!(
            r#"select state as "state!", member_id
               from door.invitation_accept($1, $2, $3, null, null, false, $4)"#,
            token.organization.uuid(),
            token.invitation,
            &token.hash()[..],
            request_hex(request),
        )
        .fetch_one(tx.conn())
        .await
        .map_err(database)?;
        refusal(&row.state)?;
        let member = row.member_id.ok_or_else(Problem::internal)?;
        tx.commit().await?;
        Ok(AcceptedInvitation { organization_id: token.organization, member_id: member.into() })
    }

    async fn invitation(&self, token: &str) -> Result<(InvitationToken, InvitationOffer), Problem> {
        let token = InvitationToken::parse(token).ok_or_else(no_invitation)?;
        let mut door = self.store().door().await?;
        let row = sqlx::query!(
            "select email, organization_name, role_name, team_name, expires_at, has_account
             from door.invitation_lookup($1, $2, $3)",
            token.organization.uuid(),
            token.invitation,
            &token.hash()[..],
        )
        .fetch_one(door.conn())
        .await
        .map_err(database)?;
        let (Some(email), Some(organization_name), Some(role_name), Some(expires_at)) =
            (row.email, row.organization_name, row.role_name, row.expires_at)
        else {
            return Err(no_invitation());
        };
        let offer = InvitationOffer {
            email,
            organization_name,
            role_name,
            team_name: row.team_name,
            expires_at,
            has_account: row.has_account.unwrap_or(true),
        };
        Ok((token, offer))
    }
}

fn refusal(state: &str) -> Result<(), Problem> {
    Err(match state {
        "ok" => return Ok(()),
        "has_account" => has_account(),
        "other_person" => Problem::new(
            Code::Forbidden,
            "This invitation is for another address; sign in with the account of that one",
        ),
        "inactive" => Problem::new(
            Code::Forbidden,
            "You were deactivated in this organization; ask one of its admins",
        ),
        _ => no_invitation(),
    })
}

fn has_account() -> Problem {
    Problem::new(
        Code::Conflict,
        "This address has an account: sign in with it, then open the link again",
    )
}

fn no_invitation() -> Problem {
    let what = "This invitation is unknown, used, revoked or expired";
    Problem {
        faults: vec![Fault::new("/token", "unknown", what)],
        ..Problem::new(Code::NotFound, format!("{what}; ask whoever invited you for a new one"))
    }
}
