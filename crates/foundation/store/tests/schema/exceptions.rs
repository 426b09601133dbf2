//! What breaks a rule and is right: rule, object, why.

const SECURED: &str = "row-level security is enabled and forced";
const POLICY: &str = "a table has a policy";
const GLOBAL: &str = "a table without organization_id is one of the listed global ones";
const REACH: &str = "a reach policy is for reading, by the one array";
const OWNERS: &str = "a SECURITY DEFINER function of the owner is listed";
const KEY: &str = "a tenant's table has the primary key (organization_id, id[, created_at])";
const INDEX: &str = "organization_id comes first in every index";
const FOREIGN: &str = "organization_id comes first in every foreign key between tenants' tables";
const UPWARD: &str = "no foreign key leads from a global table to a tenant's";
const AUDITED: &str = "every change is audited";

const MIGRATIONS: &str =
    "names and hashes of files that everybody has; only the migrator writes it";
const OWN_TENANT: &str = "an organization is its own tenant: organization_id is generated from id, so the two are one key";
const TRAIL: &str = "it is the trail: entries are made by triggers, sealed by the sealer, and nobody may change them";
const TREE: &str = "a tree's own coordinates are its key; ids would double what every entry costs";
const ASKED_BEFORE: &str = "asked by the door before there is an organization, by one exact value";

const PRICE_LIST: &str = "what can be bought: the same for all organizations, and read only";
const TO_GLOBAL: &str = "a foreign key to a global table, which is everywhere on a cluster";
const PLATFORM: &str =
    "for who runs the installation; granted to ephor_system alone, not to who serves tenants";
const HIGH_RATE: &str = "high rate: audited per batch, by count and hash";

/// Rule, object, reason.
pub const EXCEPTIONS: &[(&str, &str, &str)] = &[
    (SECURED, "kernel.migrations", MIGRATIONS),
    (POLICY, "kernel.migrations", MIGRATIONS),
    (GLOBAL, "kernel.migrations", MIGRATIONS),
    (GLOBAL, "audit.instance", "the installation's own name"),
    (GLOBAL, "audit.instance_entries", "the installation's own log: hashes of checkpoints"),
    (GLOBAL, "audit.seal_keys", "the installation's public keys"),
    (GLOBAL, "audit.publications", "how far the installation's own log was published"),
    (GLOBAL, "audit.archives", "months of the whole trail that went to the object store"),
    (GLOBAL, "ops.system_health", "how Ephor itself is"),
    (GLOBAL, "ops.heartbeats", "when Ephor's own parts were looked at"),
    (GLOBAL, "identity.users", "a person may be a member of many organizations; sees themself"),
    (GLOBAL, "identity.sessions", "a person's, whatever the organization; sees their own"),
    (GLOBAL, "identity.session_activity", "a person's, whatever the organization; sees their own"),
    (GLOBAL, "identity.log_in_attempts", "counted before anybody is known; the door's alone"),
    (GLOBAL, "identity.user_identities", "a person's, whatever the organization; sees their own"),
    (GLOBAL, "identity.user_totp", "a person's, whatever the organization; sees their own"),
    (GLOBAL, "identity.user_tokens", "used before anybody is known; the door's alone"),
    (GLOBAL, "identity.data_exports", "of all that is held on a person; sees their own"),
    (GLOBAL, "identity.erasures", "of a person, whatever the organizations; nobody's to see"),
    (GLOBAL, "identity.data_export_parts", "of all that is held on a person; sees their own"),
    (GLOBAL, "billing.subscription_tiers", PRICE_LIST),
    (GLOBAL, "billing.products", PRICE_LIST),
    (GLOBAL, "billing.prices", PRICE_LIST),
    (GLOBAL, "registry.frontier_models", "a catalogue: the same for all organizations"),
    (REACH, "billing.subscription_tiers.global_reach", PRICE_LIST),
    (REACH, "billing.products.global_reach", PRICE_LIST),
    (REACH, "billing.prices.global_reach", PRICE_LIST),
    (REACH, "registry.frontier_models.global_reach", "a catalogue: the same for all organizations"),
    (OWNERS, "audit.erase(uuid[],text)", "takes the organization from the setting"),
    (
        OWNERS,
        "kernel.drop_month(regclass,date)",
        "detaching a past month needs its owner; shows nothing",
    ),
    (OWNERS, "ops.month_tenants(regclass,date)", PLATFORM),
    (OWNERS, "ops.archives_list(integer)", PLATFORM),
    (
        OWNERS,
        "identity.erase_actor()",
        "a person is in every organization; takes the actor from the setting",
    ),
    (
        OWNERS,
        "identity.held()",
        "a person is in every organization; takes the actor from the setting",
    ),
    (OWNERS, "ops.cleanup_all()", "the relay's: deletes what ended long ago, shows counts"),
    (
        OWNERS,
        "ops.monitors_due(timestamp with time zone,integer)",
        "the scheduler's: ids of what is due; granted to ephor_system alone",
    ),
    (
        OWNERS,
        "ops.row_feeds_due(timestamp with time zone,integer)",
        "the scheduler's: ids of what is due; granted to ephor_system alone",
    ),
    (OWNERS, "ops.months_ahead(integer)", "makes partitions; shows nothing"),
    (
        OWNERS,
        "ops.slow_queries_read()",
        "the installation's statistics; not granted to who serves tenants",
    ),
    (OWNERS, "audit.months()", "names of partitions"),
    (OWNERS, "audit.month_drop(date)", "detaching a past month needs its owner; shows a count"),
    (OWNERS, "audit.record(text,text,uuid,jsonb)", "takes the organization from the setting"),
    (
        OWNERS,
        "audit.record_for(uuid,text,uuid,text,text,uuid,jsonb)",
        "the door's: it books for an organization before there is a scope",
    ),
    (OWNERS, "ops.platform_status()", PLATFORM),
    (OWNERS, "ops.erasures_list()", PLATFORM),
    (OWNERS, "ops.erasures_open()", PLATFORM),
    (OWNERS, "ops.erasure_retry(uuid,text)", PLATFORM),
    (OWNERS, "ops.sealed_counts()", PLATFORM),
    (OWNERS, "ops.sealed_replace(text,uuid,bytea,bytea)", PLATFORM),
    (OWNERS, "ops.sealed_values(bytea,text,uuid,integer)", PLATFORM),
    (OWNERS, "ops.secrets_record(text,jsonb)", PLATFORM),
    (OWNERS, "ops.organizations_list(uuid)", PLATFORM),
    (OWNERS, "ops.organization_set(uuid,jsonb,text)", PLATFORM),
    (OWNERS, "ops.users_list(text,uuid,integer)", PLATFORM),
    (OWNERS, "ops.user_set(uuid,boolean,boolean,text)", PLATFORM),
    (OWNERS, "ops.user_sessions_end(uuid,text)", PLATFORM),
    (OWNERS, "ops.user_second_factor_remove(uuid,text)", PLATFORM),
    (
        OWNERS,
        "ops.recover(interval,interval)",
        "the relay's: puts back jobs of dead workers, shows a count",
    ),
    (OWNERS, "ops.relay(integer)", "the relay's: hands over ids, shows a count"),
    (KEY, "audit.seal_queue", "one statement reads it whole; an index would cost every write"),
    (KEY, "audit.tiles", TREE),
    (KEY, "audit.entry_bundles", TREE),
    (KEY, "identity.membership_versions", "one number for each organization"),
    (INDEX, "identity.organizations_id_key", OWN_TENANT),
    (
        INDEX,
        "identity.organizations_slug_key",
        "a slug is an address of the whole installation: asked by the door",
    ),
    (INDEX, "identity.organizations_parent_id_idx", "a holding's subsidiaries are other tenants"),
    (INDEX, "identity.organization_members_user_idx", ASKED_BEFORE),
    (INDEX, "identity.organizations_subscription_tier_id_idx", TO_GLOBAL),
    (INDEX, "billing.subscriptions_subscription_tier_id_idx", TO_GLOBAL),
    (INDEX, "registry.frontier_alert_configs_frontier_model_id_idx", TO_GLOBAL),
    (INDEX, "registry.frontier_alerts_frontier_model_id_idx", TO_GLOBAL),
    (INDEX, "registry.models_frontier_model_id_idx", TO_GLOBAL),
    (
        INDEX,
        "audit.audit_checkpoints_created_at_idx",
        "the sealer enters the newest checkpoints of all organizations into the instance log",
    ),
    (FOREIGN, "identity.membership_versions.membership_versions_organization_fkey", OWN_TENANT),
    (FOREIGN, "identity.roles.roles_organization_fkey", OWN_TENANT),
    (FOREIGN, "identity.organization_members.organization_members_organization_fkey", OWN_TENANT),
    (
        UPWARD,
        "identity.sessions.sessions_organization_fkey",
        "organizations is the tenants' own list, which is everywhere on a cluster",
    ),
    (AUDITED, "kernel.migrations", MIGRATIONS),
    (AUDITED, "audit.audit_logs", TRAIL),
    (AUDITED, "audit.instance", TRAIL),
    (AUDITED, "audit.seal_queue", TRAIL),
    (AUDITED, "audit.tiles", TRAIL),
    (AUDITED, "audit.entry_bundles", TRAIL),
    (AUDITED, "audit.audit_checkpoints", TRAIL),
    (AUDITED, "audit.instance_entries", TRAIL),
    (AUDITED, "audit.seal_keys", TRAIL),
    (AUDITED, "audit.publications", TRAIL),
    (AUDITED, "audit.archives", "each trail has an entry of what of it was archived"),
    (
        AUDITED,
        "ops.jobs",
        "signs of life several times a second; what a job does is audited where it does it",
    ),
    (AUDITED, "ops.heartbeats", "a sign of life each minute; what a part turns into is audited"),
    (AUDITED, "ops.outbox", "what is in it says what was audited already"),
    (
        AUDITED,
        "identity.session_activity",
        "the time of the last request; log-in and log-out are events of the trail",
    ),
    (AUDITED, "identity.data_export_parts", "the bytes of an archive, which itself is audited"),
    (AUDITED, "billing.usage_records", HIGH_RATE),
    (AUDITED, "billing.usage_counts", "counters; what the requests changed is audited itself"),
    (AUDITED, "content.post_views", "counters of readings, which change nothing"),
    (AUDITED, "gateway.conversation_logs", HIGH_RATE),
    (AUDITED, "gateway.cost_transactions", HIGH_RATE),
    (AUDITED, "guard.guard_metrics", HIGH_RATE),
    (AUDITED, "guard.guard_operations", HIGH_RATE),
    (AUDITED, "identity.membership_versions", "a counter of changes that are audited themselves"),
    (
        AUDITED,
        "identity.log_in_attempts",
        "counters of the throttle; refusals are events of the trail",
    ),
    (
        AUDITED,
        "identity.api_key_usage",
        "counters; the calls themselves are audited by what they change",
    ),
];
