//! Adding somebody, who joins by a link that is shown once.
//!
//! The answer is the same whether or not the address has an account: nobody learns who else uses
//! Ephor, and nobody gets into an account by adding it.

use chrono::{DateTime, Duration, Utc};
use ephor_kernel::{Code, DomainEvent, MemberId, Problem, RoleId, Scope};
use serde::{Deserialize, Serialize};

use super::role::{RoleChoice, role_to_give};
use crate::{
    email::Email,
    identity::{Identity, database},
    secrets::{JoinSecret, JoinToken},
    text,
};

/// Whom to add.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddMember {
    /// The person's address.
    pub email: String,
    /// The person's name, until they join and their account's name takes its place.
    pub full_name: String,
    /// As what: a role's id …
    #[serde(default)]
    pub role_id: Option<RoleId>,
    /// … or a built-in role's word: `owner`, `admin`, `manager`, `operator`, `member`, `viewer`.
    #[serde(default)]
    pub role: Option<String>,
}

/// Who was added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AddedMember {
    /// The membership, which is active once the person joined.
    pub id: MemberId,
    /// The person's address.
    pub email: String,
    /// The person's name.
    pub full_name: String,
    /// Their role.
    pub role_id: RoleId,
    /// The link to hand to the person.
    pub join: JoinLink,
}

/// A link that works once. It is shown now and never again.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct JoinLink {
    /// The token: a secret.
    pub token: String,
    /// The page on which it works, below Ephor's address.
    pub path: String,
    /// Until when it works.
    pub expires_at: DateTime<Utc>,
}

impl std::fmt::Debug for JoinLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JoinLink").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl Identity {
    /// Adds somebody to the caller's organization. Needs `members:create`, and a role that may do
    /// no more than the caller may.
    ///
    /// # Errors
    /// `invalid`, `forbidden`; `conflict` for somebody who was added before; `limit_reached` when the
    /// organization has as many members as it may.
    pub async fn member_add(
        &self,
        scope: &Scope,
        input: &AddMember,
    ) -> Result<AddedMember, Problem> {
        scope.require("members", "create")?;
        let mut faults = Vec::new();
        let email = Email::parse(&input.email).map_err(|fault| faults.push(fault)).ok();
        let full_name = text::name("/full_name", &input.full_name, 200, &mut faults);
        let choice = RoleChoice { id: input.role_id, code: input.role.as_deref() };
        faults.extend(choice.faults());
        let Some(email) = email.filter(|_| faults.is_empty()) else {
            return Err(Problem::invalid(faults));
        };
        let secret = JoinSecret::generate();
        let mut tx = self.store().begin(scope).await?;
        let role = role_to_give(&mut tx, scope, choice).await?;
        let row = sqlx::query!(
            r#"select state as "state!", member_id
               from door.member_add($1, $2, $3, $4, make_interval(secs => $5))"#,
            email.as_str(),
            full_name,
            role.uuid(),
            &secret.hash()[..],
            self.config().join_seconds(),
        )
        .fetch_one(tx.conn())
        .await
        .map_err(database)?;
        let id = match (row.state.as_str(), row.member_id) {
            ("ok", Some(id)) => MemberId::from(id),
            ("member_already", _) => {
                return Err(Problem::new(
                    Code::Conflict,
                    "This person was added to the organization before; change their membership instead",
                ));
            }
            _ => return Err(Problem::not_found("organization")),
        };
        tx.emit(&DomainEvent::MembershipChanged { member: id }).await?;
        tx.commit().await?;
        Ok(AddedMember {
            id,
            email: email.to_string(),
            full_name,
            role_id: role,
            join: self.join_link(JoinToken::new(scope.organization(), id, secret)),
        })
    }

    /// A new link for somebody who has not joined yet; the old one works no more. Needs
    /// `members:create`.
    ///
    /// # Errors
    /// `not_found` for no member, and for one who has joined.
    pub async fn member_link(&self, scope: &Scope, member: MemberId) -> Result<JoinLink, Problem> {
        scope.require("members", "create")?;
        let secret = JoinSecret::generate();
        let mut tx = self.store().begin(scope).await?;
        let renewed = sqlx::query_scalar!(
            r#"select door.member_link($1, $2, make_interval(secs => $3)) as "renewed!""#,
            member.uuid(),
            &secret.hash()[..],
            self.config().join_seconds(),
        )
        .fetch_one(tx.conn())
        .await
        .map_err(database)?;
        if !renewed {
            return Err(Problem::not_found("member who has yet to join"));
        }
        tx.commit().await?;
        Ok(self.join_link(JoinToken::new(scope.organization(), member, secret)))
    }

    fn join_link(&self, token: JoinToken) -> JoinLink {
        let token = token.expose();
        let valid = Duration::days(i64::from(self.config().join_days));
        JoinLink {
            path: format!("/join?token={token}"),
            token,
            expires_at: self.parts().clock.now() + valid,
        }
    }
}
