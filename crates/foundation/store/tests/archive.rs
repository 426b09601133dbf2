//! Old months of the audit trail go to the object store, and the trail goes on to verify.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{path::Path, sync::Arc};

use chrono::{DateTime, Months, NaiveDate, Utc};
use ephor_kernel::{EntryId, OrganizationId, Scope, SystemClock};
use ephor_seal::{
    Finding, KeyRing, SealKey, Trust, Verification, merkle, organization_origin, verify_export,
};
use ephor_store::{
    Store, audit,
    testing::{TestDatabase, database},
};
use object_store::{ObjectStore, local::LocalFileSystem};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

struct Fixture {
    db: TestDatabase,
    scope: Scope,
    other: Scope,
    key: SealKey,
    folder: tempfile::TempDir,
    today: NaiveDate,
}

impl Fixture {
    /// Two organizations; the first has 700 entries of three months ago and 5 of two months ago, the other
    /// has 3 of three months ago.
    async fn new() -> Self {
        let db = database().await;
        let (scope, other) = (db.organization("Sparta").await, db.organization("Argos").await);
        let today: DateTime<Utc> =
            sqlx::query_scalar("select now()").fetch_one(&db.admin()).await.unwrap();
        let fixture = Self {
            db,
            scope,
            other,
            key: SealKey::from_seed(&[7; 32]),
            folder: tempfile::tempdir().unwrap(),
            today: today.date_naive(),
        };
        fixture.past(&fixture.scope, 3, 700).await;
        fixture.past(&fixture.scope, 2, 5).await;
        fixture.past(&fixture.other, 3, 3).await;
        fixture.run("select ops.months_ahead(3)").await;
        fixture.seal().await;
        fixture
    }

    fn store(&self) -> Store {
        self.db.store()
    }

    fn objects(&self) -> Arc<dyn ObjectStore> {
        Arc::new(LocalFileSystem::new_with_prefix(self.folder.path()).unwrap())
    }

    fn keys(&self) -> KeyRing {
        KeyRing::new([self.key.public()])
    }

    fn month(&self, ago: u32) -> NaiveDate {
        let first = chrono::Datelike::with_day(&self.today, 1).unwrap();
        first.checked_sub_months(Months::new(ago)).unwrap()
    }

    async fn run(&self, sql: &str) {
        let sql = sql.replace("$org", &format!("'{}'::uuid", self.scope.organization()));
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&self.db.admin()).await.unwrap();
    }

    /// Entries as the triggers would have written them then.
    async fn past(&self, scope: &Scope, months_ago: i32, count: i32) {
        let organization = scope.organization();
        self.run(&format!(
            "with made as (
                 select kernel_id.id, kernel_id.ms, '{{\"new\":{{\"n\":' || i || '}}}}' as body, sha256(convert_to('salt' || i, 'UTF8')) as salt
                 from generate_series(1, {count}) as i
                 cross join lateral (
                     select (extract(epoch from date_trunc('month', now()) - interval '{months_ago} months') * 1000)::bigint + i * 1000 as ms) as at
                 cross join lateral (
                     select at.ms, encode(int8send((at.ms << 16) | 28672) || substr(uuid_send(gen_random_uuid()), 9), 'hex')::uuid as id) as kernel_id),
             entry as (
                 insert into audit.audit_logs (organization_id, id, created_at, actor_type, actor_id, action, entity_type, entity_id, body, salt, integrity_hash)
                 select '{organization}', m.id, to_timestamp(m.ms / 1000), 'system', '00000000-0000-7000-8000-000000000001', 'insert', 'probe.things', m.id, m.body, m.salt,
                        audit.leaf_hash('{organization}', m.id, audit.header_middle(m.ms * 1000, 'system', '00000000-0000-7000-8000-000000000001', 'insert', 'probe.things'),
                            m.id, sha256(m.salt || convert_to(m.body, 'UTF8')))
                 from made as m
                 returning organization_id, id, integrity_hash)
             insert into audit.seal_queue (organization_id, entry_id, integrity_hash) select * from entry"
        ))
        .await;
    }

    async fn seal(&self) {
        audit::seal_pending(&self.store(), &self.key).await.unwrap().unwrap();
    }

    async fn verify(&self, scope: &Scope) -> Verification {
        audit::verify(&self.store(), scope.organization(), &self.keys()).await.unwrap()
    }

    /// Archives what is older than the two months before the present one.
    async fn archive(&self) -> Result<Vec<audit::Archive>, audit::AuditError> {
        audit::archive_due(&self.store(), &self.objects(), &self.keys(), 2, self.today).await
    }

    async fn entries(&self, months_ago: u32) -> Vec<Uuid> {
        sqlx::query_scalar(
            "select id from audit.audit_logs
             where organization_id = $1 and created_at >= $2::date and created_at < $2::date + interval '1 month' order by id",
        )
        .bind(self.scope.organization().uuid())
        .bind(self.month(months_ago))
        .fetch_all(&self.db.admin())
        .await
        .unwrap()
    }

    fn file(&self, archive: &audit::Archive) -> std::path::PathBuf {
        self.folder.path().join(Path::new(&archive.object))
    }
}

#[tokio::test]
async fn an_old_month_is_archived_and_the_trail_verifies_before_and_after() {
    let fixture = Box::pin(Fixture::new()).await;
    let old = fixture.entries(3).await;
    assert_eq!(old.len(), 700);
    let before = fixture.verify(&fixture.scope).await;
    assert!(before.verified() && before.archived == 0, "{before}");

    // Killed between archive and drop: everything is still there, and the next run goes on.
    let (store, objects, keys) = (fixture.store(), fixture.objects(), fixture.keys());
    let written = audit::archive_write(&store, &objects, &keys, fixture.month(3)).await.unwrap();
    assert_eq!((written.row_count, written.dropped), (703, false));
    assert_eq!(fixture.entries(3).await.len(), 700);
    let between = fixture.verify(&fixture.scope).await;
    assert!(between.verified() && between.archived == 0, "{between}");

    let done = fixture.archive().await.unwrap();
    assert_eq!(done.len(), 1, "the other months are to be kept: {done:?}");
    assert_eq!((&done[0].sha256, done[0].dropped), (&written.sha256, true));
    assert_eq!(fixture.entries(3).await.len(), 0);
    assert_eq!(fixture.entries(2).await.len(), 5);
    assert!(fixture.archive().await.unwrap().is_empty(), "once is enough");

    // The record of it may still be queued, or sealed.
    for _ in 0..2 {
        for (scope, count) in [(&fixture.scope, 700), (&fixture.other, 3)] {
            let after = fixture.verify(scope).await;
            assert!(after.verified() && after.archived == count, "{after}");
        }
        fixture.seal().await;
    }
    let mut file = Vec::new();
    audit::export(&store, &fixture.scope, &SystemClock, &mut file).await.unwrap();
    let offline = verify_export(&*file, &Trust::Keys(fixture.keys()), None).unwrap();
    assert!(offline[0].verified() && offline[0].archived == 700, "{}", offline[0]);

    // What was archived is proven from the archive.
    let organization = fixture.scope.organization();
    let origin = organization_origin(organization.uuid());
    for entry in [old[0], old[350], old[699]] {
        let proof = audit::archived_receipt(&store, &objects, organization, EntryId::from(entry))
            .await
            .unwrap()
            .expect("a proof");
        let leaf = merkle::leaf(proof.extra.as_ref().unwrap());
        assert_eq!(proof.extra.as_ref().unwrap()[17..33], *entry.as_bytes());
        proof.verify(&leaf, &origin, &keys).unwrap();
    }
    let strange = audit::archived_receipt(&store, &objects, OrganizationId::new(), old[0].into());
    assert!(strange.await.unwrap().is_none());

    // A later month goes the same way, and the newest record knows of both, whatever is said of other tables.
    fixture
        .run(
            "select audit.append($org, null, null, 'archive', 'gateway.cost_transactions', null, '\"details\":{\"rows\": 1}')",
        )
        .await;
    audit::archive_due(&store, &objects, &keys, 1, fixture.today).await.unwrap();
    fixture.seal().await;
    let known: i64 = sqlx::query_scalar(
        "select jsonb_array_length(body::jsonb -> 'details' -> 'archived')::bigint from audit.audit_logs
         where organization_id = $1 and action = 'archive' and entity_type = 'audit.audit_logs' order by id desc limit 1",
    )
    .bind(fixture.scope.organization().uuid())
    .fetch_one(&fixture.db.admin())
    .await
    .unwrap();
    assert_eq!(known, 2);
    let after = fixture.verify(&fixture.scope).await;
    assert!(after.verified() && after.archived == 705, "{after}");
}

#[tokio::test]
async fn a_damaged_archive_is_noticed() {
    let fixture = Box::pin(Fixture::new()).await;
    let old = fixture.entries(3).await;
    let done = fixture.archive().await.unwrap();
    let (store, objects) = (fixture.store(), fixture.objects());
    let sound = audit::archive_check(&store, &objects).await.unwrap();
    assert!(sound.len() == 1 && sound[0].1.is_none(), "{sound:?}");

    let path = fixture.file(&done[0]);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let found = audit::archive_check(&store, &objects).await.unwrap();
    assert!(found[0].1.as_ref().unwrap().contains("not those that were archived"), "{found:?}");
    let organization = fixture.scope.organization();
    assert!(audit::archived_receipt(&store, &objects, organization, old[0].into()).await.is_err());
    std::fs::remove_file(&path).unwrap();
    assert!(audit::archive_check(&store, &objects).await.unwrap()[0].1.is_some());
    // Its record can't be forgotten.
    let forgotten = sqlx::query("delete from audit.archives").execute(&fixture.db.admin()).await;
    assert!(forgotten.is_err());
}

#[tokio::test]
async fn an_archive_damaged_before_the_drop_is_written_anew() {
    let fixture = Box::pin(Fixture::new()).await;
    let (store, objects, keys) = (fixture.store(), fixture.objects(), fixture.keys());
    let written = audit::archive_write(&store, &objects, &keys, fixture.month(3)).await.unwrap();
    std::fs::write(fixture.file(&written), b"PAR1").unwrap();
    // And an entry is erased meanwhile: its body must not live on in the archive.
    let first = fixture.entries(3).await[0];
    let mut tx = store.begin_system(&fixture.scope).await.unwrap();
    audit::erase(&mut tx, &[first.into()], "asked for").await.unwrap();
    tx.commit().await.unwrap();
    fixture.seal().await;
    let done = fixture.archive().await.unwrap();
    assert_ne!(done[0].sha256, written.sha256);
    assert!(audit::archive_check(&store, &objects).await.unwrap()[0].1.is_none());
    fixture.seal().await;
    let after = fixture.verify(&fixture.scope).await;
    assert!(after.verified() && after.archived == 700, "{after}");
}

#[tokio::test]
async fn a_trail_that_does_not_verify_is_not_archived() {
    let fixture = Box::pin(Fixture::new()).await;
    let first = fixture.entries(3).await[0];
    fixture.run(&format!("update audit.audit_logs set body = '{{}}' where organization_id = $org and id = '{first}'")).await;
    let refused = fixture.archive().await.unwrap_err().to_string();
    assert!(refused.contains("does not verify"), "{refused}");
    assert_eq!(fixture.entries(3).await.len(), 700);
    // And one whose entries are not all sealed isn't either.
    let fixture = Box::pin(Fixture::new()).await;
    fixture.past(&fixture.scope, 3, 1).await;
    assert!(fixture.archive().await.is_err());
    assert_eq!(fixture.entries(3).await.len(), 701);
}

#[tokio::test]
async fn only_what_was_archived_may_be_gone() {
    let fixture = Box::pin(Fixture::new()).await;
    fixture.archive().await.unwrap();
    fixture.seal().await;
    // An entry of a month that was not archived.
    let later = fixture.entries(2).await[0];
    fixture
        .run(&format!(
            "delete from audit.audit_logs where organization_id = $org and id = '{later}'"
        ))
        .await;
    let found = fixture.verify(&fixture.scope).await;
    assert_eq!(found.archived, 700);
    assert!(
        matches!(&found.findings[..], [Finding::Deleted { entry, .. }] if *entry == later),
        "{found}"
    );
    // Without the record of the archive nothing excuses what is gone.
    fixture
        .run("delete from audit.audit_logs where organization_id = $org and action = 'archive'")
        .await;
    let found = fixture.verify(&fixture.scope).await;
    assert_eq!((found.archived, found.findings.len()), (0, 702), "{}", found.findings.len());
    // Nobody's event passes for one.
    let mut tx = fixture.store().begin(&fixture.scope).await.unwrap();
    let details = serde_json::json!({});
    let forged = audit::record(&mut tx, "archive", "audit.audit_logs", None, &details);
    assert!(forged.await.is_err());
}
