//! Opening a subsidiary.

use ephor_kernel::{Code, DomainEvent, MemberId, OrganizationId, Problem, Scope};
use serde::{Deserialize, Serialize};

use crate::{
    identity::{Identity, database},
    permissions::builtin_roles_json,
    text,
};

/// The subsidiary to open.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenSubsidiary {
    /// Its name.
    pub name: String,
}

/// The subsidiary that was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OpenedSubsidiary {
    /// Its id.
    pub id: OrganizationId,
    /// The caller's membership there, as owner.
    pub member_id: MemberId,
}

impl Identity {
    /// Opens a subsidiary of the caller's organization, with the caller as its owner; a standalone
    /// organization becomes a holding by it. Needs `subsidiaries:create`.
    ///
    /// # Errors
    /// `invalid`; `conflict` when the organization is a subsidiary itself.
    pub async fn subsidiary_open(
        &self,
        scope: &Scope,
        input: &OpenSubsidiary,
    ) -> Result<OpenedSubsidiary, Problem> {
        scope.require("subsidiaries", "create")?;
        let mut faults = Vec::new();
        let name = text::name("/name", &input.name, 200, &mut faults);
        Problem::unless_empty(faults)?;
        let Some(owner) = scope.principal().user() else {
            return Err(Problem::new(Code::Forbidden, "Only people open organizations"));
        };
        let mut tx = self.store().begin(scope).await?;
        let row = sqlx::query!(
            r#"select state as "state!", organization_id, member_id
               from door.subsidiary_create($1, $2, $3)"#,
            name,
            text::slug(&name),
            builtin_roles_json(),
        )
        .fetch_one(tx.conn())
        .await
        .map_err(database)?;
        match (row.state.as_str(), row.organization_id, row.member_id) {
            ("ok", Some(organization), Some(member)) => {
                let opened = OpenedSubsidiary { id: organization.into(), member_id: member.into() };
                tx.emit(&DomainEvent::OrganizationCreated { organization: opened.id, owner })
                    .await?;
                tx.commit().await?;
                self.organization_furnish(opened.id, scope.request()).await;
                Ok(opened)
            }
            ("subsidiary", ..) => Err(Problem::new(
                Code::Conflict,
                "A subsidiary has no subsidiaries of its own; open it under the holding",
            )),
            _ => Err(Problem::not_found("organization")),
        }
    }
}
