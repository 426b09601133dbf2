//! What the resource engine serves of identity's tables.

use ephor_rest::{Actions, Include, ResourceSpec};

use crate::saved_view;

/// Organizations, members, roles and API keys: lists and rows, and the organization's own update.
/// All other writes have rules of their own, and are [`super::operations()`].
pub const RESOURCES: &[ResourceSpec] = &[
    ResourceSpec::new("organizations", "identity.organizations")
        .labels("organization", "organizations")
        .actions(Actions::READ.and_update())
        .update(&["name", "slug", "description", "settings", "require_second_factor"])
        .search(&["name", "slug", "description"])
        .sort("name")
        .reach(),
    ResourceSpec::new("members", "identity.organization_members")
        .labels("member", "members")
        .search(&["full_name", "email"])
        .sort("full_name")
        .include(&[Include::one("role", "roles", "role_id")])
        .reach(),
    ResourceSpec::new("roles", "identity.roles")
        .labels("role", "roles")
        .search(&["name", "description"])
        .sort("name")
        .include(&[Include::many("members", "members", "role_id")])
        .reach(),
    ResourceSpec::new("api-keys", "identity.api_keys")
        .labels("API key", "API keys")
        .permission("api_keys")
        .search(&["name", "key_prefix"])
        .include(&[Include::one("usage", "api-key-usage", "id")])
        .personal_unless("user_id", "manage"),
    ResourceSpec::new("api-key-usage", "identity.api_key_usage")
        .labels("use of an API key", "uses of API keys")
        .permission("api_keys")
        .actions(Actions::NONE)
        .sort("-last_used_at"),
    ResourceSpec::new("teams", "identity.teams")
        .labels("team", "teams")
        .actions(Actions::ALL)
        .create(&["name", "description", "owner_id"])
        .update(&["name", "description", "owner_id", "deleted_at"])
        .people(&["owner_id"])
        .search(&["name", "description"])
        .sort("name")
        .include(&[Include::many("members", "team_members", "team_id")])
        .reach(),
    ResourceSpec::new("team_members", "identity.team_members")
        .labels("team member", "team members")
        .actions(Actions::ALL)
        .create(&["team_id", "member_id", "role"])
        .update(&["role"])
        .include(&[
            Include::one("team", "teams", "team_id"),
            Include::one("member", "members", "member_id"),
        ])
        .parent("teams", "team_id", "members")
        .reach(),
    // Made, sent again and revoked by operations of their own, which make the token; the state is all that callers change
    // (revoked), and the database refuses every other step that they could ask for.
    ResourceSpec::new("team_invitations", "identity.team_invitations")
        .labels("team invitation", "team invitations")
        .actions(Actions::READ.and_update())
        .update(&["status"])
        .search(&["email"])
        .include(&[
            Include::one("team", "teams", "team_id"),
            Include::one("role", "roles", "role_id"),
        ])
        .reach(),
    // What came with Ephor, and what of it waits beside a change that was made here.
    ResourceSpec::new("builtin_copies", "ops.builtin_copies")
        .labels("built-in copy", "built-in copies")
        .search(&["entity", "builtin_code"])
        .sort("entity")
        .reach(),
    // What retention made of old months; nobody else writes it.
    ResourceSpec::new("archives", "ops.archives")
        .labels("archive", "archives")
        .hidden(&["row_digest"])
        .search(&["source_table"])
        .sort("-month")
        .reach(),
    // Row-level security shows one's own and what is shared, and lets one change one's own alone.
    ResourceSpec::new("saved_views", "identity.saved_views")
        .labels("saved view", "saved views")
        .actions(Actions::ALL)
        .create(&[
            "resource",
            "name",
            "filters",
            "search",
            "sort",
            "columns",
            "is_shared",
            "is_default",
        ])
        .update(&["name", "filters", "search", "sort", "columns", "is_shared", "is_default"])
        .search(&["name"])
        .sort("resource,name")
        .check(saved_view::faults),
];
