//! Months of the tables of high rate go to the object store, and from the database once they are there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{path::PathBuf, sync::Arc};

use arrow::array::{Array as _, Decimal128Array, RecordBatch, StringArray};
use chrono::{DateTime, Datelike as _, Months, NaiveDate, Utc};
use ephor_kernel::Scope;
use ephor_seal::{KeyRing, SealKey};
use ephor_store::{
    Store, audit,
    retention::{self, Archive, RetentionError},
    testing::{TestDatabase, database},
};
use futures::TryStreamExt as _;
use object_store::{ObjectStore, local::LocalFileSystem};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use sqlx::AssertSqlSafe;

const COSTS: &str = "gateway.cost_transactions";
const GUARDS: &str = "guard.guard_operations";

struct Fixture {
    db: TestDatabase,
    scope: Scope,
    other: Scope,
    folder: tempfile::TempDir,
    today: NaiveDate,
}

impl Fixture {
    /// Two organizations; three months ago the first had 700 costs and the other 3; two months ago the
    /// first had 5.
    async fn new() -> Self {
        let db = database().await;
        let (scope, other) = (db.organization("Sparta").await, db.organization("Argos").await);
        let now: DateTime<Utc> =
            sqlx::query_scalar("select now()").fetch_one(&db.admin()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let fixture = Self { db, scope, other, folder, today: now.date_naive() };
        fixture.costs(&fixture.scope, 3, 700).await;
        fixture.costs(&fixture.other, 3, 3).await;
        fixture.costs(&fixture.scope, 2, 5).await;
        fixture.run("select ops.months_ahead(3)").await;
        fixture
    }

    fn store(&self) -> Store {
        self.db.store()
    }

    fn objects(&self) -> Arc<dyn ObjectStore> {
        Arc::new(LocalFileSystem::new_with_prefix(self.folder.path()).unwrap())
    }

    fn month(&self, ago: u32) -> NaiveDate {
        self.today.with_day(1).unwrap().checked_sub_months(Months::new(ago)).unwrap()
    }

    async fn run(&self, sql: &str) {
        let sql = sql.replace("$org", &format!("'{}'::uuid", self.scope.organization()));
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&self.db.admin()).await.unwrap();
    }

    async fn number(&self, sql: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&self.db.admin()).await.unwrap()
    }

    async fn costs(&self, scope: &Scope, months_ago: i32, count: i32) {
        self.run(&format!(
            "insert into gateway.cost_transactions
                 (organization_id, provider, model, input_tokens, output_tokens, cost_amount, metadata, created_at)
             select '{}', 'openai', E'of \"{}\"\\n', i, 2, i + 0.0000000001, '{{\"n\": [1, null]}}',
                    date_trunc('month', now()) - interval '{months_ago} months' + i * interval '1 second'
             from generate_series(1, {count}) as i",
            scope.organization(),
            scope.organization(),
        ))
        .await;
    }

    /// Rows that are in the database.
    async fn rows(&self, ago: u32) -> i64 {
        self.number(&format!(
            "select count(*) from {COSTS} where created_at >= '{0}' and created_at < '{0}'::date + interval '1 month'",
            self.month(ago)
        ))
        .await
    }

    /// Archives what is older than the two months before the present one.
    async fn archive(&self) -> Result<Vec<retention::MonthArchived>, RetentionError> {
        retention::archive_due(&self.store(), &self.objects(), COSTS, 2, self.today).await
    }

    fn file(&self, archive: &Archive) -> PathBuf {
        self.folder.path().join(&archive.object)
    }

    fn read(&self, archive: &Archive) -> Vec<RecordBatch> {
        let file = std::fs::File::open(self.file(archive)).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        reader.build().unwrap().map(Result::unwrap).collect()
    }

    /// What a trail says was archived.
    async fn told(&self, scope: &Scope) -> Vec<serde_json::Value> {
        sqlx::query_scalar(
            "select body::jsonb -> 'details' from audit.audit_logs
             where organization_id = $1 and action = 'archive' order by id",
        )
        .bind(scope.organization().uuid())
        .fetch_all(&self.db.admin())
        .await
        .unwrap()
    }

    async fn mine(&self, scope: &Scope) -> Vec<Archive> {
        let mut tx = self.store().begin(scope).await.unwrap();
        retention::archive_mine(&mut tx).await.unwrap()
    }
}

#[tokio::test]
async fn an_old_month_goes_to_a_file_for_each_organization() {
    let fixture = Box::pin(Fixture::new()).await;
    let done = fixture.archive().await.unwrap();
    assert_eq!(done.len(), 1, "the other months are to be kept: {done:?}");
    assert_eq!((done[0].rows(), done[0].archives.len()), (703, 2));
    assert_eq!((fixture.rows(3).await, fixture.rows(2).await), (0, 5));
    assert!(fixture.archive().await.unwrap().is_empty(), "once is enough");

    let month = fixture.month(3).format("%Y-%m").to_string();
    for (scope, count) in [(&fixture.scope, 700), (&fixture.other, 3)] {
        let organization = scope.organization().to_string();
        let mine = fixture.mine(scope).await;
        let [archive] = &mine[..] else { panic!("{mine:?}") };
        assert!(archive.dropped_at.is_some() && archive.row_count == count, "{archive:?}");
        assert_eq!(archive.object, format!("archive/{COSTS}/{month}/{organization}.parquet"));

        // Nobody else's rows are in it, and each value is as it was.
        let mut amount = 0;
        for batch in fixture.read(archive) {
            let text = |name: &str| {
                let column = batch.column_by_name(name).unwrap().as_any();
                column.downcast_ref::<StringArray>().unwrap().clone()
            };
            let (owners, models, metadata) =
                (text("organization_id"), text("model"), text("metadata"));
            let costs = batch.column_by_name("cost_amount").unwrap().as_any();
            let costs = costs.downcast_ref::<Decimal128Array>().unwrap();
            for at in 0..batch.num_rows() {
                assert_eq!(owners.value(at), organization);
                assert_eq!(models.value(at), format!("of \"{organization}\"\n"));
                assert_eq!(metadata.value(at), r#"{"n": [1, null]}"#);
                amount += costs.value(at);
            }
            assert!(text("assistant_id").is_null(0));
        }
        let count = i128::from(count);
        assert_eq!(amount, count * (count + 1) / 2 * 10_000_000_000 + count);

        // The trail says which bytes were right.
        let told = fixture.told(scope).await;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["sha256"], archive.sha256);
        assert_eq!(
            (told[0]["rows"].as_i64(), &told[0]["month"]),
            (Some(archive.row_count), &month.clone().into())
        );
    }
    // No other organization sees them, nor can anybody forget them.
    let one = fixture.mine(&fixture.scope).await[0].id;
    let mut tx = fixture.store().begin(&fixture.other).await.unwrap();
    assert!(retention::archive_get(&mut tx, one).await.unwrap().is_none());
    let forgotten = sqlx::query("delete from ops.archives").execute(&fixture.db.admin()).await;
    assert!(forgotten.is_err());
}

#[tokio::test]
async fn the_trail_verifies_with_what_it_tells_of_archives() {
    let fixture = Box::pin(Fixture::new()).await;
    let key = SealKey::from_seed(&[7; 32]);
    fixture.archive().await.unwrap();
    audit::seal_pending(&fixture.store(), &key).await.unwrap().unwrap();
    let keys = KeyRing::new([key.public()]);
    for scope in [&fixture.scope, &fixture.other] {
        let organization = scope.organization();
        let found = audit::verify(&fixture.store(), organization, &keys).await.unwrap();
        assert!(found.verified() && found.archived == 0, "{found}");
    }
}

#[tokio::test]
async fn a_run_that_was_killed_is_taken_up() {
    let fixture = Box::pin(Fixture::new()).await;
    let (store, objects) = (fixture.store(), fixture.objects());
    let written =
        retention::archive_write(&store, &objects, COSTS, fixture.month(3)).await.unwrap();
    assert_eq!((written.len(), fixture.rows(3).await), (2, 703));
    assert!(fixture.told(&fixture.scope).await.is_empty());
    // What was written is whole and all there is: it is not written again.
    let done = fixture.archive().await.unwrap();
    let hashes = |archives: &[Archive]| -> Vec<_> {
        archives.iter().map(|archive| (archive.id, archive.sha256.clone())).collect()
    };
    assert_eq!(hashes(&done[0].archives), hashes(&written));
    assert_eq!(
        (fixture.rows(3).await, fixture.number("select count(*) from ops.archives").await),
        (0, 2)
    );
}

#[tokio::test]
async fn what_changed_meanwhile_is_not_dropped() {
    let fixture = Box::pin(Fixture::new()).await;
    let (store, objects) = (fixture.store(), fixture.objects());
    let month = fixture.month(3);
    let drop_now = async || {
        let mut tx = store.begin_system(&fixture.scope).await.unwrap();
        let dropped = sqlx::query("select kernel.drop_month($1::text::regclass, $2)")
            .bind(COSTS)
            .bind(month)
            .execute(tx.conn())
            .await;
        match dropped {
            Ok(_) => {
                tx.commit().await.unwrap();
                String::new()
            }
            Err(error) => error.to_string(),
        }
    };
    let changes = [
        // Nothing was archived; a row more; a row that is another; a row less; an organization less.
        "select 1".to_owned(),
        format!("insert into {COSTS} (organization_id, provider, model, input_tokens, output_tokens, cost_amount, created_at)
                 values ($org, 'x', 'y', 1, 1, 1, '{month}')"),
        format!("update {COSTS} set settlement = 'unsettled' where organization_id = $org and created_at = '{month}'"),
        format!("delete from {COSTS} where organization_id = $org and created_at = '{month}'"),
        format!("delete from {COSTS} where organization_id = '{}' and created_at < '{month}'::date + interval '1 month'", fixture.other.organization()),
    ];
    for (number, change) in changes.iter().enumerate() {
        if number > 0 {
            retention::archive_write(&store, &objects, COSTS, month).await.unwrap();
        }
        fixture.run(change).await;
        let refused = drop_now().await;
        assert!(refused.contains("is not archived as it is"), "{change}: {refused}");
    }
    assert_eq!(fixture.rows(3).await, 700);
    let files = |scope: &Scope| {
        let name =
            format!("archive/{COSTS}/{}/{}.parquet", month.format("%Y-%m"), scope.organization());
        fixture.folder.path().join(name)
    };
    assert!(files(&fixture.other).exists());
    let done = fixture.archive().await.unwrap();
    assert_eq!((done[0].rows(), fixture.rows(3).await), (700, 0));
    // What is gone from the database without having been archived lives on nowhere.
    assert!(files(&fixture.scope).exists() && !files(&fixture.other).exists());
    assert!(fixture.mine(&fixture.other).await.is_empty());
}

#[tokio::test]
async fn a_damaged_file_is_noticed_and_before_the_drop_written_anew() {
    let fixture = Box::pin(Fixture::new()).await;
    let (store, objects) = (fixture.store(), fixture.objects());
    let written =
        retention::archive_write(&store, &objects, COSTS, fixture.month(3)).await.unwrap();
    std::fs::write(fixture.file(&written[0]), b"PAR1").unwrap();
    let damaged = |found: &[(Archive, Option<String>)]| {
        found.iter().filter(|(_, fault)| fault.is_some()).count()
    };
    let found = retention::archive_check(&store, &objects).await.unwrap();
    assert_eq!((found.len(), damaged(&found)), (2, 1), "{found:?}");
    let done = fixture.archive().await.unwrap();
    assert_eq!(done[0].rows(), 703);
    assert_eq!(damaged(&retention::archive_check(&store, &objects).await.unwrap()), 0);

    // Whoever takes it along gets what was archived, or nothing that is whole.
    let archive = fixture.mine(&fixture.scope).await.remove(0);
    let taken = async || -> std::io::Result<Vec<u8>> {
        let tx = store.begin(&fixture.scope).await.unwrap();
        let pieces = retention::archive_contents(tx, &objects, &archive).await.unwrap();
        pieces
            .try_fold(Vec::new(), |mut all, piece| async move {
                all.extend_from_slice(&piece);
                Ok(all)
            })
            .await
    };
    let mut bytes = std::fs::read(fixture.file(&archive)).unwrap();
    assert_eq!(taken().await.unwrap(), bytes);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(fixture.file(&archive), &bytes).unwrap();
    assert!(taken().await.is_err());
    assert_eq!(damaged(&retention::archive_check(&store, &objects).await.unwrap()), 1);
    let records = "select count(*) from audit.audit_logs where action = 'archive_download'";
    assert_eq!(fixture.number(records).await, 2);
}

#[tokio::test]
async fn rows_that_come_late_get_a_file_of_their_own() {
    let fixture = Box::pin(Fixture::new()).await;
    let first = fixture.archive().await.unwrap().remove(0);
    fixture.costs(&fixture.scope, 3, 2).await;
    fixture.run("select ops.months_ahead(0)").await;
    let late = fixture.archive().await.unwrap().remove(0);
    assert_eq!((late.rows(), late.archives[0].part), (2, 2));
    let both = fixture.mine(&fixture.scope).await;
    assert_eq!(both.iter().map(|archive| archive.row_count).sum::<i64>(), 702);
    let faults = retention::archive_check(&fixture.store(), &fixture.objects()).await.unwrap();
    assert!(faults.iter().all(|(_, fault)| fault.is_none()), "{faults:?}");
    assert_ne!(first.archives[0].object, late.archives[0].object);
}

#[tokio::test]
async fn all_months_that_are_due_go_at_once_the_oldest_first() {
    let fixture = Box::pin(Fixture::new()).await;
    for ago in [4, 5, 6] {
        fixture.costs(&fixture.other, ago, 1).await;
    }
    fixture.run("select ops.months_ahead(3)").await;
    let done = fixture.archive().await.unwrap();
    let months: Vec<_> = done.iter().map(|done| done.month).collect();
    assert_eq!(months, [6, 5, 4, 3].map(|ago| fixture.month(ago)));
    assert!(fixture.archive().await.unwrap().is_empty());
}

#[tokio::test]
async fn looking_changes_nothing_and_only_what_is_past_goes() {
    let fixture = Box::pin(Fixture::new()).await;
    let (store, objects) = (fixture.store(), fixture.objects());
    let tables = retention::table_list(&store).await.unwrap();
    assert!(
        tables.iter().any(|table| table == GUARDS) && tables.iter().any(|table| table == COSTS)
    );
    assert!(!tables.iter().any(|table| table == "audit.audit_logs"));
    let months = retention::month_list(&store, COSTS, 2, fixture.today).await.unwrap();
    assert_eq!(months, [fixture.month(3)]);
    let before = fixture.number("select count(*) from audit.audit_logs").await;
    let plan = retention::month_plan(&store, COSTS, months[0]).await.unwrap();
    assert_eq!((plan.organizations, plan.rows), (2, 703));
    assert_eq!(fixture.rows(3).await, 703);
    assert_eq!(fixture.number("select count(*) from audit.audit_logs").await, before);
    assert_eq!(std::fs::read_dir(fixture.folder.path()).unwrap().count(), 0);
    let present = retention::archive_month(&store, &objects, COSTS, fixture.month(0)).await;
    assert!(present.is_err());
    let audit =
        retention::archive_month(&store, &objects, "audit.audit_logs", fixture.month(3)).await;
    assert!(audit.is_err());
}

#[tokio::test]
async fn what_an_erasure_blanks_is_not_in_the_file() {
    let fixture = Box::pin(Fixture::new()).await;
    fixture
        .run(&format!(
            "insert into {GUARDS} (organization_id, guard_name, operation_type, input_data, user_reference, created_at)
             values ($org, 'bias', 'scan', '{{\"text\": \"hello\"}}', 'helen@example.org', '{}');
             select ops.months_ahead(0)",
            fixture.month(3)
        ))
        .await;
    let (store, objects) = (fixture.store(), fixture.objects());
    let done = retention::archive_due(&store, &objects, GUARDS, 2, fixture.today).await.unwrap();
    let archive = &done[0].archives[0];
    let batch = fixture.read(archive).remove(0);
    assert!(batch.column_by_name("user_reference").is_none());
    assert!(batch.column_by_name("input_data").is_some());
    let left_out: Vec<String> = sqlx::query_scalar("select unnest(left_out) from ops.archives")
        .fetch_all(&fixture.db.admin())
        .await
        .unwrap();
    assert_eq!(left_out, ["user_reference"]);
}
