//! The migration runner, on databases of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use ephor_store::{
    bootstrap::Login,
    migrate::{self, MigrateError, Migration},
    testing::{self, TestDatabase},
};
use sqlx::{Connection, Row};
use uuid::Uuid;

fn with(more: &[(&str, &str)]) -> Vec<Migration> {
    let mut history = migrate::embedded();
    history.extend(more.iter().map(|(name, sql)| Migration::new(*name, *sql)));
    history
}

fn url(db: &TestDatabase) -> String {
    db.url(Login::Migrator)
}

const TABLE: &str = "
    create table registry.things (
        organization_id uuid not null, id uuid not null, name text not null, model_id uuid,
        constraint things_pkey primary key (organization_id, id));
    select kernel.tenant_table('registry.things', audited => false);";

#[tokio::test]
async fn a_second_run_does_nothing() {
    let db = testing::database().await;
    assert_eq!(migrate::run(&url(&db)).await.unwrap().applied, Vec::<String>::new());
}

#[tokio::test]
async fn a_backfill_reaches_all_tenants_and_a_new_foreign_key_is_checked() {
    let db = testing::database().await;
    let migrator = url(&db);
    migrate::run_these(&migrator, &with(&[("9001_things.sql", TABLE)])).await.unwrap();
    let admin = db.admin();
    for _ in 0..3 {
        sqlx::query("insert into registry.things values ($1, $2, 'old', null)")
            .bind(Uuid::now_v7())
            .bind(Uuid::now_v7())
            .execute(&admin)
            .await
            .unwrap();
    }
    // Under FORCE, the owner itself sees nothing without a policy: this would silently do nothing.
    let backfill = "update registry.things set name = 'new'";
    let history = with(&[("9001_things.sql", TABLE), ("9002_backfill.sql", backfill)]);
    migrate::run_these(&migrator, &history).await.unwrap();
    let renewed: i64 =
        sqlx::query_scalar("select count(*) from registry.things where name = 'new'")
            .fetch_one(&admin)
            .await
            .unwrap();
    assert_eq!(renewed, 3);

    // One row refers to nothing: the new key must be refused, and nothing of its migration be kept.
    sqlx::query("update registry.things set model_id = id where id = (select max(id::text)::uuid from registry.things)")
        .execute(&admin)
        .await
        .unwrap();
    let key = "
        alter table registry.things add column extra text;
        alter table registry.things add constraint things_model_fkey
            foreign key (organization_id, model_id) references registry.models (organization_id, id);";
    let mut history = history;
    history.push(Migration::new("9003_key.sql", key));
    let error = migrate::run_these(&migrator, &history).await.unwrap_err();
    assert!(
        matches!(&error, MigrateError::Failed { name, .. } if name == "9003_key.sql"),
        "{error}"
    );
    assert!(error.to_string().contains("things_model_fkey"), "{error}");
    let columns = sqlx::query("select from information_schema.columns where table_name = 'things' and column_name = 'extra'")
        .fetch_all(&admin)
        .await
        .unwrap();
    assert!(columns.is_empty());

    sqlx::query("update registry.things set model_id = null").execute(&admin).await.unwrap();
    assert_eq!(migrate::run_these(&migrator, &history).await.unwrap().applied, ["9003_key.sql"]);
}

#[tokio::test]
async fn several_servers_that_start_at_once_migrate_once() {
    let db = testing::database().await;
    let history = with(&[("9001_things.sql", TABLE)]);
    let migrator = url(&db);
    let runs = (0..4).map(|_| migrate::run_these(&migrator, &history));
    let applied: usize = futures::future::try_join_all(runs)
        .await
        .unwrap()
        .iter()
        .map(|report| report.applied.len())
        .sum();
    assert_eq!(applied, 1);
}

#[tokio::test]
async fn an_older_binary_refuses_a_newer_schema() {
    let db = testing::database().await;
    migrate::run_these(&url(&db), &with(&[("9001_things.sql", TABLE)])).await.unwrap();
    let text = migrate::run(&url(&db)).await.unwrap_err().to_string();
    assert!(text.contains("older than its database") && text.contains("9001_things.sql"), "{text}");
}

#[tokio::test]
async fn a_migration_changed_afterwards_is_refused() {
    let db = testing::database().await;
    migrate::run_these(&url(&db), &with(&[("9001_things.sql", TABLE)])).await.unwrap();
    let changed = with(&[("9001_things.sql", "select 1")]);
    let error = migrate::run_these(&url(&db), &changed).await.unwrap_err();
    assert!(matches!(error, MigrateError::Changed { .. }), "{error}");
}

#[tokio::test]
async fn a_login_that_may_not_migrate_is_told_what_to_do() {
    let db = testing::database().await;
    let text = migrate::run(&db.url(Login::App)).await.unwrap_err().to_string();
    assert!(text.contains("ephor_app") && text.contains("ephor db bootstrap"), "{text}");
}

#[tokio::test]
async fn who_serves_can_see_what_is_missing() {
    let db = testing::database().await;
    let mut connection = sqlx::PgConnection::connect(&db.url(Login::App)).await.unwrap();
    assert!(migrate::missing(&mut connection).await.unwrap().is_empty());
    sqlx::query(
        "delete from kernel.migrations where name = (select max(name) from kernel.migrations)",
    )
    .execute(&db.admin())
    .await
    .unwrap();
    let missing = migrate::missing(&mut connection).await.unwrap();
    assert_eq!(missing.len(), 1, "{missing:?}");
    let seen =
        sqlx::query("select count(*) from kernel.migrations").fetch_one(&db.admin()).await.unwrap();
    assert_eq!(seen.get::<i64, _>(0) as usize + 1, migrate::embedded().len());
}
