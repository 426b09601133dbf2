//! Where personal data stand. Columns that can hold a person's id are found by `identity.user_columns()`;
//! columns that hold more than that are listed here, each with what an erasure does with it.

use ephor_store::testing;

/// What an erasure (`identity.erase_actor()`) does with a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Erasure {
    /// It is emptied or replaced, or its row is deleted.
    Erased,
    /// It holds no personal data, or what it holds must stay.
    Kept(&'static str),
}
use Erasure::{Erased, Kept};

const NAME_OF_A_THING: Erasure = Kept("the name of a thing of the organization's");

/// Column, and what becomes of it. A new column whose name speaks of people has its line here.
const COLUMNS: &[(&str, Erasure)] = &[
    ("guard.guard_operations.user_reference", Erased),
    ("guard.policy_decisions.ip_address", Erased),
    ("guard.policy_decisions.user_agent", Erased),
    ("guard.policy_decisions.user_email", Erased),
    ("identity.api_keys.name", Erased),
    ("identity.organization_members.email", Erased),
    ("identity.organization_members.full_name", Erased),
    ("identity.sessions.ip_address", Erased),
    ("identity.sessions.user_agent", Erased),
    ("identity.team_invitations.email", Erased),
    ("identity.user_identities.email", Erased),
    ("identity.user_tokens.email", Erased),
    ("identity.users.email", Erased),
    ("identity.users.first_name", Erased),
    ("identity.users.full_name", Erased),
    ("identity.users.last_name", Erased),
    ("identity.users.username", Erased),
    ("workforce.messages.to_address", Erased),
    ("assurance.mitigation_applications.column_name", Kept("the name of a column of a data set")),
    (
        "discovery.github_scan_configs.github_org_name",
        Kept("an account whose code is scanned, named by the organization"),
    ),
    ("discovery.github_scan_results.repository_name", NAME_OF_A_THING),
];

/// Columns that speak of people and hold another id than theirs, and which. One that does hold a person's
/// must be told to `identity.user_columns()`.
const ELSEWHERE: &[(&str, &str)] = &[
    ("identity.organization_members.role_id", "a role"),
    ("identity.sessions.current_organization_id", "an organization"),
    ("identity.team_invitations.role_id", "a role"),
    ("identity.team_invitations.team_id", "a team"),
];

#[tokio::test]
async fn every_column_about_people_is_known_to_the_erasure() {
    let db = testing::database().await;
    let found: Vec<String> = sqlx::query_scalar(
        r"select n.nspname || '.' || c.relname || '.' || a.attname
           from pg_class c
           join pg_namespace n on n.oid = c.relnamespace
           join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
           join pg_type t on t.oid = a.atttypid
          where c.relkind in ('r', 'p') and not c.relispartition and c.relowner = 'ephor_owner'::regrole
            and n.nspname not in ('kernel', 'audit', 'graphile_worker') and t.typname in ('text', 'varchar', 'inet', 'citext')
            and (a.attname ~ '(mail|_name$|author|user|person|holder|address|phone|user_agent|ip_|contact|recipient)'
                 or (n.nspname, a.attname) = ('identity', 'name') and c.relname = 'api_keys')
            -- Names of kinds of things.
            and a.attname not in ('metric_name', 'guard_name', 'policy_name', 'service_name', 'source_name', 'model_name',
                                  'file_name', 'feature_name', 'tier_name', 'persona_code')
          order by 1",
    )
    .fetch_all(&db.admin())
    .await
    .unwrap();
    let unknown: Vec<_> =
        found.iter().filter(|column| !COLUMNS.iter().any(|(name, _)| name == column)).collect();
    assert!(
        unknown.is_empty(),
        "columns about people that are not listed in tests/schema/personal.rs (say what erases them, or why they stay): {unknown:#?}"
    );
    let stale: Vec<_> =
        COLUMNS.iter().filter(|(name, _)| !found.iter().any(|column| column == name)).collect();
    assert!(stale.is_empty(), "listed and not there: {stale:?}");
    for (name, what) in COLUMNS {
        if let Kept(why) = what {
            assert!(!why.is_empty(), "{name} says no reason");
        }
    }
}

#[tokio::test]
async fn what_an_erasure_blanks_is_in_no_archive() {
    let db = testing::database().await;
    let left_out: Vec<(String, bool)> = sqlx::query_as(
        "select m.name || '.' || c.name, c.is_left_out from ops.month_tables() m, ops.archive_columns(m.place) c",
    )
    .fetch_all(&db.admin())
    .await
    .unwrap();
    let reached: Vec<_> = left_out
        .iter()
        .filter(|(column, is_left_out)| {
            !is_left_out && COLUMNS.iter().any(|(name, what)| name == column && *what == Erased)
        })
        .collect();
    assert!(
        reached.is_empty(),
        "an erasure blanks these, and could not in a file (ops.archive_columns is to leave them out): {reached:?}"
    );
    assert!(left_out.iter().any(|(_, is_left_out)| *is_left_out));
}

#[tokio::test]
async fn every_column_that_can_hold_a_persons_id_is_asked() {
    let db = testing::database().await;
    // By name or by what the catalog says of it, it holds who did or owns something.
    let speaking: Vec<String> = sqlx::query_scalar(
        r"select n.nspname || '.' || c.relname || '.' || a.attname
           from pg_class c
           join pg_namespace n on n.oid = c.relnamespace
           join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
           join pg_type t on t.oid = a.atttypid
          where c.relkind in ('r', 'p') and not c.relispartition and c.relowner = 'ephor_owner'::regrole
            and n.nspname not in ('kernel', 'audit', 'graphile_worker')
            and (n.nspname, c.relname) <> ('identity', 'data_export_parts')
            and (a.attname ~ '_by$' or a.attname ~ '^(user|member|actor|owner|author|approver|delegate|delegator|authority)_ids?$'
                 or col_description(c.oid, a.attnum) ~* '\ythe (user|person|member)\y' and t.typname in ('uuid', '_uuid'))
          order by 1",
    )
    .fetch_all(&db.admin())
    .await
    .unwrap();
    assert!(speaking.len() > 60, "{speaking:?}");
    let asked: Vec<String> = sqlx::query_scalar(
        "select u.name || '.' || c from identity.user_columns() u, unnest(u.columns || u.arrays) c",
    )
    .fetch_all(&db.admin())
    .await
    .unwrap();
    let forgotten: Vec<_> = speaking
        .iter()
        .filter(|column| {
            !asked.contains(column) && !ELSEWHERE.iter().any(|(name, _)| name == column)
        })
        .collect();
    assert!(
        forgotten.is_empty(),
        "columns that hold who did it, which an export would not ask: {forgotten:#?}"
    );
}
