//! Where the console leads, by context, and what of it somebody may see.

use ephor_kernel::PermissionSet;

use crate::view::Icon;

/// A link of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) href: &'static str,
    pub(crate) label: &'static str,
    pub(crate) icon: Icon,
    /// `g` and then this letter leads there; empty for none.
    pub(crate) key: &'static str,
    /// The resource that one must be allowed to read, or another permission: `system:inspect`.
    needs: Option<&'static str>,
}

/// A group of links, in the order of the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group<L> {
    pub(crate) title: &'static str,
    /// Its links are always in sight; those of the others when one of them is where one is.
    pub(crate) open: bool,
    pub(crate) links: L,
}

/// The navigation.
const NAVIGATION: [Group<&[Link]>; 12] = [
    group("", true, &[link("/", "Dashboard", "home", "d", None)]),
    group(
        "Registry",
        true,
        &[
            link("/resources/ai_systems", "AI systems", "resource", "", Some("ai_systems")),
            link("/datasets", "Data sets", "dataset", "s", Some("datasets")),
            link("/models", "Models", "model", "m", Some("models")),
        ],
    ),
    group(
        "Assurance",
        true,
        &[
            link("/analyses", "Bias analyses", "scale", "b", Some("bias_analyses")),
            link(
                "/resources/mitigation_artifacts",
                "Bias mitigations",
                "edit",
                "",
                Some("mitigation_artifacts"),
            ),
            link(
                "/resources/model_explanations",
                "Explanations",
                "info",
                "",
                Some("model_explanations"),
            ),
            link(
                "/resources/model_performance",
                "Models' performance",
                "scale",
                "",
                Some("bias_analyses"),
            ),
            link("/resources/row_feeds", "Row feeds", "dataset", "", Some("row_feeds")),
            link("/resources/monitors", "Monitors", "running", "", Some("monitors")),
            link(
                "/resources/monitoring_alerts",
                "Alerts",
                "warning",
                "",
                Some("monitoring_alerts"),
            ),
        ],
    ),
    group(
        "Discovery",
        false,
        &[
            link(
                "/resources/github_scan_configs",
                "Sources",
                "search",
                "",
                Some("github_scan_configs"),
            ),
            link(
                "/resources/github_scan_results",
                "Findings",
                "resource",
                "",
                Some("github_scan_results"),
            ),
            link(
                "/resources/github_scan_summaries",
                "Scans",
                "audit",
                "",
                Some("github_scan_summaries"),
            ),
        ],
    ),
    group(
        "Guard",
        false,
        &[
            link("/resources/policies", "Policies", "seal", "", Some("policies")),
            link("/resources/policy_decisions", "Decisions", "pass", "", Some("policy_decisions")),
            link(
                "/resources/policy_violations",
                "Violations",
                "fail",
                "",
                Some("policy_violations"),
            ),
            link(
                "/resources/guard_operations",
                "Operations",
                "running",
                "",
                Some("guard_operations"),
            ),
            link("/resources/guard_metrics", "Metrics", "scale", "", Some("guard_metrics")),
        ],
    ),
    group(
        "Gateway",
        false,
        &[
            link(
                "/resources/provider_credit_pools",
                "Credit pools",
                "organization",
                "",
                Some("provider_credit_pools"),
            ),
            link("/resources/cost_transactions", "Costs", "scale", "", Some("cost_transactions")),
            link(
                "/resources/conversation_logs",
                "Conversations",
                "session",
                "",
                Some("conversation_logs"),
            ),
            link(
                "/resources/hallucination_flags",
                "Hallucination flags",
                "warning",
                "",
                Some("hallucination_flags"),
            ),
        ],
    ),
    group(
        "Workforce",
        false,
        &[
            link("/resources/assistants", "Assistants", "user", "", Some("assistants")),
            link("/resources/work_items", "Work", "queued", "", Some("work_items")),
            link("/resources/approvals", "Approvals", "pass", "", Some("approvals")),
            link(
                "/resources/approval_delegations",
                "Delegations",
                "members",
                "",
                Some("approval_delegations"),
            ),
            link(
                "/resources/assistant_templates",
                "Templates",
                "copy",
                "",
                Some("assistant_templates"),
            ),
            link(
                "/resources/communication_policies",
                "Communication",
                "session",
                "",
                Some("communication_policies"),
            ),
            link("/resources/messages", "Messages", "info", "", Some("messages")),
        ],
    ),
    group(
        "Board",
        false,
        &[
            link("/resources/deliberations", "Deliberations", "members", "", Some("deliberations")),
            link("/resources/personas", "Personas", "user", "", Some("personas")),
        ],
    ),
    group(
        "Risk",
        false,
        &[
            link("/resources/risk_items", "Risks", "warning", "", Some("risk_items")),
            link(
                "/resources/risk_mitigations",
                "Mitigations",
                "pass",
                "",
                Some("risk_mitigations"),
            ),
            link("/resources/compliance_issues", "Issues", "fail", "", Some("compliance_issues")),
            link("/resources/frontier_models", "Frontier models", "model", "", None),
            link(
                "/resources/frontier_alerts",
                "Frontier news",
                "info",
                "",
                Some("frontier_alerts"),
            ),
        ],
    ),
    group(
        "Compliance",
        false,
        &[
            link("/resources/frameworks", "Frameworks", "organization", "", Some("frameworks")),
            link("/resources/controls", "Controls", "seal", "", Some("controls")),
            link("/resources/evidence", "Evidence", "audit", "", Some("evidence")),
            link("/resources/assessments", "Assessments", "scale", "", Some("assessments")),
            link(
                "/resources/compliance_reports",
                "Reports",
                "print",
                "",
                Some("compliance_reports"),
            ),
        ],
    ),
    group(
        "Business",
        false,
        &[
            link("/resources/subscriptions", "Subscriptions", "running", "", Some("subscriptions")),
            link("/resources/invoices", "Invoices", "print", "", Some("invoices")),
            link(
                "/resources/payment_methods",
                "Payment methods",
                "key",
                "",
                Some("payment_methods"),
            ),
            link("/resources/subscription_tiers", "Tiers", "copy", "", None),
            link("/usage", "Usage", "scale", "", Some("usage_records")),
            link("/resources/posts", "Posts", "edit", "", Some("posts")),
        ],
    ),
    group(
        "Organization",
        true,
        &[
            link("/audit", "Audit trail", "audit", "a", Some("audit")),
            link("/members", "Members", "members", "e", Some("members")),
            link("/resources/teams", "Teams", "members", "", Some("teams")),
            link("/roles", "Roles", "role", "r", Some("roles")),
            link("/api-keys", "API keys", "key", "k", Some("api_keys")),
            link("/resources/builtin_copies", "Built-in data", "copy", "", Some("builtin_copies")),
            link("/archives", "Archives", "dataset", "", Some("archives")),
            link("/health", "Health", "running", "", Some("system:inspect")),
            link("/organization", "Settings", "organization", "o", Some("organizations")),
        ],
    ),
];

const fn group(title: &'static str, open: bool, links: &'static [Link]) -> Group<&'static [Link]> {
    Group { title, open, links }
}

/// Every address of the navigation, for those who visit them all.
pub fn addresses() -> impl Iterator<Item = &'static str> {
    NAVIGATION.iter().flat_map(|group| group.links.iter().map(|link| link.href))
}

const fn link(
    href: &'static str,
    label: &'static str,
    icon: &'static str,
    key: &'static str,
    needs: Option<&'static str>,
) -> Link {
    Link { href, label, icon: Icon(icon), key, needs }
}

/// What the permissions let one see, without what is `beyond` who looks in from outside; the group that
/// `section` is in stands open.
pub(crate) fn allowed(
    permissions: &PermissionSet,
    beyond: &[&str],
    section: &str,
) -> Vec<Group<Vec<Link>>> {
    let may = |link: &&Link| {
        !beyond.contains(&link.href)
            && link.needs.is_none_or(|needs| {
                let (resource, action) = needs.split_once(':').unwrap_or((needs, "read"));
                permissions.allows(resource, action)
            })
    };
    NAVIGATION
        .iter()
        .map(|group| {
            let links: Vec<Link> = group.links.iter().filter(may).copied().collect();
            let here = links.iter().any(|link| link.href == section);
            Group { title: group.title, open: group.open || here, links }
        })
        .filter(|group| !group.links.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_links_share_a_key() {
        let mut keys: Vec<_> = NAVIGATION
            .iter()
            .flat_map(|group| group.links.iter().map(|link| link.key))
            .filter(|key| !key.is_empty())
            .collect();
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all);
    }
}
