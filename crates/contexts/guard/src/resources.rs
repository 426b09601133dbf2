//! What the database can't say about the resources of this context.

use ephor_rest::{Actions, Include, ResourceSpec, Shape};

/// Policies, their versions, decisions, violations, operations and metrics.
pub const RESOURCES: &[ResourceSpec] = &[
    POLICIES,
    POLICY_VERSIONS,
    POLICY_DECISIONS,
    POLICY_VIOLATIONS,
    GUARD_OPERATIONS,
    GUARD_METRICS,
];

const POLICIES: ResourceSpec = ResourceSpec::new("policies", "guard.policies")
    .labels("policy", "policies")
    .caution("Ephor keeps policies and does not evaluate their rules yet: an active policy stops nothing by itself. What runs outside reads its rules here.")
    .actions(Actions::ALL)
    .create(&[
        "code",
        "name",
        "description",
        "enforcement_type",
        "rules",
        "is_active",
        "priority",
        "metadata",
    ])
    .update(&[
        "name",
        "description",
        "enforcement_type",
        "rules",
        "is_active",
        "priority",
        "metadata",
    ])
    .json(&[("rules", Shape::Either(&[Shape::Object, Shape::List(&Shape::Object, 1000)]))])
    .search(&["code", "name", "description"])
    .include(&[
        Include::many("versions", "policy_versions", "policy_id"),
        Include::many("violations", "policy_violations", "policy_id"),
    ])
    .builtin()
    .reach();

/// Made by the database whenever rules change, so there is nothing to write here.
const POLICY_VERSIONS: ResourceSpec = ResourceSpec::new("policy_versions", "guard.policy_versions")
    .labels("policy version", "policy versions")
    .permission("policies")
    .search(&["name"])
    .parent("policies", "policy_id", "versions")
    .include(&[Include::one("policy", "policies", "policy_id")])
    .reach();

const POLICY_DECISIONS: ResourceSpec =
    ResourceSpec::new("policy_decisions", "guard.policy_decisions")
        .labels("decision", "decisions")
        .search(&["code", "event_type", "policy_name", "user_email"])
        .parent("policies", "policy_id", "decisions")
        .include(&[
            Include::one("policy", "policies", "policy_id"),
            Include::many("policy_violations", "policy_violations", "decision_id"),
        ])
        .reach();

const POLICY_VIOLATIONS: ResourceSpec =
    ResourceSpec::new("policy_violations", "guard.policy_violations")
        .labels("violation", "violations")
        .actions(Actions::READ.and_update())
        .update(&[
            "status",
            "severity",
            "description",
            "assigned_to",
            "resolution_notes",
            "impact_score",
            "remediation_required",
            "metadata",
        ])
        .people(&["assigned_to"])
        .search(&["violation_type", "description", "resolution_notes"])
        .words_index()
        .parent("policies", "policy_id", "violations")
        .include(&[
            Include::one("decision", "policy_decisions", "decision_id"),
            Include::one("policy", "policies", "policy_id"),
        ])
        .reach();

const GUARD_OPERATIONS: ResourceSpec =
    ResourceSpec::new("guard_operations", "guard.guard_operations")
        .labels("guard operation", "guard operations")
        .search(&["guard_name", "operation_type", "error_message"])
        .reach();

const GUARD_METRICS: ResourceSpec = ResourceSpec::new("guard_metrics", "guard.guard_metrics")
    .labels("guard metric", "guard metrics")
    .sort("-measured_at")
    .search(&["guard_name", "metric_type"])
    .reach();
