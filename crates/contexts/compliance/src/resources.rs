//! What the database can't say about the resources of this context.

use ephor_rest::{Actions, Include, ResourceSpec, Shape};

/// Frameworks, requirements, controls, links between them, evidence, assessments and reports.
pub const RESOURCES: &[ResourceSpec] = &[
    FRAMEWORKS,
    REQUIREMENTS,
    CONTROLS,
    CONTROL_REQUIREMENTS,
    EVIDENCE,
    ASSESSMENTS,
    COMPLIANCE_REPORTS,
];

/// What usually shows that something is met, and whom it binds: a line each.
const EVIDENCE_WORDS: Shape = Shape::List(&Shape::Text(1000), 200);
const ROLE_WORDS: Shape = Shape::List(&Shape::Text(200), 200);

const FRAMEWORKS: ResourceSpec = ResourceSpec::new("frameworks", "compliance.frameworks")
    .labels("framework", "frameworks")
    .actions(Actions::ALL)
    .create(&[
        "code",
        "name",
        "description",
        "citation",
        "jurisdiction",
        "kind",
        "as_of",
        "sources",
        "licence",
        "details",
        "is_active",
    ])
    .update(&[
        "name",
        "description",
        "citation",
        "jurisdiction",
        "kind",
        "as_of",
        "sources",
        "licence",
        "details",
        "is_active",
    ])
    .search(&["code", "name", "description", "citation"])
    .include(&[Include::many("requirements", "requirements", "framework_id")])
    .builtin()
    .reach();

const REQUIREMENTS: ResourceSpec = ResourceSpec::new("requirements", "compliance.requirements")
    .labels("requirement", "requirements")
    .actions(Actions::ALL)
    .create(&[
        "framework_id",
        "parent_id",
        "code",
        "reference",
        "title",
        "text",
        "kind",
        "roles",
        "scope",
        "timing",
        "applies_from",
        "expected_evidence",
        "position",
        "is_applicable",
        "inapplicable_reason",
    ])
    .update(&[
        "reference",
        "title",
        "text",
        "kind",
        "roles",
        "scope",
        "timing",
        "applies_from",
        "expected_evidence",
        "position",
        "is_applicable",
        "inapplicable_reason",
    ])
    .json(&[("expected_evidence", EVIDENCE_WORDS), ("roles", ROLE_WORDS)])
    .search(&["code", "reference", "title", "text"])
    .sort("position")
    .parent("frameworks", "framework_id", "requirements")
    .include(&[
        Include::one("framework", "frameworks", "framework_id"),
        Include::one("parent", "requirements", "parent_id"),
        Include::many("controls", "control_requirements", "requirement_id"),
    ])
    .builtin()
    .reach();

const CONTROLS: ResourceSpec = ResourceSpec::new("controls", "compliance.controls")
    .labels("control", "controls")
    .actions(Actions::ALL)
    .create(&["code", "title", "text", "expected_evidence", "owner_id", "is_active"])
    .update(&["title", "text", "expected_evidence", "owner_id", "is_active"])
    .people(&["owner_id"])
    .json(&[("expected_evidence", EVIDENCE_WORDS)])
    .search(&["code", "title", "text"])
    .include(&[
        Include::many("requirements", "control_requirements", "control_id"),
        Include::many("evidence", "evidence", "control_id"),
    ])
    .builtin()
    .reach();

/// A link belongs to its control: whoever changes controls may change links.
const CONTROL_REQUIREMENTS: ResourceSpec =
    ResourceSpec::new("control_requirements", "compliance.control_requirements")
        .labels("link", "links")
        .permission("controls")
        .actions(Actions::ALL)
        .create(&["control_id", "requirement_id", "relation"])
        .update(&["relation"])
        .parent("controls", "control_id", "requirements")
        .include(&[
            Include::one("control", "controls", "control_id"),
            Include::one("requirement", "requirements", "requirement_id"),
        ])
        .builtin()
        .reach();

/// What a query gave is Ephor's to write; what it is about and of what kind it is stays.
const EVIDENCE: ResourceSpec = ResourceSpec::new("evidence", "compliance.evidence")
    .labels("evidence", "evidence")
    .actions(Actions::ALL)
    .create(&[
        "control_id",
        "ai_system_id",
        "kind",
        "title",
        "description",
        "location",
        "sha256",
        "statement",
        "attested_by",
        "query",
        "parameters",
        "quality",
        "collected_at",
        "valid_until",
    ])
    .update(&[
        "title",
        "description",
        "location",
        "sha256",
        "statement",
        "attested_by",
        "query",
        "parameters",
        "quality",
        "collected_at",
        "valid_until",
    ])
    .people(&["attested_by"])
    .search(&["title", "description", "statement"])
    .parent("controls", "control_id", "evidence")
    .include(&[
        Include::one("control", "controls", "control_id"),
        Include::one("ai_system", "ai_systems", "ai_system_id"),
    ])
    .reach();

/// Its counts, score and results follow from evidence, so they are Ephor's to write.
const ASSESSMENTS: ResourceSpec = ResourceSpec::new("assessments", "compliance.assessments")
    .labels("assessment", "assessments")
    .actions(Actions::ALL)
    .create(&["framework_id", "subject_type", "ai_system_id", "model_id", "name", "notes"])
    .update(&["name", "notes", "status"])
    .search(&["name", "notes"])
    .parent("frameworks", "framework_id", "assessments")
    .include(&[
        Include::one("framework", "frameworks", "framework_id"),
        Include::one("ai_system", "ai_systems", "ai_system_id"),
        Include::one("model", "models", "model_id"),
    ])
    .reach();

/// Its totals and scores are counted, so they are Ephor's to write; who reviews it is stamped.
const COMPLIANCE_REPORTS: ResourceSpec =
    ResourceSpec::new("compliance_reports", "compliance.compliance_reports")
        .labels("report", "reports")
        .actions(Actions::ALL)
        .create(&[
            "code",
            "name",
            "report_type",
            "subject_type",
            "ai_system_id",
            "model_id",
            "framework_id",
            "framework",
            "period_start",
            "period_end",
            "metadata",
        ])
        .update(&["name", "summary", "recommendations", "status", "metadata"])
        .json(&[(
            "recommendations",
            Shape::Either(&[Shape::List(&Shape::Any, 1000), Shape::Object]),
        )])
        .search(&["code", "name", "framework", "summary"])
        .include(&[
            Include::one("framework_row", "frameworks", "framework_id"),
            Include::one("ai_system", "ai_systems", "ai_system_id"),
            Include::one("model", "models", "model_id"),
        ])
        .reach();
