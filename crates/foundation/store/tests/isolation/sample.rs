//! One row of each table, made up from the catalog.

use uuid::Uuid;

use super::catalog::{Column, Table};

/// What a column needs that its type and vocabulary do not tell. Add a line here when a new table's
/// check constraints refuse the made-up row: table, column, and a value as SQL.
const SAMPLES: &[(&str, &str, &str)] = &[
    ("assurance.bias_analyses", "data_source", "'upload'"),
    ("assurance.bias_analysis_results", "undefined_reason", "'made up'"),
    ("assurance.row_feed_batches", "request_sha256", "decode(repeat('00', 32), 'hex')"),
    ("assurance.row_feed_batches", "stored_at", "now()"),
    ("assurance.row_feed_batches", "until_row", "1000000"),
    ("audit.audit_checkpoints", "last_sequence_number", "1"),
    ("audit.audit_checkpoints", "signature", "decode(repeat('00', 68), 'hex')"),
    ("audit.audit_logs", "body", "'{}'"),
    ("audit.audit_logs", "salt", "decode(repeat('00', 32), 'hex')"),
    ("audit.entry_bundles", "entries", "decode(repeat('00', 16), 'hex')"),
    ("audit.entry_bundles", "first_entry", "'00000000-0000-7000-8000-000000000001'"),
    ("audit.entry_bundles", "last_entry", "'00000000-0000-7000-8000-000000000002'"),
    ("billing.usage_counts", "month", "'2026-11-01'"),
    ("compliance.evidence", "location", "'x'"),
    ("content.posts", "author_id", "kernel.uuidv7()"),
    ("discovery.github_scan_configs", "github_org_name", "'x'"),
    ("gateway.conversation_logs", "messages", "'[]'"),
    ("guard.policy_versions", "revision", "1000000"),
    ("identity.api_keys", "key_prefix", "'eph_x'"),
    ("identity.team_invitations", "email", "'x@example.org'"),
    ("identity.teams", "owner_id", "kernel.uuidv7()"),
    ("ops.archives", "month", "'2026-11-01'"),
    ("ops.archives", "row_digest", "'1'"),
    ("ops.archives", "sha256", "repeat('0', 64)"),
    ("ops.builtin_copies", "entity", "'compliance.frameworks'"),
    ("ops.builtin_editions", "digest", "repeat('0', 64)"),
    ("ops.outbox", "subject_id", "kernel.uuidv7()"),
    ("registry.model_artifacts", "sha256", "repeat('0', 64)"),
    ("registry.model_versions", "semantic_version", "'1.0.0'"),
    ("workforce.approval_delegations", "ends_at", "now() + interval '1 day'"),
    ("workforce.approvals", "expires_at", "now() + interval '1 day'"),
];

/// Column and value, as SQL, of a row of `organization`.
pub fn row(table: &Table, organization: Uuid, id: Uuid) -> Vec<(String, String)> {
    table
        .columns
        .iter()
        .filter(|column| !column.generated)
        .filter_map(|column| Some((column.name.clone(), value(table, column, organization, id)?)))
        .collect()
}

fn value(table: &Table, column: &Column, organization: Uuid, id: Uuid) -> Option<String> {
    // An organization is its own tenant, by a generated column.
    let is_own_tenant = table.columns.iter().any(|it| it.name == "organization_id" && it.generated);
    match column.name.as_str() {
        "organization_id" => return Some(format!("'{organization}'")),
        "id" if is_own_tenant => return Some(format!("'{organization}'")),
        "id" => return Some(format!("'{id}'")),
        _ => {}
    }
    let sample = SAMPLES
        .iter()
        .find(|(name, of, _)| *name == table.name && *of == column.name)
        .map(|(_, _, value)| (*value).to_owned());
    if sample.is_some() {
        return sample;
    }
    if !column.not_null || column.has_default {
        return None;
    }
    // What a check says of JSON are kinds of values, not values.
    if let Some(word) = column.first_word.as_ref().filter(|_| !column.kind.starts_with("json")) {
        return Some(format!("'{word}'"));
    }
    let kind = column.kind.split('(').next().unwrap_or_default();
    Some(match kind {
        "uuid" => format!("'{}'", Uuid::now_v7()),
        // Unique across organizations and valid as slug, word, e-mail's local part.
        "text" | "character varying" => format!("'x{}'", Uuid::now_v7().simple()),
        "jsonb" | "json" => "'{}'".to_owned(),
        "boolean" => "false".to_owned(),
        "smallint" | "integer" | "bigint" | "numeric" | "double precision" | "real" => {
            "1".to_owned()
        }
        "timestamp with time zone" => "now()".to_owned(),
        "date" => "current_date".to_owned(),
        "interval" => "'1 day'".to_owned(),
        "inet" => "'192.0.2.1'".to_owned(),
        "bytea" => "decode(repeat('00', 32), 'hex')".to_owned(),
        array if array.ends_with("[]") => "'{}'".to_owned(),
        other => panic!(
            "{}.{} is of type {other}: say in tests/isolation/sample.rs how a value of it is made up",
            table.name, column.name
        ),
    })
}
