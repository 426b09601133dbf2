//! What may be done with the rows of this context.

use ephor_rest::{Actions, Include, ResourceSpec, Shape};

/// Assistants with their templates and versions, work, approvals with their votes and delegations,
/// communication policies and messages.
pub const RESOURCES: &[ResourceSpec] = &[
    ASSISTANTS,
    ASSISTANT_VERSIONS,
    ASSISTANT_TEMPLATES,
    WORK_ITEMS,
    APPROVALS,
    APPROVAL_VOTES,
    APPROVAL_DELEGATIONS,
    COMMUNICATION_POLICIES,
    MESSAGES,
];

/// How an assistant works and which model it thinks with; what else belongs there is open.
const WAYS: &[(&str, Shape)] = &[
    (
        "configuration",
        Shape::Record(&[("instructions", Shape::Text(50_000)), ("tone", Shape::Text(1000))]),
    ),
    (
        "model_config",
        Shape::Record(&[
            ("provider", Shape::Text(200)),
            ("model", Shape::Text(200)),
            ("parameters", Shape::Object),
        ]),
    ),
];

const ASSISTANTS: ResourceSpec = ResourceSpec::new("assistants", "workforce.assistants")
    .labels("assistant", "assistants")
    .actions(Actions::ALL)
    .create(&[
        "template_id",
        "name",
        "slug",
        "description",
        "type",
        "configuration",
        "capabilities",
        "model_config",
        "risk_tier",
        "max_cost_per_day",
    ])
    .update(&[
        "name",
        "slug",
        "description",
        "type",
        "status",
        "status_reason",
        "configuration",
        "capabilities",
        "model_config",
        "risk_tier",
        "max_cost_per_day",
    ])
    .json(WAYS)
    .search(&["name", "slug", "description"])
    .include(&[
        Include::one("template", "assistant_templates", "template_id"),
        Include::many("versions", "assistant_versions", "assistant_id"),
        Include::many("work_items", "work_items", "assistant_id"),
    ])
    .reach();

/// Made by the database whenever what an assistant is changes, so there is nothing to write here.
const ASSISTANT_VERSIONS: ResourceSpec =
    ResourceSpec::new("assistant_versions", "workforce.assistant_versions")
        .labels("assistant version", "assistant versions")
        .permission("assistants")
        .parent("assistants", "assistant_id", "versions")
        .include(&[Include::one("assistant", "assistants", "assistant_id")])
        .reach();

const ASSISTANT_TEMPLATES: ResourceSpec =
    ResourceSpec::new("assistant_templates", "workforce.assistant_templates")
        .labels("template", "templates")
        .actions(Actions::ALL)
        .create(&[
            "name",
            "slug",
            "description",
            "type",
            "configuration",
            "capabilities",
            "model_config",
        ])
        .update(&[
            "name",
            "slug",
            "description",
            "type",
            "configuration",
            "capabilities",
            "model_config",
        ])
        .json(WAYS)
        .search(&["name", "slug", "description"])
        .builtin()
        .reach();

const WORK_ITEMS: ResourceSpec = ResourceSpec::new("work_items", "workforce.work_items")
    .labels("work item", "work items")
    .actions(Actions::ALL)
    .create(&[
        "assistant_id",
        "title",
        "description",
        "priority",
        "risk_level",
        "estimated_cost",
        "context",
        "due_at",
    ])
    .update(&[
        "title",
        "description",
        "status",
        "status_reason",
        "priority",
        "risk_level",
        "estimated_cost",
        "context",
        "due_at",
    ])
    .search(&["title", "description"])
    .words_index()
    .parent("assistants", "assistant_id", "work_items")
    .include(&[
        Include::one("assistant", "assistants", "assistant_id"),
        Include::many("approvals", "approvals", "work_item_id"),
    ])
    .reach();

/// Decided by votes. A person may pass one on (`escalated`) or take it back (`withdrawn`), after which
/// its work can be changed; the database refuses to approve or reject without the votes that it takes.
const APPROVALS: ResourceSpec = ResourceSpec::new("approvals", "workforce.approvals")
    .labels("approval", "approvals")
    .actions(Actions::READ.and_create(false).and_update())
    .create(&[
        "work_item_id",
        "title",
        "description",
        "risk_level",
        "approver_ids",
        "expires_at",
        "context",
    ])
    .update(&["status"])
    // At level 4 an approver of the holding decides.
    .people_or_above(&["approver_ids"])
    .search(&["title", "description"])
    .parent("work_items", "work_item_id", "approvals")
    .include(&[
        Include::one("work_item", "work_items", "work_item_id"),
        Include::many("votes", "approval_votes", "approval_id"),
    ])
    .reach();

/// Given once and never changed. Who votes is whoever asks. At risk level 4 a holding decides on what its
/// subsidiaries ask.
const APPROVAL_VOTES: ResourceSpec =
    ResourceSpec::new("approval_votes", "workforce.approval_votes")
        .labels("vote on an approval", "votes on approvals")
        .actions(Actions::READ.and_create(false))
        .create(&["approval_id", "delegation_id", "decision", "reason"])
        .search(&["reason"])
        .parent("approvals", "approval_id", "votes")
        .include(&[
            Include::one("approval", "approvals", "approval_id"),
            Include::one("delegation", "approval_delegations", "delegation_id"),
        ])
        .below("approvals", "approval_id", ("risk_level", 4))
        .reach();

/// Whoever asks delegates their own right, and nobody else's.
const APPROVAL_DELEGATIONS: ResourceSpec =
    ResourceSpec::new("approval_delegations", "workforce.approval_delegations")
        .labels("delegation", "delegations")
        .actions(Actions::READ.and_create(false).and_update().and_delete())
        .create(&["delegate_id", "risk_levels", "starts_at", "ends_at", "reason"])
        .update(&["ends_at", "reason", "is_active"])
        .people(&["delegate_id"])
        .search(&["reason"])
        .reach();

const COMMUNICATION_POLICIES: ResourceSpec =
    ResourceSpec::new("communication_policies", "workforce.communication_policies")
        .labels("communication policy", "communication policies")
        .actions(Actions::ALL)
        .create(&[
            "name",
            "description",
            "from_assistant_types",
            "to_assistant_types",
            "allowed_channels",
            "content_rules",
            "rate_limit_per_hour",
            "is_active",
        ])
        .update(&[
            "name",
            "description",
            "from_assistant_types",
            "to_assistant_types",
            "allowed_channels",
            "content_rules",
            "rate_limit_per_hour",
            "is_active",
        ])
        .search(&["name", "description"])
        .reach();

/// Written by what checks and delivers them.
const MESSAGES: ResourceSpec = ResourceSpec::new("messages", "workforce.messages")
    .labels("message", "messages")
    .search(&["subject", "content"])
    .words_index()
    .include(&[
        Include::one("from_assistant", "assistants", "from_assistant_id"),
        Include::one("to_assistant", "assistants", "to_assistant_id"),
        Include::one("work_item", "work_items", "work_item_id"),
        Include::one("policy", "communication_policies", "policy_id"),
    ])
    .reach();
