//! Changing a membership: another role, active or not.

use chrono::{DateTime, Utc};
use ephor_kernel::{Code, DomainEvent, Fault, MemberId, Problem, RoleId, Scope, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::role::{RoleChoice, role_to_give};
use crate::{
    identity::{Identity, database},
    role::must_cover,
};

/// What to change; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeMember {
    /// Another role, by its id …
    #[serde(default)]
    pub role_id: Option<RoleId>,
    /// … or by a built-in role's word.
    #[serde(default)]
    pub role: Option<String>,
    /// May the person act here?
    #[serde(default)]
    pub is_active: Option<bool>,
}

/// A membership.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberSummary {
    /// Its id.
    pub id: MemberId,
    /// The person.
    pub user_id: UserId,
    /// Their role.
    pub role_id: RoleId,
    /// Their address.
    pub email: String,
    /// Their name.
    pub full_name: String,
    /// May they act here?
    pub is_active: bool,
    /// When they joined; `None` while their link was not used.
    pub joined_at: Option<DateTime<Utc>>,
    /// Counts the membership's changes.
    pub version: i32,
}

impl Identity {
    /// Changes a membership, of the version given if one is. Needs `members:update`, and a member
    /// whose roles before and after may do no more than the caller may.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, `stale`; `conflict` for the last owner, and for somebody who has not
    /// joined yet; `limit_reached` when the organization has as many members as it may.
    pub async fn member_change(
        &self,
        scope: &Scope,
        member: MemberId,
        version: Option<i64>,
        input: &ChangeMember,
    ) -> Result<MemberSummary, Problem> {
        scope.require("members", "update")?;
        let choice = RoleChoice { id: input.role_id, code: input.role.as_deref() };
        if choice.is_none() && input.is_active.is_none() {
            return Err(Problem::invalid(vec![
                Fault::new("", "required", "There is nothing to change")
                    .hint("give role_id, role or is_active"),
            ]));
        }
        let organization = scope.organization().uuid();
        let mut tx = self.store().begin(scope).await?;
        let row = sqlx::query!(
            "select m.version, m.joined_at, r.name, r.permissions
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
        if version.is_some_and(|version| version != i64::from(row.version)) {
            return Err(Problem::new(
                Code::Stale,
                format!("The membership is at version {} by now; read it again", row.version),
            ));
        }
        must_cover(scope, &row.permissions, &row.name)?;
        let role =
            if choice.is_none() { None } else { Some(role_to_give(&mut tx, scope, choice).await?) };
        if input.is_active == Some(true) && row.joined_at.is_none() {
            return Err(Problem::new(
                Code::Conflict,
                "This person has not joined yet: they become active with their join link",
            ));
        }
        let changed = sqlx::query_as!(
            MemberSummary,
            "update identity.organization_members
             set role_id = coalesce($3, role_id), is_active = coalesce($4, is_active)
             where organization_id = $1 and id = $2
             returning id, user_id, role_id, email, full_name, is_active, joined_at, version",
            organization,
            member.uuid(),
            role.map(Uuid::from),
            input.is_active,
        )
        .fetch_one(tx.conn())
        .await
        .map_err(database)?;
        tx.emit(&DomainEvent::MembershipChanged { member }).await?;
        tx.commit().await?;
        Ok(changed)
    }
}
