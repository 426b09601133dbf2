//! The one truth about permissions: every word that there is, and what the built-in roles may do.
//!
//! A permission is `resource:action`; a role may say `*` for either. [`CATALOGUE`] lists the words
//! that mean something, [`BUILTIN_ROLES`] the roles that each organization gets a copy of.

use std::collections::BTreeSet;

use ephor_kernel::{Permission, PermissionSet};
use serde::Serialize;

/// One kind of thing, and what may be done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ResourcePermissions {
    /// The resource's word.
    pub resource: &'static str,
    /// The actions' words.
    pub actions: &'static [&'static str],
    /// What it is about, for people.
    pub about: &'static str,
}

const fn resource(
    resource: &'static str,
    actions: &'static [&'static str],
    about: &'static str,
) -> ResourcePermissions {
    ResourcePermissions { resource, actions, about }
}

/// All permission words, by resource.
pub const CATALOGUE: &[ResourcePermissions] = &[
    resource("organizations", &["read", "update"], "the organization's name and settings"),
    resource("subsidiaries", &["create"], "opening subsidiaries of the organization"),
    resource("members", &["read", "create", "update", "delete"], "who belongs to the organization"),
    resource("roles", &["read", "create", "update", "delete"], "what the members may do"),
    resource(
        "api_keys",
        &["read", "create", "update", "manage"],
        "one's own API keys; manage: everybody's",
    ),
    resource("models", &["read", "create", "update", "delete"], "registered models"),
    resource("model_versions", &["read", "create", "update", "delete"], "versions of models"),
    resource("datasets", &["read", "create", "update", "delete"], "data sets and their files"),
    resource("bias_analyses", &["read", "create", "update", "delete", "cancel"], "bias analyses"),
    resource("jobs", &["read", "cancel"], "background work"),
    resource("audit", &["read", "verify", "export"], "the audit trail"),
];

/// A role that every organization has a copy of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BuiltinRole {
    /// Its stable word: `owner`, `admin`, `manager`, `operator`, `member`, `viewer`.
    pub code: &'static str,
    /// Counts the changes of its permissions; copies remember which they were made from.
    pub version: i32,
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// What it may do.
    pub permissions: &'static [&'static str],
}

impl BuiltinRole {
    /// The role with this stable word.
    pub fn by_code(code: &str) -> Option<&'static Self> {
        BUILTIN_ROLES.iter().find(|role| role.code == code)
    }

    /// What it may do, as a set.
    pub fn permission_set(&self) -> PermissionSet {
        self.permissions.iter().filter_map(|word| word.parse().ok()).collect()
    }
}

/// The built-in roles, from the one that may do everything to the one that may only look.
pub const BUILTIN_ROLES: &[BuiltinRole] = &[
    BuiltinRole {
        code: "owner",
        version: 1,
        name: "Owner",
        description: "May do everything. An organization always has one.",
        permissions: &["*"],
    },
    BuiltinRole {
        code: "admin",
        version: 1,
        name: "Admin",
        description: "Runs the organization: members, roles, everybody's keys, and all of its data.",
        permissions: &[
            "*:read",
            "api_keys:*",
            "audit:*",
            "bias_analyses:*",
            "datasets:*",
            "jobs:*",
            "members:*",
            "model_versions:*",
            "models:*",
            "organizations:*",
            "roles:*",
        ],
    },
    BuiltinRole {
        code: "manager",
        version: 1,
        name: "Manager",
        description: "Answers for the organization's AI: changes and deletes its data, and reads the audit trail.",
        permissions: &[
            "*:read",
            "api_keys:create",
            "api_keys:update",
            "audit:*",
            "bias_analyses:*",
            "datasets:*",
            "jobs:*",
            "model_versions:*",
            "models:*",
        ],
    },
    BuiltinRole {
        code: "operator",
        version: 1,
        name: "Operator",
        description: "Works with models and data sets every day: adds and changes them, and runs analyses.",
        permissions: &[
            "api_keys:create",
            "api_keys:read",
            "api_keys:update",
            "audit:read",
            "audit:verify",
            "bias_analyses:cancel",
            "bias_analyses:create",
            "bias_analyses:read",
            "bias_analyses:update",
            "datasets:create",
            "datasets:read",
            "datasets:update",
            "jobs:cancel",
            "jobs:read",
            "members:read",
            "model_versions:create",
            "model_versions:read",
            "model_versions:update",
            "models:create",
            "models:read",
            "models:update",
            "organizations:read",
            "roles:read",
        ],
    },
    BuiltinRole {
        code: "member",
        version: 1,
        name: "Member",
        description: "Takes part: adds data sets and runs analyses.",
        permissions: &[
            "api_keys:create",
            "api_keys:read",
            "api_keys:update",
            "bias_analyses:cancel",
            "bias_analyses:create",
            "bias_analyses:read",
            "datasets:create",
            "datasets:read",
            "jobs:read",
            "members:read",
            "model_versions:read",
            "models:read",
            "organizations:read",
            "roles:read",
        ],
    },
    BuiltinRole {
        code: "viewer",
        version: 1,
        name: "Viewer",
        description: "Looks, and changes nothing.",
        permissions: &[
            "bias_analyses:read",
            "datasets:read",
            "jobs:read",
            "members:read",
            "model_versions:read",
            "models:read",
            "organizations:read",
            "roles:read",
        ],
    },
];

/// The built-in roles as `door.sign_up` and `door.subsidiary_create` take them.
pub fn builtin_roles_json() -> serde_json::Value {
    serde_json::json!(BUILTIN_ROLES)
}

/// Does the word mean something: are its resource and action in the catalogue, or `*`?
pub fn is_known(permission: &Permission) -> bool {
    let fits = |entry: &&ResourcePermissions| {
        permission.resource() == "*" || entry.resource == permission.resource()
    };
    permission.resource() == "*" && permission.action() == "*"
        || CATALOGUE
            .iter()
            .filter(fits)
            .any(|entry| permission.action() == "*" || entry.actions.contains(&permission.action()))
}

/// Every single permission (no `*`) that the set allows, in order.
pub fn expanded(set: &PermissionSet) -> BTreeSet<String> {
    CATALOGUE
        .iter()
        .flat_map(|entry| entry.actions.iter().map(move |action| (entry.resource, *action)))
        .filter(|(resource, action)| set.allows(resource, action))
        .map(|(resource, action)| format!("{resource}:{action}"))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_roles_use_known_words_only() {
        for role in BUILTIN_ROLES {
            for word in role.permissions {
                assert!(is_known(&word.parse().unwrap()), "{}: {word}", role.code);
            }
        }
    }

    #[test]
    fn each_built_in_role_may_do_all_that_the_next_may() {
        for pair in BUILTIN_ROLES.windows(2) {
            let (more, less) = (pair[0].permission_set(), pair[1].permission_set());
            assert!(more.covers(&less), "{} should cover {}", pair[0].code, pair[1].code);
            assert!(!less.covers(&more), "{} should be less than {}", pair[1].code, pair[0].code);
        }
    }

    #[test]
    fn the_role_by_action_matrix_is_as_agreed() {
        let line = |what: &str, cells: Vec<&str>| {
            cells.iter().fold(format!("{what:32}"), |line, cell| format!("{line}{cell:>9}"))
        };
        let mut lines = vec![line("", BUILTIN_ROLES.iter().map(|role| role.code).collect())];
        for entry in CATALOGUE {
            for action in entry.actions {
                let may = |role: &BuiltinRole| role.permission_set().allows(entry.resource, action);
                let marks = BUILTIN_ROLES.iter().map(|role| if may(role) { "yes" } else { "-" });
                lines.push(line(&format!("{}:{action}", entry.resource), marks.collect()));
            }
        }
        insta::assert_snapshot!("role_by_action", lines.join("\n"));
    }

    #[test]
    fn an_unknown_word_is_not_known() {
        for word in ["modls:read", "models:fly", "*:fly", "fly:*"] {
            assert!(!is_known(&word.parse().unwrap()), "{word}");
        }
        for word in ["*", "*:read", "models:*", "audit:export"] {
            assert!(is_known(&word.parse().unwrap()), "{word}");
        }
    }
}
