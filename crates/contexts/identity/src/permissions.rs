//! The one truth about permissions: every word that there is, and what the built-in roles may do.
//!
//! A permission is `resource:action`; a role may say `*` for either. [`CATALOGUE`] lists the words
//! that mean something, [`BUILTIN_ROLES`] the roles that each organization gets a copy of.

mod builtin_roles;

use std::collections::BTreeSet;

use ephor_kernel::{Permission, PermissionSet};
use serde::Serialize;

pub use builtin_roles::{BUILTIN_ROLES, BuiltinRole, builtin_roles_json};

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
    resource(
        "sessions",
        &["read", "delete"],
        "for API keys: their owner's sessions; who is signed in sees and ends theirs in any case",
    ),
    resource("models", &["read", "create", "update", "delete"], "registered models"),
    resource("model_versions", &["read", "create", "update", "delete"], "versions of models"),
    resource(
        "model_artifacts",
        &["read", "create", "delete"],
        "files of models' versions, which explanations are computed from",
    ),
    resource("datasets", &["read", "create", "update", "delete"], "data sets and their files"),
    resource("bias_analyses", &["read", "create", "update", "delete", "cancel"], "bias analyses"),
    resource(
        "mitigation_artifacts",
        &["read", "create", "apply", "delete"],
        "mitigations of biased data, and what they were applied to",
    ),
    resource("teams", &["read", "create", "update", "delete"], "teams of members"),
    resource("team_members", &["read", "create", "update", "delete"], "who is in a team"),
    resource(
        "team_invitations",
        &["read", "create", "update"],
        "invitations to the organization and its teams; update: revoking them",
    ),
    resource(
        "builtin_copies",
        &["read"],
        "the data that came with Ephor, and newer versions of it",
    ),
    resource(
        "github_scan_configs",
        &["read", "create", "update", "delete"],
        "sources that are scanned for AI",
    ),
    resource("github_scan_results", &["read"], "what scans found in repositories"),
    resource("github_scan_summaries", &["read"], "how much AI each scan found"),
    resource(
        "ai_systems",
        &["read", "create", "update", "delete"],
        "the inventory of AI systems, with the models that they use",
    ),
    resource(
        "frontier_alert_configs",
        &["read", "create", "delete"],
        "one's own subscriptions to news of frontier models",
    ),
    resource("frontier_alerts", &["read", "create", "delete"], "news of frontier models"),
    resource(
        "model_explanations",
        &["read", "create", "cancel", "delete"],
        "explanations of models",
    ),
    resource("monitors", &["read", "create", "update", "delete"], "what is watched over time"),
    resource(
        "row_feeds",
        &["read", "create", "update", "delete"],
        "addresses to which programs push rows; update: their tokens too",
    ),
    resource("monitoring_alerts", &["read", "update"], "what monitors noticed"),
    resource(
        "policies",
        &["read", "create", "update", "delete"],
        "what AI may do, and the versions of the rules",
    ),
    resource("policy_decisions", &["read"], "what the policies decided"),
    resource("policy_violations", &["read", "update"], "policies that were violated"),
    resource("guard_operations", &["read"], "what the guards saw: texts of requests and answers"),
    resource("guard_metrics", &["read"], "numbers on the guards"),
    resource(
        "provider_credit_pools",
        &["read", "create", "update", "delete"],
        "what may be spent with a provider, and the override when it is spent",
    ),
    resource("cost_transactions", &["read"], "what calls of models cost"),
    resource("conversation_logs", &["read"], "what was said with models"),
    resource(
        "hallucination_flags",
        &["read", "create", "update"],
        "doubtful statements of assistants, and their review",
    ),
    resource(
        "assistants",
        &["read", "create", "update", "delete"],
        "AI assistants and their versions",
    ),
    resource(
        "assistant_templates",
        &["read", "create", "update", "delete"],
        "what assistants are made from",
    ),
    resource("work_items", &["read", "create", "update", "delete"], "work for assistants"),
    resource("approvals", &["read", "create", "update"], "requests for approval"),
    resource("approval_votes", &["read", "create"], "approving and rejecting"),
    resource(
        "approval_delegations",
        &["read", "create", "update", "delete"],
        "deciding in another's place",
    ),
    resource(
        "communication_policies",
        &["read", "create", "update", "delete"],
        "whom assistants may write to",
    ),
    resource("messages", &["read"], "what assistants wrote"),
    resource("personas", &["read", "create", "update", "delete"], "members of the board"),
    resource(
        "deliberations",
        &["read", "create", "update", "delete"],
        "one's own questions to the board, with contributions and votes",
    ),
    resource(
        "risk_items",
        &["read", "create", "update", "delete"],
        "what can go wrong, and how bad it is",
    ),
    resource(
        "risk_mitigations",
        &["read", "create", "update", "delete"],
        "what is done about risks",
    ),
    resource("compliance_issues", &["read", "create", "update", "delete"], "what does not comply"),
    resource(
        "frameworks",
        &["read", "create", "update", "delete"],
        "laws and standards to be assessed against",
    ),
    resource("requirements", &["read", "create", "update", "delete"], "what frameworks ask for"),
    resource(
        "controls",
        &["read", "create", "update", "delete"],
        "what is done to meet requirements, and which ones",
    ),
    resource("evidence", &["read", "create", "update", "delete"], "what shows that controls work"),
    resource(
        "assessments",
        &["read", "create", "update", "delete"],
        "how things stand against a framework",
    ),
    resource(
        "compliance_reports",
        &["read", "create", "update", "delete"],
        "audit, compliance and fairness reports",
    ),
    resource("subscriptions", &["read"], "what the organization subscribes to"),
    resource(
        "payment_methods",
        &["read", "update"],
        "how the organization pays; update: with which",
    ),
    resource("invoices", &["read"], "what the organization was charged"),
    resource("usage_records", &["read"], "metered requests"),
    resource("posts", &["read", "create", "update", "delete"], "posts of the trust centre"),
    resource(
        "saved_views",
        &["read", "create", "update", "delete"],
        "one's own views of lists, and those that colleagues share",
    ),
    resource("system", &["inspect"], "how Ephor is: jobs, events, sealing, parts"),
    resource("jobs", &["read", "cancel"], "background work"),
    resource("audit", &["read", "verify", "export"], "the audit trail"),
    resource("archives", &["read"], "months of old rows that went to the object store"),
];

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
