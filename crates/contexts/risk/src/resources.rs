//! What the database can't say about the resources of this context.

use ephor_rest::{Actions, Include, ResourceSpec};

/// Risk items, mitigations and compliance issues.
pub const RESOURCES: &[ResourceSpec] = &[RISK_ITEMS, RISK_MITIGATIONS, COMPLIANCE_ISSUES];

const RISK_ITEMS: ResourceSpec = ResourceSpec::new("risk_items", "risk.risk_items")
    .labels("risk item", "risk items")
    .actions(Actions::ALL)
    .create(&[
        "title",
        "description",
        "severity",
        "impact",
        "likelihood",
        "category",
        "system_details",
        "ai_system_id",
        "owner_id",
    ])
    .update(&[
        "title",
        "description",
        "status",
        "severity",
        "impact",
        "likelihood",
        "category",
        "system_details",
        "ai_system_id",
        "owner_id",
    ])
    .people(&["owner_id"])
    .search(&["title", "description", "system_details"])
    .words_index()
    .include(&[
        Include::one("ai_system", "ai_systems", "ai_system_id"),
        Include::many("mitigations", "risk_mitigations", "risk_item_id"),
        Include::many("issues", "compliance_issues", "risk_item_id"),
    ])
    .reach();

const RISK_MITIGATIONS: ResourceSpec =
    ResourceSpec::new("risk_mitigations", "risk.risk_mitigations")
        .labels("mitigation", "mitigations")
        .actions(Actions::ALL)
        .create(&["risk_item_id", "description", "notes", "owner_id", "due_at"])
        .update(&["description", "status", "notes", "owner_id", "due_at"])
        .people(&["owner_id"])
        .search(&["description", "notes"])
        .parent("risk_items", "risk_item_id", "mitigations")
        .include(&[Include::one("risk_item", "risk_items", "risk_item_id")])
        .reach();

/// What Ephor opens itself says so, and for what: people can't claim it.
const COMPLIANCE_ISSUES: ResourceSpec =
    ResourceSpec::new("compliance_issues", "risk.compliance_issues")
        .labels("compliance issue", "compliance issues")
        .actions(Actions::ALL)
        .create(&["title", "description", "severity", "ai_system_id", "risk_item_id"])
        .update(&[
            "title",
            "description",
            "status",
            "severity",
            "ai_system_id",
            "risk_item_id",
            "closing_reason",
        ])
        .search(&["title", "description", "closing_reason"])
        .include(&[
            Include::one("ai_system", "ai_systems", "ai_system_id"),
            Include::one("risk_item", "risk_items", "risk_item_id"),
        ])
        .reach();
