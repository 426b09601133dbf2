//! What the resource engine serves of identity's tables.

use ephor_rest::{Actions, Include, ResourceSpec};

/// Organizations, members, roles and API keys: lists and rows, and the organization's own update.
/// All other writes have rules of their own, and are [`super::operations()`].
pub const RESOURCES: &[ResourceSpec] = &[
    ResourceSpec::new("organizations", "identity.organizations")
        .labels("organization", "organizations")
        .actions(Actions::READ.and_update())
        .update(&["name", "slug", "description", "settings"])
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
];
