//! Backups come back whole, or say why not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use ephor_seal::{KeyRing, SealKey};

use super::*;
use crate::{
    Store, audit,
    bootstrap::Login,
    embedded::SearchPlaces,
    testing::{TestDatabase, database, empty_database},
};

fn places() -> SearchPlaces {
    SearchPlaces::of_this_machine()
}

/// What each table holds, and the rules about it, as one text each.
async fn everything(url: &str) -> BTreeMap<String, String> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('%I.%I', schemaname, tablename) from pg_tables
         where schemaname not in ('pg_catalog', 'information_schema', 'graphile_worker')",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let mut found = BTreeMap::new();
    for table in tables {
        let sql = format!(
            "select coalesce(string_agg(t::text, e'\n' order by t::text), '') from only {table} t"
        );
        let rows: String =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
        found.insert(table, rows);
    }
    for (what, sql) in [
        (
            "policies",
            "select string_agg(concat_ws(' ', schemaname, tablename, policyname, roles, cmd, qual, with_check), e'\n' order by schemaname, tablename, policyname) from pg_policies",
        ),
        (
            "triggers",
            "select string_agg(tgrelid::regclass || ' ' || tgname, e'\n' order by tgrelid::regclass::text, tgname) from pg_trigger where not tgisinternal",
        ),
        (
            "forced",
            "select string_agg(oid::regclass::text, e'\n' order by oid::regclass::text) from pg_class where relforcerowsecurity",
        ),
        (
            "owners",
            "select string_agg(oid::regclass || ' ' || relowner::regrole, e'\n' order by oid::regclass::text) from pg_class where relkind in ('r', 'p', 'v') and relnamespace::regnamespace::text in ('kernel', 'audit', 'ops', 'identity', 'registry', 'assurance')",
        ),
    ] {
        let text: String = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
        found.insert(what.to_owned(), text);
    }
    found
}

async fn filled() -> TestDatabase {
    let db = database().await;
    db.organization("Acme").await;
    db.organization("Other").await;
    db
}

#[tokio::test]
async fn what_was_backed_up_comes_back_whole_as_superuser_and_as_migrator() {
    let db = filled().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ephor.backup");
    let made = backup(&db.url(Login::Backup), &file, &places()).await.unwrap();
    assert!(made.bytes > 1000 && made.tables > 10, "{made:?}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    let before = everything(&db.superuser_url()).await;
    assert!(before["identity.organizations"].contains("Acme"));

    for as_superuser in [true, false] {
        let into = empty_database().await;
        let url = if as_superuser { into.superuser_url() } else { into.url(Login::Migrator) };
        let tables = restore(&url, &file, &places()).await.unwrap();
        assert_eq!(tables, made.tables);
        let after = everything(&into.superuser_url()).await;
        for (table, rows) in &before {
            assert_eq!(after.get(table), Some(rows), "{table}, superuser: {as_superuser}");
        }
        assert_eq!(after.len(), before.len());
    }
}

#[tokio::test]
async fn a_restored_trail_verifies_until_it_is_altered() {
    let db = filled().await;
    let key = SealKey::from_seed(&[3; 32]);
    audit::seal_pending(&db.store(), &key).await.unwrap().expect("no other sealer");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ephor.backup");
    backup(&db.url(Login::Backup), &file, &places()).await.unwrap();

    let into = empty_database().await;
    restore(&into.superuser_url(), &file, &places()).await.unwrap();
    let store = Store::connect(&into.config()).await.unwrap();
    let keys = KeyRing::new([key.public()]);
    let verified = async || -> Vec<bool> {
        let all = audit::verify_all(&store, &keys).await.unwrap();
        all.iter().map(ephor_seal::Verification::verified).collect()
    };
    let before = verified().await;
    assert!(before.len() > 2 && before.iter().all(|it| *it), "{before:?}");
    let mut connection = PgConnection::connect(&into.superuser_url()).await.unwrap();
    let alter = "update audit.audit_logs set body = body || ' ' where ctid = (select min(ctid) from audit.audit_logs)
                 and tableoid = (select tableoid from audit.audit_logs order by ctid limit 1)";
    sqlx::query(alter).execute(&mut connection).await.unwrap();
    assert!(verified().await.contains(&false), "the alteration was found");
}

#[tokio::test]
async fn a_table_that_the_login_would_not_see_whole_stops_the_backup() {
    let db = database().await;
    for sql in [
        "create table registry.forgotten (id int)",
        "alter table registry.forgotten enable row level security",
        "grant select on registry.forgotten to ephor_backup",
    ] {
        sqlx::query(sql).execute(&db.admin()).await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ephor.backup");
    let error = backup(&db.url(Login::Backup), &file, &places()).await.unwrap_err();
    assert!(error.to_string().contains("registry.forgotten"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
    let error = backup(&db.url(Login::App), &file, &places()).await.unwrap_err();
    assert!(matches!(error, BackupError::Unreadable { .. }), "the app sees too little: {error}");
}

#[tokio::test]
async fn an_existing_file_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ephor.backup");
    fs::write(&file, "precious").unwrap();
    let error = backup("postgres://nobody@%2Fnowhere/x", &file, &places()).await.unwrap_err();
    assert!(error.to_string().contains("there already"), "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
}

#[tokio::test]
async fn a_restore_needs_a_backup_and_an_empty_database() {
    let db = database().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ephor.backup");
    let restoring = async |file: &Path| restore(&db.superuser_url(), file, &places()).await;
    let error = restoring(&file).await.unwrap_err();
    assert!(error.to_string().contains("no such file"), "{error}");
    fs::write(&file, "select 1;").unwrap();
    let error = restoring(&file).await.unwrap_err();
    assert!(error.to_string().contains("not a backup"), "{error}");
    fs::remove_file(&file).unwrap();
    backup(&db.url(Login::Backup), &file, &places()).await.unwrap();
    let error = restoring(&file).await.unwrap_err();
    assert!(matches!(error, BackupError::NotEmpty { .. }), "{error}");
}

#[tokio::test]
async fn without_client_programs_it_says_what_to_install() {
    let db = database().await;
    let nowhere = SearchPlaces::of(vec!["/nowhere".into()]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ephor.backup");
    let error = backup(&db.url(Login::Backup), &file, &nowhere).await.unwrap_err();
    assert!(error.to_string().contains("install its client programs"), "{error}");
}
