//! What the schema's own rules mean, by the names of their constraints.

use ephor_kernel::{Code, Fault, Problem};
use ephor_store::StoreError;

/// The problem for a refusal of the database; those that are not identity's own as `store` words them.
pub(crate) fn problem(error: StoreError) -> Problem {
    match error.constraint() {
        Some("organization_members_last_owner") => Problem::new(
            Code::Conflict,
            "The last owner of an organization cannot be demoted, deactivated or removed; make somebody else an owner first",
        ),
        Some("roles_builtin") => Problem::new(
            Code::Conflict,
            "A built-in role cannot be deleted, and an owner may always do everything; make a role of your own instead",
        ),
        Some("team_invitations_open_idx") => Problem::new(
            Code::Conflict,
            "This address has an open invitation already; send it again, or revoke it first",
        ),
        Some("organizations_slug_key") => Problem::invalid(vec![
            Fault::new("/slug", "taken", "Another organization has this slug")
                .hint("choose another"),
        ]),
        Some("users_username_key") => Problem::invalid(vec![
            Fault::new("/username", "taken", "Somebody else has this user name")
                .hint("choose another"),
        ]),
        Some("organizations_no_organization") => Problem::new(
            Code::Forbidden,
            "The organization that you would belong to is not there; ask an administrator",
        ),
        Some("organization_members_role_fkey") => Problem::new(
            Code::Conflict,
            "Somebody has this role; give them another one before you delete it",
        ),
        _ => error.into(),
    }
}
