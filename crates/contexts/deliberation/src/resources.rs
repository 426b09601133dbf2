//! What may be done with the rows of this context.

use ephor_rest::{Actions, Include, ResourceSpec};

/// Personas, deliberations, contributions and votes.
pub const RESOURCES: &[ResourceSpec] = &[PERSONAS, DELIBERATIONS, CONTRIBUTIONS, VOTES];

const PERSONAS: ResourceSpec = ResourceSpec::new("personas", "deliberation.personas")
    .labels("persona", "personas")
    .actions(Actions::ALL)
    .create(&["code", "name", "kind", "expertise", "system_prompt", "is_active"])
    .update(&["name", "kind", "expertise", "system_prompt", "is_active"])
    .search(&["code", "name", "expertise"])
    .builtin()
    .reach();

/// A person asks, pauses, goes on and kills; the rest is the board's.
const DELIBERATIONS: ResourceSpec =
    ResourceSpec::new("deliberations", "deliberation.deliberations")
        .labels("deliberation", "deliberations")
        .actions(Actions::READ.and_create(false).and_update().and_delete())
        .create(&["problem_statement", "problem_context", "max_cost", "max_rounds"])
        .update(&["status", "max_cost", "max_rounds", "kill_reason"])
        .search(&["problem_statement"])
        .include(&[
            Include::many("contributions", "contributions", "deliberation_id"),
            Include::many("votes", "votes", "deliberation_id"),
        ])
        .personal("user_id");

/// Written by the board.
const CONTRIBUTIONS: ResourceSpec =
    ResourceSpec::new("contributions", "deliberation.contributions")
        .labels("contribution", "contributions")
        .permission("deliberations")
        .search(&["content"])
        .sort("created_at")
        .parent("deliberations", "deliberation_id", "contributions")
        .include(&[
            Include::one("deliberation", "deliberations", "deliberation_id"),
            Include::one("persona", "personas", "persona_id"),
        ])
        .personal("user_id");

/// Written by the board.
const VOTES: ResourceSpec = ResourceSpec::new("votes", "deliberation.votes")
    .labels("vote", "votes")
    .permission("deliberations")
    .search(&["vote_choice", "reasoning"])
    .sort("created_at")
    .parent("deliberations", "deliberation_id", "votes")
    .include(&[
        Include::one("deliberation", "deliberations", "deliberation_id"),
        Include::one("persona", "personas", "persona_id"),
    ])
    .personal("user_id");
