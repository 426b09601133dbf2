//! Roles of an organization's own: made, changed and deleted by whoever may do as much.

use ephor_kernel::{Code, Fault, Permission, PermissionSet, Problem, RoleId, Scope};
use serde::{Deserialize, Serialize};

use crate::{
    identity::{Identity, database},
    permissions::is_known,
    text,
};

/// A role to make.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateRole {
    /// Its name, unique in the organization.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// What its members may do: `resource:action`, with `*` for any.
    pub permissions: Vec<String>,
}

/// What to change of a role; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChangeRole {
    /// Another name.
    pub name: Option<String>,
    /// Another description; an empty one removes it.
    pub description: Option<String>,
    /// Other permissions, in place of all that it had.
    pub permissions: Option<Vec<String>>,
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoleSummary {
    /// Its id.
    pub id: RoleId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What its members may do.
    pub permissions: Vec<String>,
    /// The built-in role's word, if it is a copy of one.
    pub builtin_code: Option<String>,
    /// Counts its changes.
    pub version: i32,
}

impl Identity {
    /// The organization's roles, built-in ones first. Needs `roles:read`.
    pub async fn role_list(&self, scope: &Scope) -> Result<Vec<RoleSummary>, Problem> {
        scope.require("roles", "read")?;
        let mut tx = self.store().begin(scope).await?;
        let roles = sqlx::query_as!(
            RoleSummary,
            "select id, name, description, permissions, builtin_code, version
             from identity.roles where organization_id = $1
             order by builtin_code is null, cardinality(permissions) desc, name limit 500",
            scope.organization().uuid(),
        )
        .fetch_all(tx.conn())
        .await
        .map_err(database)?;
        tx.commit().await?;
        Ok(roles)
    }

    /// Makes a role. Needs `roles:create`, and each permission that the role gets.
    ///
    /// # Errors
    /// `invalid` with every fault at once; `conflict` for a name that is taken.
    pub async fn role_create(
        &self,
        scope: &Scope,
        input: &CreateRole,
    ) -> Result<RoleSummary, Problem> {
        scope.require("roles", "create")?;
        let mut faults = Vec::new();
        let name = text::name("/name", &input.name, 100, &mut faults);
        let description = description(input.description.as_deref(), &mut faults);
        let permissions = permissions_to_give(scope.permissions(), &input.permissions, &mut faults);
        Problem::unless_empty(faults)?;
        let mut tx = self.store().begin(scope).await?;
        let role = sqlx::query_as!(
            RoleSummary,
            "insert into identity.roles (organization_id, name, description, permissions, created_by)
             values ($1, $2, $3, $4, $5)
             returning id, name, description, permissions, builtin_code, version",
            scope.organization().uuid(),
            name,
            description,
            &permissions,
            scope.principal().uuid(),
        )
        .fetch_one(tx.conn())
        .await
        .map_err(database)?;
        tx.commit().await?;
        Ok(role)
    }

    /// Changes a role, of the version given if one is. Needs `roles:update`, and each permission
    /// that the role had and gets: nobody raises what they stand below, or lowers what stands above.
    ///
    /// # Errors
    /// `not_found`, `stale`, `forbidden`, `invalid`; `conflict` for a name that is taken and for
    /// the owner's permissions.
    pub async fn role_change(
        &self,
        scope: &Scope,
        role: RoleId,
        version: Option<i64>,
        input: &ChangeRole,
    ) -> Result<RoleSummary, Problem> {
        scope.require("roles", "update")?;
        let mut tx = self.store().begin(scope).await?;
        let old = sqlx::query_as!(
            RoleSummary,
            "select id, name, description, permissions, builtin_code, version
             from identity.roles where organization_id = $1 and id = $2 for update",
            scope.organization().uuid(),
            role.uuid(),
        )
        .fetch_optional(tx.conn())
        .await
        .map_err(database)?
        .ok_or_else(|| Problem::not_found("role"))?;
        if version.is_some_and(|version| version != i64::from(old.version)) {
            return Err(Problem::new(
                Code::Stale,
                format!("The role is at version {} by now; read it again", old.version),
            ));
        }
        must_cover(scope, &old.permissions, &old.name)?;
        let mut faults = Vec::new();
        let name = input
            .name
            .as_deref()
            .map_or_else(|| old.name.clone(), |name| text::name("/name", name, 100, &mut faults));
        let description = match &input.description {
            None => old.description,
            Some(given) => description(Some(given), &mut faults),
        };
        let permissions = match &input.permissions {
            None => old.permissions,
            Some(words) => permissions_to_give(scope.permissions(), words, &mut faults),
        };
        Problem::unless_empty(faults)?;
        let changed = sqlx::query_as!(
            RoleSummary,
            "update identity.roles set name = $3, description = $4, permissions = $5
             where organization_id = $1 and id = $2
             returning id, name, description, permissions, builtin_code, version",
            scope.organization().uuid(),
            role.uuid(),
            name,
            description,
            &permissions,
        )
        .fetch_one(tx.conn())
        .await
        .map_err(database)?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Deletes a role. Needs `roles:delete`, and each permission that the role has.
    ///
    /// # Errors
    /// `not_found`, `forbidden`; `conflict` for a built-in role and one that somebody has.
    pub async fn role_delete(&self, scope: &Scope, role: RoleId) -> Result<(), Problem> {
        scope.require("roles", "delete")?;
        let mut tx = self.store().begin(scope).await?;
        let row = sqlx::query!(
            "delete from identity.roles where organization_id = $1 and id = $2 returning name, permissions",
            scope.organization().uuid(),
            role.uuid(),
        )
        .fetch_optional(tx.conn())
        .await
        .map_err(database)?
        .ok_or_else(|| Problem::not_found("role"))?;
        must_cover(scope, &row.permissions, &row.name)?;
        Ok(tx.commit().await?)
    }
}

fn description(text: Option<&str>, faults: &mut Vec<Fault>) -> Option<String> {
    let text = text.map(str::trim).filter(|text| !text.is_empty())?;
    if text.chars().count() > 1000 {
        faults.push(Fault::new(
            "/description",
            "too_long",
            "A description has at most 1000 characters",
        ));
    }
    Some(text.to_owned())
}

/// Refuses to touch what is above the caller: an admin neither makes nor unmakes an owner.
pub(crate) fn must_cover(scope: &Scope, permissions: &[String], name: &str) -> Result<(), Problem> {
    let wanted = PermissionSet::parse(permissions.iter().map(String::as_str)).map_err(|error| {
        tracing::error!(%error, "a role holds what is no permission");
        Problem::internal()
    })?;
    if scope.permissions().covers(&wanted) {
        Ok(())
    } else {
        Err(Problem::new(
            Code::Forbidden,
            format!("The role {name} may do more than you may; ask somebody who may do as much"),
        ))
    }
}

/// The permissions asked for, in order and without repetition, with a fault for each that means
/// nothing or that the giver lacks.
pub(crate) fn permissions_to_give(
    own: &PermissionSet,
    words: &[String],
    faults: &mut Vec<Fault>,
) -> Vec<String> {
    if words.is_empty() {
        faults.push(
            Fault::new("/permissions", "required", "At least one permission is needed")
                .hint("such as models:read; GET /v1/permissions lists them all"),
        );
    }
    let mut wanted = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let pointer = format!("/permissions/{index}");
        match word.parse::<Permission>() {
            Ok(permission) if !is_known(&permission) => faults.push(
                Fault::new(pointer, "vocabulary", format!("There is no permission {permission}"))
                    .hint("GET /v1/permissions lists them all"),
            ),
            Ok(permission) if !own.covers(&PermissionSet::from_iter([permission.clone()])) => {
                faults.push(
                    Fault::new(pointer, "exceeds", format!("You may not do {permission} yourself"))
                        .hint("nobody gives more than they have"),
                );
            }
            // As the database writes them: everything is one star.
            Ok(permission) if permission.resource() == "*" && permission.action() == "*" => {
                return vec!["*".to_owned()];
            }
            Ok(permission) => wanted.push(permission),
            Err(error) => faults.push(Fault::new(pointer, "permission", error.to_string())),
        }
    }
    PermissionSet::from_iter(wanted).iter().map(ToString::to_string).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn give(own: &[&str], words: &[&str]) -> (Vec<String>, Vec<String>) {
        let own = PermissionSet::parse(own.iter().copied()).unwrap();
        let words: Vec<_> = words.iter().map(ToString::to_string).collect();
        let mut faults = Vec::new();
        let wanted = permissions_to_give(&own, &words, &mut faults);
        let faults = faults.into_iter().map(|fault| format!("{} {}", fault.pointer, fault.code));
        (wanted, faults.collect())
    }

    #[test]
    fn nobody_gives_more_than_they_have() {
        let (wanted, faults) = give(&["models:*"], &["models:read", "models:read", "models:*"]);
        assert_eq!(wanted, ["models:*", "models:read"]);
        assert!(faults.is_empty());
        let (_, faults) = give(&["models:*"], &["*", "datasets:read", "*:read"]);
        assert_eq!(
            faults,
            ["/permissions/0 exceeds", "/permissions/1 exceeds", "/permissions/2 exceeds"]
        );
    }

    #[test]
    fn words_that_mean_nothing_are_refused() {
        let (_, faults) = give(&["*"], &["modls:read", "Models:read"]);
        assert_eq!(faults, ["/permissions/0 vocabulary", "/permissions/1 permission"]);
        assert_eq!(give(&["*"], &[]).1, ["/permissions required"]);
        assert_eq!(give(&["*"], &["models:read", "*:*"]).0, ["*"]);
    }
}
