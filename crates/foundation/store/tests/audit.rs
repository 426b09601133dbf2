//! The audit trail on a real PostgreSQL: what writes leave, what the sealer does with it, and what
//! a superuser who tampers is caught at.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use ephor_kernel::{EntryId, OrganizationId, Scope, SystemClock};
use ephor_seal::{
    Finding, KeyRing, SealKey, Trust, Verification, merkle, organization_origin, verify_export,
};
use ephor_store::{
    Store,
    audit::{self, EntryFilter, SealConfig, Sealer},
    testing::{TestDatabase, database},
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row};
use uuid::Uuid;

const TABLE: &str = "
    set role ephor_owner;
    create schema probe;
    grant usage on schema probe to ephor_app, ephor_system;
    create table probe.things (
        organization_id uuid not null,
        id uuid not null default kernel.uuidv7(),
        name text not null,
        secret text,
        n numeric,
        mask text,
        score double precision,
        primary key (organization_id, id));
    create table probe.hidden (like probe.things including all);
    create table probe.codes (code text primary key, meaning text);
    select kernel.tenant_table('probe.things');
    select kernel.tenant_table('probe.hidden', masked => '{secret}');
    select audit.watch('probe.codes', global => true);
    reset role";

/// A database with a watched table, a tenant, and the key that seals.
struct Fixture {
    db: TestDatabase,
    scope: Scope,
    key: SealKey,
}

impl Fixture {
    async fn new() -> Self {
        let db = database().await;
        sqlx::raw_sql(TABLE).execute(&db.admin()).await.unwrap();
        let scope = db.organization("Sparta").await;
        Self { db, scope, key: SealKey::from_seed(&[7; 32]) }
    }

    /// The same, with 600 things sealed in three batches.
    async fn sealed() -> Self {
        let fixture = Self::new().await;
        for _ in 0..3 {
            fixture.insert(200).await;
            fixture.seal().await;
        }
        fixture
    }

    fn store(&self) -> Store {
        self.db.store()
    }

    fn organization(&self) -> Uuid {
        self.scope.organization().uuid()
    }

    /// Things, in one statement.
    async fn insert(&self, count: i32) {
        self.run(&format!(
            "insert into probe.things (organization_id, name)
             select '{}', 'thing ' || i from generate_series(1, {count}) as i",
            self.organization()
        ))
        .await;
    }

    /// A statement of the application's.
    async fn run(&self, sql: &str) {
        let mut tx = self.store().begin(&self.scope).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(tx.conn()).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A statement of somebody who rules the database.
    async fn tamper(&self, sql: &str) {
        let sql = sql.replace("$org", &format!("'{}'::uuid", self.organization()));
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&self.db.admin()).await.unwrap();
    }

    async fn seal(&self) {
        // A sealer that was just stopped may hold its lock for a moment more.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while audit::seal_pending(&self.store(), &self.key).await.unwrap().is_none() {
            assert!(std::time::Instant::now() < deadline, "another sealer holds the lock");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    async fn verify(&self) -> Verification {
        let keys = KeyRing::new([self.key.public()]);
        audit::verify(&self.store(), self.scope.organization(), &keys).await.unwrap()
    }

    /// The entries in the order of their leaves.
    async fn leaves(&self) -> Vec<Uuid> {
        let bundles = sqlx::query_scalar::<_, Vec<u8>>(
            "select entries from audit.entry_bundles where organization_id = $1 order by position",
        )
        .bind(self.organization())
        .fetch_all(&self.db.admin())
        .await
        .unwrap();
        bundles
            .iter()
            .flat_map(|bytes| bytes.chunks(16))
            .map(|id| Uuid::from_slice(id).unwrap())
            .collect()
    }

    async fn entries(&self, filter: &EntryFilter) -> Vec<audit::AuditEntry> {
        let mut tx = self.store().begin(&self.scope).await.unwrap();
        audit::entry_list(&mut tx, filter).await.unwrap().entries
    }

    async fn things(&self) -> Vec<audit::AuditEntry> {
        let filter =
            EntryFilter { entity_type: Some("probe.things".to_owned()), ..EntryFilter::default() };
        self.entries(&filter).await
    }

    async fn export(&self) -> Vec<u8> {
        let mut file = Vec::new();
        audit::export(&self.store(), &self.scope, &SystemClock, &mut file).await.unwrap();
        file
    }
}

// -- What writes leave ----------------------------------------------------------------------------

#[tokio::test]
async fn the_sql_leaf_is_that_of_the_shared_vectors() {
    let fixture = Fixture::new().await;
    let file = include_str!("../../../capabilities/seal/tests/vectors/leaf.json");
    let file: Value = serde_json::from_str(file).unwrap();
    for vector in file["vectors"].as_array().unwrap() {
        let text = |name: &str| vector[name].as_str().map(str::to_owned);
        let uuid = |name: &str| text(name).map(|text| text.parse::<Uuid>().unwrap());
        let row = sqlx::query(
            "with salted as (select sha256($9::bytea || convert_to($8, 'UTF8')) as body_hash)
             select body_hash, audit.leaf_hash($1, $2, audit.header_middle($3, $4, $5, $6, $7), $10, body_hash)
             from salted",
        )
        .bind(uuid("organization_id"))
        .bind(uuid("id"))
        .bind(vector["micros"].as_i64())
        .bind(text("actor_type"))
        .bind(uuid("actor_id"))
        .bind(text("action"))
        .bind(text("entity_type"))
        .bind(text("body"))
        .bind(text("salt").map(|hex| hex::decode(hex).unwrap()))
        .bind(uuid("entity_id"))
        .fetch_one(&fixture.db.admin())
        .await
        .unwrap();
        assert_eq!(hex::encode(row.get::<Vec<u8>, _>(0)), vector["body_hash"]);
        assert_eq!(hex::encode(row.get::<Vec<u8>, _>(1)), vector["integrity_hash"]);
    }
}

#[tokio::test]
async fn one_statement_leaves_an_entry_for_each_row_with_what_was_before_and_after() {
    let fixture = Fixture::new().await;
    fixture.insert(300).await;
    let organization = fixture.organization();
    fixture.run(&format!("update probe.things set name = upper(name), score = 0.1 where organization_id = '{organization}'")).await;
    fixture.run(&format!("delete from probe.things where organization_id = '{organization}' and name <> 'THING 7'")).await;
    fixture
        .run(&format!(
            "delete from probe.things where organization_id = '{organization}' and name = 'nobody'"
        ))
        .await;
    let count = |action: &str| EntryFilter {
        action: Some(action.to_owned()),
        limit: Some(500),
        ..EntryFilter::default()
    };
    let of_things = |entries: Vec<audit::AuditEntry>| -> Vec<_> {
        entries.into_iter().filter(|entry| entry.entity_type == "probe.things").collect()
    };
    let updated = of_things(fixture.entries(&count("update")).await);
    assert_eq!(updated.len(), 300);
    for entry in &updated {
        let (before, after) = (entry.before.as_ref().unwrap(), entry.after.as_ref().unwrap());
        assert_eq!(before["id"], after["id"]);
        assert_eq!(entry.entity_id.unwrap().to_string(), after["id"].as_str().unwrap());
        assert_eq!(
            before["name"].as_str().unwrap().to_uppercase(),
            after["name"].as_str().unwrap()
        );
        let columns: Vec<_> = entry.changes().into_iter().map(|change| change.column).collect();
        assert_eq!(columns, ["name", "score"]);
    }
    assert_eq!(of_things(fixture.entries(&count("delete")).await).len(), 299);
    fixture.seal().await;
    let said = fixture.verify().await;
    assert!(said.verified(), "{said}");
}

#[tokio::test]
async fn masked_values_are_never_written_but_their_change_is() {
    let fixture = Fixture::new().await;
    let organization = fixture.organization();
    fixture.run(&format!("insert into probe.hidden (organization_id, name, secret) values ('{organization}', 'a', 'swordfish'), ('{organization}', 'b', null)")).await;
    fixture.run(&format!("update probe.hidden set secret = 'tuna' where organization_id = '{organization}' and name = 'a'")).await;
    let filter =
        EntryFilter { entity_type: Some("probe.hidden".to_owned()), ..EntryFilter::default() };
    let entries = fixture.entries(&filter).await;
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[0].masked, Some(json!(["secret"])));
    assert_eq!(entries[0].after.as_ref().unwrap()["secret"], "***");
    assert_eq!(entries[0].changes().len(), 1);
    let leaked: i64 =
        sqlx::query_scalar("select count(*) from audit.audit_logs where body ~ 'swordfish|tuna'")
            .fetch_one(&fixture.db.admin())
            .await
            .unwrap();
    assert_eq!(leaked, 0);
    fixture.seal().await;
    assert!(fixture.verify().await.verified());
}

#[tokio::test]
async fn global_tables_are_booked_under_the_platform() {
    let fixture = Fixture::new().await;
    sqlx::raw_sql("insert into probe.codes values ('a', 'first'), ('b', 'second'); update probe.codes set meaning = 'x' where code = 'b'; delete from probe.codes where code = 'a'")
        .execute(&fixture.db.admin()).await.unwrap();
    let bodies: Vec<(String, String, Value)> = sqlx::query_as(
        "select action, actor_type, body::jsonb from audit.audit_logs
         where organization_id = $1 and entity_type = 'probe.codes' order by id",
    )
    .bind(OrganizationId::PLATFORM.uuid())
    .fetch_all(&fixture.db.admin())
    .await
    .unwrap();
    let actions: Vec<_> = bodies.iter().map(|(action, ..)| action.as_str()).collect();
    assert_eq!(actions, ["insert", "insert", "update", "delete"]);
    assert_eq!(bodies[2].2["old"]["meaning"], "second");
    assert_eq!(bodies[2].2["new"]["meaning"], "x");
    // No context: the log-in is named.
    assert_eq!(bodies[0].1, "platform");
    assert!(bodies[0].2["request"]["login"].is_string());
    fixture.seal().await;
    let keys = KeyRing::new([fixture.key.public()]);
    let all = audit::verify_all(&fixture.store(), &keys).await.unwrap();
    assert!(all.iter().any(|said| said.organization == OrganizationId::PLATFORM.uuid()));
    assert!(all.iter().any(|said| said.organization == audit::INSTANCE_LOG && said.sealed > 0));
    for said in all {
        assert!(said.verified(), "{said}");
    }
}

#[tokio::test]
async fn entries_are_filtered_and_paged_and_only_ones_own() {
    let fixture = Fixture::new().await;
    fixture.insert(120).await;
    let other = fixture.db.organization("Athens").await;
    let mut tx = fixture.store().begin(&fixture.scope).await.unwrap();
    let mut filter = EntryFilter {
        limit: Some(50),
        entity_type: Some("probe.things".to_owned()),
        ..EntryFilter::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = audit::entry_list(&mut tx, &filter).await.unwrap();
        seen.extend(page.entries.iter().map(|entry| entry.id));
        filter.cursor = page.next;
        if page.next.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 120);
    assert!(seen.is_sorted_by(|newer, older| newer > older));
    let all = EntryFilter { limit: Some(500), ..EntryFilter::default() };
    let everything = audit::entry_list(&mut tx, &all).await.unwrap().entries;
    let one = everything.iter().find(|entry| entry.entity_type == "probe.things").unwrap();
    assert_eq!(one.actor_id, fixture.scope.principal().uuid());
    for filter in [
        EntryFilter { entity_id: one.entity_id, ..EntryFilter::default() },
        EntryFilter {
            entity_id: one.entity_id,
            action: Some("insert".into()),
            actor_id: Some(one.actor_id),
            from: Some(one.created_at),
            ..EntryFilter::default()
        },
    ] {
        assert_eq!(
            audit::entry_list(&mut tx, &filter).await.unwrap().entries,
            std::slice::from_ref(one)
        );
    }
    for filter in [
        EntryFilter {
            entity_id: one.entity_id,
            to: Some(one.created_at),
            ..EntryFilter::default()
        },
        EntryFilter { action: Some("nothing".into()), ..EntryFilter::default() },
        EntryFilter { actor_id: Some(Uuid::nil()), ..EntryFilter::default() },
    ] {
        assert!(audit::entry_list(&mut tx, &filter).await.unwrap().entries.is_empty());
    }
    let mut theirs = fixture.store().begin(&other).await.unwrap();
    let foreign = audit::entry_list(
        &mut theirs,
        &EntryFilter { entity_type: Some("probe.things".into()), ..EntryFilter::default() },
    )
    .await
    .unwrap();
    assert!(foreign.entries.is_empty());
}

#[tokio::test]
async fn events_are_recorded_and_none_may_pass_for_a_change() {
    let fixture = Fixture::new().await;
    let mut tx = fixture.store().begin(&fixture.scope).await.unwrap();
    let id = audit::record(&mut tx, "log_out", "identity.sessions", None, &json!({"why": "asked"}))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let found = fixture
        .entries(&EntryFilter { action: Some("log_out".into()), ..EntryFilter::default() })
        .await;
    assert_eq!(found.iter().map(|entry| entry.id).collect::<Vec<_>>(), [id]);
    assert_eq!(found[0].details, Some(json!({"why": "asked"})));
    assert!(!found[0].sealed);
    for action in ["insert", "update", "delete", "erase", "", "Log out", "x y"] {
        let mut tx = fixture.store().begin(&fixture.scope).await.unwrap();
        let error =
            audit::record(&mut tx, action, "probe.things", None, &json!({})).await.unwrap_err();
        assert_eq!(error.sqlstate().as_deref(), Some("22023"), "{action}");
    }
}

#[tokio::test]
async fn nobody_but_the_triggers_writes_entries_and_only_the_sealer_seals() {
    let fixture = Fixture::sealed().await;
    let tables = [
        "audit_logs",
        "seal_queue",
        "tiles",
        "entry_bundles",
        "audit_checkpoints",
        "instance_entries",
        "seal_keys",
    ];
    for role in
        ["ephor_app", "ephor_system", "ephor_reach", "ephor_door", "ephor_backup", "ephor_sealer"]
    {
        for table in tables {
            for right in ["insert", "update", "delete", "truncate"] {
                let has: bool =
                    sqlx::query_scalar("select has_table_privilege($1, 'audit.' || $2, $3)")
                        .bind(role)
                        .bind(table)
                        .bind(right)
                        .fetch_one(&fixture.db.admin())
                        .await
                        .unwrap();
                let may = role == "ephor_sealer"
                    && matches!(
                        (table, right),
                        ("seal_queue", "delete")
                            | ("tiles" | "entry_bundles", "insert" | "update")
                            | ("audit_checkpoints" | "instance_entries" | "seal_keys", "insert")
                    );
                assert_eq!(has, may, "{role} {right} {table}");
            }
        }
    }
    let partitions: Vec<(String, bool)> = sqlx::query_as(
        "select c.relname::text, has_table_privilege('ephor_app', c.oid, 'select') or has_table_privilege('ephor_reach', c.oid, 'select')
         from pg_inherits as i join pg_class as c on c.oid = i.inhrelid where i.inhparent = 'audit.audit_logs'::regclass")
        .fetch_all(&fixture.db.admin()).await.unwrap();
    assert!(partitions.len() >= 5);
    assert!(partitions.iter().all(|(_, reachable)| !reachable), "{partitions:?}");
    let error =
        sqlx::raw_sql("truncate probe.things").execute(&fixture.db.admin()).await.unwrap_err();
    assert!(error.to_string().contains("use delete"));
}

// -- Sealing --------------------------------------------------------------------------------------

#[tokio::test]
async fn what_is_written_is_queued_then_sealed_and_verified() {
    let fixture = Fixture::new().await;
    fixture.insert(5).await;
    let mut tx = fixture.store().begin(&fixture.scope).await.unwrap();
    let before = audit::status(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(before.sealed, 0);
    assert!(before.queued >= 5);
    let said = fixture.verify().await;
    assert!(said.verified(), "{said}");
    assert_eq!((said.sealed, said.queued), (0, before.queued));
    fixture.seal().await;
    let said = fixture.verify().await;
    assert!(said.verified(), "{said}");
    assert_eq!((said.sealed, said.proven, said.queued), (before.queued, before.queued, 0));
    let mut tx = fixture.store().begin(&fixture.scope).await.unwrap();
    let after = audit::status(&mut tx).await.unwrap();
    assert_eq!(
        (after.sealed, after.queued, after.verified_size),
        (before.queued, 0, before.queued)
    );
    assert!(after.verified_at.is_some());
    let checkpoint = after.checkpoint.unwrap();
    let keys = KeyRing::new([fixture.key.public()]);
    let signed =
        keys.checkpoint(&checkpoint.note, &organization_origin(fixture.organization())).unwrap();
    assert_eq!(hex::encode(signed.root), checkpoint.root);
    let partition: String = sqlx::query_scalar(
        "select partition_name from audit.audit_checkpoints where organization_id = $1 limit 1",
    )
    .bind(fixture.organization())
    .fetch_one(&fixture.db.admin())
    .await
    .unwrap();
    let there: Option<String> = sqlx::query_scalar("select to_regclass('audit.' || $1)::text")
        .bind(partition)
        .fetch_one(&fixture.db.admin())
        .await
        .unwrap();
    assert!(there.is_some());
}

fn quick() -> SealConfig {
    SealConfig {
        interval: Duration::from_millis(5),
        batch: 40,
        instance_interval: Duration::from_millis(50),
        anchor: None,
    }
}

/// Writers on one organization, each with many small transactions.
fn writers(fixture: &Fixture, count: usize, each: usize) -> Vec<tokio::task::JoinHandle<()>> {
    (0..count).map(|_| {
        let (store, scope) = (fixture.store(), fixture.scope.clone());
        tokio::spawn(async move {
            for _ in 0..each {
                let mut tx = store.begin(&scope).await.unwrap();
                sqlx::query("insert into probe.things (organization_id, name) values ($1, 'a'), ($1, 'b')")
                    .bind(scope.organization().uuid()).execute(tx.conn()).await.unwrap();
                tx.commit().await.unwrap();
            }
        })
    }).collect()
}

async fn all_are_sealed(fixture: &Fixture, things: i64) {
    let written: i64 = sqlx::query_scalar("select count(*) from audit.audit_logs where organization_id = $1 and entity_type = 'probe.things'")
        .bind(fixture.organization()).fetch_one(&fixture.db.admin()).await.unwrap();
    assert_eq!(written, things);
    let keys = KeyRing::new([fixture.key.public()]);
    for said in audit::verify_all(&fixture.store(), &keys).await.unwrap() {
        assert!(said.verified(), "{said}");
        assert_eq!(said.queued, 0);
        assert_eq!(said.proven, said.sealed);
    }
    let leaves = fixture.leaves().await;
    let distinct: std::collections::HashSet<_> = leaves.iter().collect();
    assert_eq!(distinct.len(), leaves.len(), "no entry is sealed twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_of_one_organization_and_two_sealers_leave_one_tree() {
    let fixture = Fixture::new().await;
    let sealers: Vec<_> = (0..2)
        .map(|_| Sealer::start_with(&fixture.store(), fixture.key.clone(), quick()))
        .collect();
    for writer in writers(&fixture, 8, 25) {
        writer.await.unwrap();
    }
    for sealer in sealers {
        sealer.shutdown().await;
    }
    fixture.seal().await;
    all_are_sealed(&fixture, 8 * 25 * 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealer_killed_over_and_over_loses_nothing_and_seals_nothing_twice() {
    let fixture = Fixture::new().await;
    let writers = writers(&fixture, 4, 60);
    let mut killed = 0;
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) || killed < 20 {
        let sealer = Sealer::start_with(&fixture.store(), fixture.key.clone(), quick());
        if killed % 3 == 0 {
            tokio::time::sleep(Duration::from_millis(killed % 17)).await;
            drop(sealer);
        } else {
            // Its connection is cut where it stands.
            tokio::time::sleep(Duration::from_millis(7 + killed % 11)).await;
            sqlx::query(
                "select pg_terminate_backend(pid) from pg_stat_activity
                         where datname = current_database() and usename = 'ephor_sealer'",
            )
            .execute(&fixture.db.admin())
            .await
            .unwrap();
            drop(sealer);
        }
        killed += 1;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while audit::seal_pending(&fixture.store(), &fixture.key).await.ok().flatten().is_none() {
        assert!(
            tokio::time::Instant::now() < deadline,
            "the lock of a killed sealer is not let go"
        );
        tokio::task::yield_now().await;
    }
    all_are_sealed(&fixture, 4 * 60 * 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_can_wait_until_its_entry_is_sealed_and_take_a_receipt() {
    let fixture = Fixture::sealed().await;
    let mut tx = fixture.store().begin(&fixture.scope).await.unwrap();
    let id =
        audit::record(&mut tx, "export", "probe.things", None, &json!({"rows": 3})).await.unwrap();
    assert_eq!(audit::receipt(&mut tx, id).await.unwrap(), None, "not sealed yet");
    tx.commit().await.unwrap();
    let organization = fixture.scope.organization();
    assert!(!audit::wait_sealed(&fixture.store(), organization, id, Duration::ZERO).await.unwrap());
    let sealer = Sealer::start(&fixture.store(), fixture.key.clone());
    sealer.nudge();
    assert!(
        audit::wait_sealed(&fixture.store(), organization, id, Duration::from_secs(20))
            .await
            .unwrap()
    );
    sealer.shutdown().await;
    let keys = KeyRing::new([fixture.key.public()]);
    let origin = organization_origin(organization.uuid());
    let mut tx = fixture.store().begin(&fixture.scope).await.unwrap();
    for entry in fixture.leaves().await.into_iter().step_by(97).chain([id.uuid()]) {
        let receipt =
            audit::receipt(&mut tx, EntryId::from(entry)).await.unwrap().expect("a receipt");
        let leaf = merkle::leaf(receipt.extra.as_ref().unwrap());
        let again = ephor_seal::TlogProof::parse(&receipt.to_string()).unwrap();
        again.verify(&leaf, &origin, &keys).unwrap();
        assert!(again.verify(&merkle::leaf(b"another"), &origin, &keys).is_err());
    }
    assert_eq!(audit::receipt(&mut tx, EntryId::new()).await.unwrap(), None);
    let first: i64 = sqlx::query_scalar(
        "select min(last_sequence_number) from audit.audit_checkpoints where organization_id = $1",
    )
    .bind(organization.uuid())
    .fetch_one(tx.conn())
    .await
    .unwrap();
    let proof = audit::consistency(&mut tx, first as u64).await.unwrap().expect("a proof");
    let (old, new) = (
        keys.checkpoint(&proof.old, &origin).unwrap(),
        keys.checkpoint(&proof.new, &origin).unwrap(),
    );
    assert!(merkle::verify_consistency(old.size, new.size, &proof.path, &old.root, &new.root));
    assert_eq!(audit::consistency(&mut tx, 100_000).await.unwrap(), None);
}

#[tokio::test]
async fn a_new_key_takes_over_and_both_are_trusted_through_either() {
    let mut fixture = Fixture::sealed().await;
    let (old, new) = (fixture.key.clone(), SealKey::from_seed(&[8; 32]));
    let at = chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    audit::rotate(&fixture.store(), &old, &new, at).await.unwrap();
    fixture.key = new.clone();
    fixture.insert(3).await;
    fixture.seal().await;
    for key in [old, new] {
        let keys = KeyRing::new([key.public()]);
        let said =
            audit::verify(&fixture.store(), fixture.scope.organization(), &keys).await.unwrap();
        assert!(said.verified(), "{said}");
        let file = fixture.export().await;
        let said = verify_export(&*file, &Trust::Keys(keys), None).unwrap();
        assert!(said[0].verified(), "{}", said[0]);
    }
    let stranger = KeyRing::new([SealKey::from_seed(&[9; 32]).public()]);
    let said =
        audit::verify(&fixture.store(), fixture.scope.organization(), &stranger).await.unwrap();
    assert!(!said.verified());
}

#[tokio::test]
async fn the_instance_log_is_anchored_in_a_file() {
    let fixture = Fixture::new().await;
    fixture.insert(3).await;
    let folder = tempfile::tempdir().unwrap();
    let anchor = folder.path().join("anchor.txt");
    let config = SealConfig { anchor: Some(anchor.clone()), ..quick() };
    Sealer::start_with(&fixture.store(), fixture.key.clone(), config).shutdown().await;
    let text = std::fs::read_to_string(&anchor).unwrap();
    let id: Uuid = sqlx::query_scalar("select id from audit.instance")
        .fetch_one(&fixture.db.admin())
        .await
        .unwrap();
    let note = text.split_inclusive("\n\n").take(2).collect::<String>();
    let note = note.strip_suffix('\n').unwrap();
    let keys = KeyRing::new([fixture.key.public()]);
    let signed = keys.checkpoint(note, &ephor_seal::checkpoint::instance_origin(id)).unwrap();
    assert!(signed.size >= 1);
}

#[tokio::test]
async fn a_month_that_is_made_late_takes_its_entries_from_the_default_partition() {
    let fixture = Fixture::new().await;
    fixture.insert(4).await;
    // As if nobody had made months for long: this month's partition is gone, its rows in the default.
    fixture.tamper("do $$ declare part regclass; begin
        select i.inhrelid::regclass into part from pg_inherits i
          where i.inhparent = 'audit.audit_logs'::regclass
            and i.inhrelid = to_regclass('audit.audit_logs_' || to_char(now() at time zone 'UTC', 'YYYY_MM'));
        execute format('alter table audit.audit_logs detach partition %s', part);
        execute format('insert into audit.audit_logs select * from %s', part);
        execute format('drop table %s', part); end $$").await;
    fixture.insert(2).await;
    let count = "select count(*) from audit.audit_logs_default";
    let waiting: i64 = sqlx::query_scalar(count).fetch_one(&fixture.db.admin()).await.unwrap();
    assert!(waiting >= 6);
    fixture.tamper("select ops.months_ahead(3)").await;
    let waiting: i64 = sqlx::query_scalar(count).fetch_one(&fixture.db.admin()).await.unwrap();
    assert_eq!(waiting, 0);
    fixture.seal().await;
    assert!(fixture.verify().await.verified());
    assert_eq!(fixture.things().await.len(), 6);
}

// -- Tampering ------------------------------------------------------------------------------------

const ALTERED: &str = "update audit.audit_logs set";

#[tokio::test]
async fn an_entry_altered_in_any_part_is_named() {
    let fixture = Fixture::sealed().await;
    assert!(fixture.verify().await.verified());
    let leaves = fixture.leaves().await;
    let changes = [
        "body = replace(body, 'thing', 'thong')",
        "body = body || ' '",
        "salt = substr(salt, 2) || '\\x00'",
        "action = 'delete'",
        "actor_id = gen_random_uuid()",
        "actor_type = 'system'",
        "entity_type = 'probe.other'",
        "entity_id = gen_random_uuid()",
        "entity_id = null",
        "created_at = created_at + interval '1 microsecond'",
        "created_at = created_at + interval '1 month'",
        "body = replace(body, 'thing', 'thong'), integrity_hash = sha256('forged')",
        "body = null, salt = null, erased_by = id, body_hash = sha256(salt || convert_to(body, 'UTF8'))",
        "body = null, salt = null",
    ];
    fixture
        .tamper("alter table audit.audit_logs drop constraint if exists audit_logs_erased_by_check")
        .await;
    let mut expected = Vec::new();
    for (number, change) in changes.iter().enumerate() {
        let index = 100 + 30 * number;
        let entry = leaves[index];
        fixture
            .tamper(&format!("{ALTERED} {change} where organization_id = $org and id = '{entry}'"))
            .await;
        expected.push(Finding::Altered { entry, index: Some(index as u64) });
    }
    let mut said = fixture.verify().await;
    said.findings.sort_by_key(ToString::to_string);
    expected.sort_by_key(ToString::to_string);
    assert_eq!(said.findings, expected);
    assert_eq!(said.proven, said.sealed, "the tree itself holds");
    // The export of it says the same, without the database.
    let keys = KeyRing::new([fixture.key.public()]);
    let mut offline =
        verify_export(&*fixture.export().await, &Trust::Keys(keys), None).unwrap().remove(0);
    offline.findings.sort_by_key(ToString::to_string);
    assert_eq!(offline.findings, expected);
}

#[tokio::test]
async fn deleted_and_inserted_entries_are_named() {
    let fixture = Fixture::sealed().await;
    let leaves = fixture.leaves().await;
    let (gone, copied) = (leaves[300], leaves[301]);
    let (forged, twin) = (Uuid::now_v7(), leaves[302]);
    fixture
        .tamper(&format!(
            "delete from audit.audit_logs where organization_id = $org and id = '{gone}'"
        ))
        .await;
    let copy = |id: Uuid, from: Uuid, at: &str, body: &str| {
        format!(
        "insert into audit.audit_logs (organization_id, id, created_at, actor_type, actor_id, action, entity_type, entity_id, body, salt, integrity_hash)
         select organization_id, '{id}', {at}, actor_type, actor_id, action, entity_type, entity_id, {body}, salt, integrity_hash
         from audit.audit_logs where organization_id = $org and id = '{from}'")
    };
    fixture.tamper(&copy(forged, copied, "clock_timestamp()", "body")).await;
    fixture.tamper(&copy(twin, twin, "created_at + interval '1 second'", "'{}'")).await;
    let mut findings = fixture.verify().await.findings;
    findings.sort_by_key(ToString::to_string);
    let mut expected = vec![
        Finding::Deleted { entry: gone, index: Some(300) },
        Finding::Inserted { entry: forged },
        Finding::Inserted { entry: twin },
    ];
    expected.sort_by_key(ToString::to_string);
    assert_eq!(findings, expected);
}

#[tokio::test]
async fn entries_whose_contents_or_places_were_exchanged_are_named() {
    let fixture = Fixture::sealed().await;
    let leaves = fixture.leaves().await;
    let (left, right) = (leaves[260], leaves[270]);
    fixture.tamper(&format!(
        "create temporary table exchanged as select * from audit.audit_logs where organization_id = $org and id in ('{left}', '{right}');
         {ALTERED} body = e.body, salt = e.salt, integrity_hash = e.integrity_hash, entity_id = e.entity_id
         from exchanged as e where audit_logs.organization_id = $org and audit_logs.id in ('{left}', '{right}') and e.id in ('{left}', '{right}') and e.id <> audit_logs.id;
         drop table exchanged")).await;
    assert_eq!(
        fixture.verify().await.findings,
        [
            Finding::Altered { entry: left, index: Some(260) },
            Finding::Altered { entry: right, index: Some(270) },
        ]
    );

    // In the tree: the list of ids alone, then the leaf hashes too.
    let fixture = Fixture::sealed().await;
    let leaves = fixture.leaves().await;
    let (left, right) = (leaves[260], leaves[270]);
    let exchange = |table: &str, column: &str, width: usize| {
        format!(
            "update audit.{table} set {column} = overlay(overlay({column}
            placing substr({column}, {a}, {width}) from {b})
            placing substr({column}, {b}, {width}) from {a})
         where organization_id = $org and position = 1",
            a = 4 * width + 1,
            b = 14 * width + 1
        )
    };
    fixture.tamper(&exchange("entry_bundles", "entries", 16)).await;
    let swapped = [
        Finding::Reordered { entry: right, index: 260, belongs: 270 },
        Finding::Reordered { entry: left, index: 270, belongs: 260 },
    ];
    assert_eq!(fixture.verify().await.findings, swapped);
    fixture.tamper(&(exchange("tiles", "hashes", 32) + " and level = 0")).await;
    let said = fixture.verify().await;
    assert_eq!(said.findings, swapped);
    assert_eq!(said.proven, said.sealed);
}

#[tokio::test]
async fn what_was_done_to_the_tree_is_found() {
    let tile = "where organization_id = $org and level = 0 and position = 1";
    // A hash alone: the entry is cleared.
    let fixture = Fixture::sealed().await;
    let leaves = fixture.leaves().await;
    fixture
        .tamper(&format!(
            "update audit.tiles set hashes = set_byte(hashes, 0, 255 - get_byte(hashes, 0)) {tile}"
        ))
        .await;
    assert_eq!(
        fixture.verify().await.findings,
        [Finding::HashAltered { entry: leaves[256], index: 256 }]
    );
    // Entry, its hash, and the tree's hash: narrowed to the batch.
    let fixture = Fixture::sealed().await;
    let leaves = fixture.leaves().await;
    let entry = leaves[256];
    fixture.tamper(&format!(
        "{ALTERED} body = '{{}}', integrity_hash = audit.leaf_hash(organization_id, id,
             audit.header_middle((extract(epoch from created_at) * 1000000)::bigint, actor_type, actor_id, action, entity_type),
             entity_id, sha256(salt || convert_to('{{}}', 'UTF8')))
         where organization_id = $org and id = '{entry}';
         update audit.tiles set hashes = overlay(hashes placing (select integrity_hash from audit.audit_logs where id = '{entry}') from 1) {tile}")).await;
    let said = fixture.verify().await;
    let [Finding::Unproven { from, to, entries, following }] = &said.findings[..] else {
        panic!("{said}")
    };
    assert!((*from..*to).contains(&256) && to - from == 200 && *following > 0, "{said}");
    assert!(entries.contains(&entry));
    // A tile, and a bundle, gone.
    let fixture = Fixture::sealed().await;
    fixture.tamper(&format!("delete from audit.tiles {tile}")).await;
    assert!(fixture.verify().await.findings.contains(&Finding::Gap { from: 256, to: 512 }));
    let fixture = Fixture::sealed().await;
    fixture
        .tamper("delete from audit.entry_bundles where organization_id = $org and position = 1")
        .await;
    assert!(!fixture.verify().await.verified());
}

#[tokio::test]
async fn what_was_done_to_checkpoints_is_found() {
    let newest = "where organization_id = $org and last_sequence_number = (select max(last_sequence_number) from audit.audit_checkpoints where organization_id = $org)";
    for forgery in [
        "update audit.audit_checkpoints set root_hash = sha256('forged')",
        "update audit.audit_checkpoints set note = replace(note, 'ephor/organization', 'ephor/organisation')",
        "update audit.audit_checkpoints set last_sequence_number = last_sequence_number + 1",
        "delete from audit.audit_checkpoints",
    ] {
        let fixture = Fixture::sealed().await;
        fixture.tamper(&format!("{forgery} {newest}")).await;
        let said = fixture.verify().await;
        let named = said.findings.iter().any(|finding| {
            matches!(
                finding,
                Finding::Checkpoint { .. } | Finding::Unsigned { .. } | Finding::CutOff { .. }
            )
        });
        assert!(named, "{forgery}: {said}");
    }
}

#[tokio::test]
async fn a_tree_set_back_with_its_checkpoints_is_found_by_the_instance_log() {
    let fixture = Fixture::sealed().await;
    let size: i64 = sqlx::query_scalar(
        "select min(last_sequence_number) from audit.audit_checkpoints where organization_id = $1",
    )
    .bind(fixture.organization())
    .fetch_one(&fixture.db.admin())
    .await
    .unwrap();
    assert!(size < 256, "the first batch is one partial tile");
    let kept = &fixture.leaves().await[..size as usize];
    let kept: Vec<String> = kept.iter().map(|id| format!("'{id}'")).collect();
    fixture.tamper(&format!(
        "delete from audit.audit_logs where organization_id = $org and id not in ({});
         delete from audit.audit_checkpoints where organization_id = $org and last_sequence_number > {size};
         delete from audit.tiles where organization_id = $org and (level > 0 or position > 0);
         delete from audit.entry_bundles where organization_id = $org and position > 0;
         update audit.tiles set hashes = substr(hashes, 1, {size} * 32) where organization_id = $org;
         update audit.entry_bundles set entries = substr(entries, 1, {size} * 16) where organization_id = $org", kept.join(","))).await;
    let said = fixture.verify().await;
    assert!(
        matches!(said.findings[..], [Finding::CutOff { from, to }] if from == size as u64 && to > from),
        "{said}"
    );
    // And the sealer builds nothing on a tree that is not what was signed.
    fixture.tamper("update audit.tiles set hashes = set_byte(hashes, 0, 255 - get_byte(hashes, 0)) where organization_id = $org").await;
    fixture.insert(1).await;
    fixture.seal().await;
    let mut tx = fixture.store().begin(&fixture.scope).await.unwrap();
    let status = audit::status(&mut tx).await.unwrap();
    assert_eq!((status.sealed, status.queued), (size as u64, 1));
}

#[tokio::test]
async fn queued_entries_are_held_to_their_hashes_too() {
    let fixture = Fixture::sealed().await;
    fixture.insert(2).await;
    let waiting: Vec<Uuid> = sqlx::query_scalar(
        "select entry_id from audit.seal_queue where organization_id = $1 order by entry_id",
    )
    .bind(fixture.organization())
    .fetch_all(&fixture.db.admin())
    .await
    .unwrap();
    fixture
        .tamper(&format!(
            "{ALTERED} body = '{{}}' where organization_id = $org and id = '{}'",
            waiting[0]
        ))
        .await;
    fixture
        .tamper(&format!(
            "delete from audit.audit_logs where organization_id = $org and id = '{}'",
            waiting[1]
        ))
        .await;
    assert_eq!(
        fixture.verify().await.findings,
        [
            Finding::Altered { entry: waiting[0], index: None },
            Finding::Deleted { entry: waiting[1], index: None },
        ]
    );
    // Taken out of the queue, it was neither sealed nor queued.
    fixture.tamper("delete from audit.seal_queue where organization_id = $org").await;
    assert_eq!(fixture.verify().await.findings, [Finding::Inserted { entry: waiting[0] }]);
}

// -- Erasure and export ---------------------------------------------------------------------------

#[tokio::test]
async fn an_erased_entry_stays_proven_and_is_told_from_a_nulled_one() {
    let fixture = Fixture::sealed().await;
    let leaves = fixture.leaves().await;
    let victims = [leaves[300], leaves[301]];
    let mut tx = fixture.store().begin_system(&fixture.scope).await.unwrap();
    let by = audit::erase(&mut tx, &victims.map(EntryId::from), "the person asked for it")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    for sealed in [false, true] {
        if sealed {
            fixture.seal().await;
        }
        let said = fixture.verify().await;
        assert!(said.verified(), "{said}");
        let erased: Vec<_> = said.erased.iter().map(|erased| (erased.entry, erased.by)).collect();
        assert_eq!(erased, victims.map(|entry| (entry, by.uuid())));
    }
    let offline = verify_export(&*fixture.export().await, &Trust::Export, None).unwrap();
    assert!(offline[0].verified() && offline[0].erased.len() == 2);
    let mut tx = fixture.store().begin(&fixture.scope).await.unwrap();
    let receipt =
        audit::receipt(&mut tx, EntryId::from(victims[0])).await.unwrap().expect("a receipt");
    assert!(receipt.extra.is_some());
    let record = audit::entry_list(
        &mut tx,
        &EntryFilter { action: Some("erase".into()), ..EntryFilter::default() },
    )
    .await
    .unwrap();
    assert_eq!(record.entries[0].details.as_ref().unwrap()["reason"], "the person asked for it");
    // Not by the application, not twice, not the record itself, not without a reason, not another's.
    assert!(audit::erase(&mut tx, &[EntryId::from(leaves[1])], "x").await.is_err());
    for (entry, reason) in
        [(victims[0], "again"), (by.uuid(), "cover up"), (leaves[1], " "), (Uuid::now_v7(), "none")]
    {
        let mut tx = fixture.store().begin_system(&fixture.scope).await.unwrap();
        assert!(audit::erase(&mut tx, &[EntryId::from(entry)], reason).await.is_err());
    }
    // Made to look as if that entry had erased it.
    fixture.tamper(&format!("{ALTERED} body_hash = sha256(salt || convert_to(body, 'UTF8')), body = null, salt = null, erased_by = '{}'
        where organization_id = $org and id = '{}'", by.uuid(), leaves[310])).await;
    assert_eq!(
        fixture.verify().await.findings,
        [Finding::Altered { entry: leaves[310], index: Some(310) }]
    );
}

#[tokio::test]
async fn an_export_is_verified_without_the_database_and_recorded_in_it() {
    let fixture = Fixture::sealed().await;
    let file = fixture.export().await;
    let said =
        verify_export(&*file, &Trust::Keys(KeyRing::new([fixture.key.public()])), None).unwrap();
    assert_eq!(said.len(), 1);
    assert!(said[0].verified(), "{}", said[0]);
    assert!(said[0].sealed >= 600);
    assert_eq!(said[0].queued, 1, "the export's own entry");
    let live = fixture.verify().await;
    assert_eq!(said[0], live);
    let recorded = fixture
        .entries(&EntryFilter { action: Some("export".into()), ..EntryFilter::default() })
        .await;
    assert_eq!(recorded.len(), 1);
}
