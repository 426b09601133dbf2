//! Which role somebody is given, and who may give it: nobody gives more than they have.

use ephor_kernel::{Fault, Problem, RoleId, Scope};
use ephor_store::OrgTx;
use uuid::Uuid;

use crate::{identity::database, permissions::BuiltinRole, role::must_cover};

/// A role by its id, or a built-in one by its word; one of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RoleChoice<'a> {
    /// The role's id.
    pub id: Option<RoleId>,
    /// `owner`, `admin`, `manager`, `operator`, `member` or `viewer`.
    pub code: Option<&'a str>,
}

impl RoleChoice<'_> {
    pub fn is_none(self) -> bool {
        self.id.is_none() && self.code.is_none()
    }

    pub fn faults(self) -> Vec<Fault> {
        match (self.id, self.code) {
            (Some(_), Some(_)) => {
                vec![Fault::new("/role", "one_of", "Give role_id or role, not both")]
            }
            (None, None) => vec![
                Fault::new("/role_id", "required", "A role is needed")
                    .hint("give role_id, or role with a built-in role's word such as member"),
            ],
            (None, Some(code)) if BuiltinRole::by_code(code).is_none() => vec![
                Fault::new("/role", "vocabulary", "There is no built-in role of this word")
                    .hint("owner, admin, manager, operator, member or viewer"),
            ],
            _ => Vec::new(),
        }
    }
}

/// The chosen role's id, when the caller may give it.
pub(crate) async fn role_to_give(
    tx: &mut OrgTx,
    scope: &Scope,
    choice: RoleChoice<'_>,
) -> Result<RoleId, Problem> {
    Problem::unless_empty(choice.faults())?;
    let row = sqlx::query!(
        "select id, name, permissions from identity.roles
         where organization_id = $1 and (id = $2 or builtin_code = $3)",
        scope.organization().uuid(),
        choice.id.map(Uuid::from),
        choice.code,
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(database)?
    .ok_or_else(|| {
        Problem::invalid(vec![Fault::new(
            "/role_id",
            "unknown",
            "There is no such role in this organization",
        )])
    })?;
    must_cover(scope, &row.permissions, &row.name)?;
    Ok(row.id.into())
}
