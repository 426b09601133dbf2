//! Which resource belongs to which feature of a tier.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Feature and the resources that cannot be written without it.
const FEATURES: &[(&str, &[&str])] = &[
    (
        "registry",
        &[
            "ai_systems",
            "ai_system_models",
            "models",
            "model_versions",
            "model_artifacts",
            "datasets",
        ],
    ),
    (
        "bias_analyses",
        &[
            "bias_analyses",
            "analyses",
            "mitigation_artifacts",
            "mitigation_applications",
            "mitigations",
            "model_explanations",
            "explanations",
            "monitors",
            "monitoring_alerts",
            "row_feeds",
            "row-feeds",
        ],
    ),
    ("guards", &["policies", "policy_violations"]),
    (
        "risk",
        &[
            "risk_items",
            "risk_mitigations",
            "compliance_issues",
            "frontier_alert_configs",
            "frontier_alerts",
        ],
    ),
    (
        "compliance",
        &[
            "frameworks",
            "requirements",
            "controls",
            "control_requirements",
            "evidence",
            "assessments",
            "assessment_results",
            "compliance_reports",
        ],
    ),
    ("discovery", &["github_scan_configs"]),
    ("gateway", &["provider_credit_pools", "hallucination_flags"]),
    (
        "assistants",
        &[
            "assistants",
            "assistant_templates",
            "work_items",
            "approvals",
            "approval_votes",
            "approval_delegations",
            "communication_policies",
        ],
    ),
    ("deliberations", &["deliberations", "personas"]),
    ("trust_center", &["posts"]),
];

/// What every organization may write, whatever its tier: who belongs to it, how it pays, and how
/// its people look at lists.
pub const UNGATED: &[&str] = &[
    "organizations",
    "teams",
    "team_members",
    "team_invitations",
    "payment_methods",
    "saved_views",
];

/// The words of all features, in the order of the loop.
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    FEATURES.iter().map(|(feature, _)| *feature)
}

/// The feature that a resource belongs to; `None` for what no tier lacks.
pub fn feature_of(resource: &str) -> Option<&'static str> {
    FEATURES
        .iter()
        .find(|(_, resources)| resources.contains(&resource))
        .map(|(feature, _)| *feature)
}

/// The resource that a path of the API or of the console is about: `/v1/models/…`,
/// `/resources/models/…`, `/models/…`; rows are pushed to `/in/rows`.
pub(crate) fn resource_of(path: &str) -> Option<Cow<'_, str>> {
    // As handlers read them: written in percent, a word is the same word.
    let mut parts = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| percent_decode_str(part).decode_utf8_lossy());
    let first = parts.next()?;
    match first.as_ref() {
        "v1" | "resources" => parts.next(),
        "in" => Some("row_feeds".into()),
        _ => Some(first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_its_feature() {
        let feature = |path| resource_of(path).and_then(|resource| feature_of(&resource));
        assert_eq!(feature("/v1/risk_items/1"), Some("risk"));
        assert_eq!(feature("/resources/risk_items/new"), Some("risk"));
        assert_eq!(feature("/analyses/new"), Some("bias_analyses"));
        assert_eq!(feature("/resources/%72isk_items"), Some("risk"));
        assert_eq!(feature("/v1/members"), None);
        assert_eq!(feature("/"), None);
    }
}
