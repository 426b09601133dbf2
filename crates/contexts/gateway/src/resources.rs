//! What may be done with the rows of this context.

use ephor_rest::{Actions, Include, ResourceSpec};

/// Credit pools, cost transactions, conversations and hallucination flags.
pub const RESOURCES: &[ResourceSpec] =
    &[PROVIDER_CREDIT_POOLS, COST_TRANSACTIONS, CONVERSATION_LOGS, HALLUCINATION_FLAGS];

/// What is left in a pool follows from calls, so there is nothing of it to write here.
const PROVIDER_CREDIT_POOLS: ResourceSpec =
    ResourceSpec::new("provider_credit_pools", "gateway.provider_credit_pools")
        .labels("credit pool", "credit pools")
        .actions(Actions::READ.and_create(false).and_update().and_delete())
        .create(&["provider", "monthly_budget", "reset_day_of_month"])
        .update(&["monthly_budget", "reset_day_of_month", "override_until", "override_reason"])
        .reach();

/// Written by the gateway, which knows what a call cost.
const COST_TRANSACTIONS: ResourceSpec =
    ResourceSpec::new("cost_transactions", "gateway.cost_transactions")
        .labels("cost transaction", "cost transactions")
        .search(&["provider", "model"])
        .include(&[
            Include::one("assistant", "assistants", "assistant_id"),
            Include::one("work_item", "work_items", "work_item_id"),
        ])
        .reach();

/// Written by the gateway, by the organization's rules of retention and redaction.
const CONVERSATION_LOGS: ResourceSpec =
    ResourceSpec::new("conversation_logs", "gateway.conversation_logs")
        .labels("conversation", "conversations")
        .search(&["channel", "external_id"])
        .include(&[
            Include::one("assistant", "assistants", "assistant_id"),
            Include::one("work_item", "work_items", "work_item_id"),
        ])
        .reach();

/// Found by the gateway, or by a person who says so; judged once.
const HALLUCINATION_FLAGS: ResourceSpec =
    ResourceSpec::new("hallucination_flags", "gateway.hallucination_flags")
        .labels("hallucination flag", "hallucination flags")
        .actions(Actions::READ.and_create(false).and_update())
        .create(&[
            "assistant_id",
            "work_item_id",
            "conversation_log_id",
            "detection_method",
            "severity",
            "confidence_score",
            "flagged_content",
            "notes",
        ])
        .update(&["status", "severity", "notes"])
        .search(&["flagged_content", "notes"])
        .include(&[
            Include::one("assistant", "assistants", "assistant_id"),
            Include::one("work_item", "work_items", "work_item_id"),
        ])
        .reach();
