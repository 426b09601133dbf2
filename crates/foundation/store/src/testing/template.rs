//! The database that tests are cloned from.

use nix::{errno::Errno, sys::signal::kill, unistd::Pid};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{
    PREFIX,
    server::{self, Turn},
};
use crate::{
    bootstrap::{self, Login, name},
    embedded::{SUPERUSER, Urls},
    migrate,
};

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// The advisory lock of whoever sweeps.
const SWEEPING: i64 = 0x6570_686f_7277;
/// No such database: the template has yet to be made.
const INVALID_CATALOG_NAME: &str = "3D000";

/// Makes the database `target` from the template, making template and server where they are missing.
pub(super) async fn clone_to(target: &str) -> Result<Urls, AnyError> {
    if let Some(urls) = server::known() {
        match clone(&urls, target).await {
            Ok(()) => return Ok(urls),
            Err(error) if is_repairable(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let turn = Turn::take().await?;
    let urls = server::ensure(&turn).await?;
    make(&urls).await?;
    clone(&urls, target).await?;
    Ok(urls)
}

/// Makes the database `target`, prepared but without migrations.
pub(super) async fn prepare_empty(target: &str) -> Result<Urls, AnyError> {
    let turn = Turn::take().await?;
    let urls = server::ensure(&turn).await?;
    let mut connection = PgConnection::connect_with(&urls.options(SUPERUSER, "postgres")).await?;
    create_prepared(&mut connection, &urls, target).await?;
    connection.close().await?;
    Ok(urls)
}

async fn create_prepared(
    connection: &mut PgConnection,
    urls: &Urls,
    database: &str,
) -> Result<(), AnyError> {
    let create = format!("create database {} template template0", name(database));
    sqlx::raw_sql(AssertSqlSafe(create)).execute(connection).await?;
    let mut inside = PgConnection::connect_with(&urls.options(SUPERUSER, database)).await?;
    bootstrap::prepare_database(&mut inside, database, urls).await?;
    inside.close().await?;
    Ok(())
}

/// Is it a server that is not there (or about to go), or a template that is not?
fn is_repairable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| code == INVALID_CATALOG_NAME || code.starts_with("57P"))
        }
        _ => true,
    }
}

async fn clone(urls: &Urls, target: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect_with(&urls.options(SUPERUSER, "postgres")).await?;
    // Copying files takes 33 ms for a template of 10 MB; writing it to the log instead took 83.
    let sql = format!(
        "create database {} template {} strategy file_copy",
        name(target),
        name(&template())
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
    // A clone has the template's tables, but not what was granted on the database itself.
    let sql = format!(
        "revoke temporary on database {0} from public; grant create on database {0} to ephor_owner",
        name(target)
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
    // Others sweep and drop at the same moment: what fails of it is no fault of this test.
    if let Err(error) = sweep(&mut connection).await {
        tracing::debug!(%error, "old test databases were not swept");
    }
    connection.close().await
}

/// Named for what was run to make it.
fn template() -> String {
    let mut print = Sha256::new();
    print.update(bootstrap::BOOTSTRAP);
    print.update(migrate::fingerprint());
    format!("ephor_template_{}", hex::encode(&print.finalize()[..8]))
}

/// Makes the template unless it is there. It gets its name when it is whole.
async fn make(urls: &Urls) -> Result<(), AnyError> {
    let mut connection = PgConnection::connect_with(&urls.options(SUPERUSER, "postgres")).await?;
    let template = template();
    let there: bool =
        sqlx::query_scalar("select exists (select from pg_catalog.pg_database where datname = $1)")
            .bind(&template)
            .fetch_one(&mut connection)
            .await?;
    if !there {
        let unfinished = format!("{PREFIX}{}_template", std::process::id());
        drop_database(&mut connection, &unfinished).await?;
        create_prepared(&mut connection, urls, &unfinished).await?;
        migrate::run(&urls.url(Login::Migrator.role(), &unfinished)).await?;
        let mut inside = PgConnection::connect_with(&urls.options(SUPERUSER, &unfinished)).await?;
        sqlx::raw_sql("vacuum (analyze, freeze)").execute(&mut inside).await?;
        inside.close().await?;
        let rename = format!("alter database {} rename to {}", name(&unfinished), name(&template));
        sqlx::raw_sql(AssertSqlSafe(rename)).execute(&mut connection).await?;
    }
    connection.close().await?;
    Ok(())
}

/// Drops the databases of test processes that ended without dropping them, and day-old templates of
/// other migrations. One process at a time; the others have better things to do.
async fn sweep(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let found: Vec<(String, bool)> = sqlx::query_as(
        "select datname::text, coalesce(
                    (pg_catalog.pg_stat_file('base/' || oid || '/PG_VERSION', true)).modification
                    < pg_catalog.now() - interval '1 day', false)
         from pg_catalog.pg_database where datname ~ '^ephor_(test|template)_'",
    )
    .fetch_all(&mut *connection)
    .await?;
    let current = template();
    let leftovers: Vec<String> = found
        .into_iter()
        .filter(|(name, old)| {
            is_leftover(name) || (*old && name.starts_with("ephor_template_") && *name != current)
        })
        .map(|(name, _)| name)
        .collect();
    if leftovers.is_empty() {
        return Ok(());
    }
    let mine: bool = sqlx::query_scalar("select pg_catalog.pg_try_advisory_lock($1)")
        .bind(SWEEPING)
        .fetch_one(&mut *connection)
        .await?;
    for database in leftovers.iter().filter(|_| mine) {
        drop_database(connection, database).await?;
    }
    Ok(())
}

fn is_leftover(database: &str) -> bool {
    let Some(rest) = database.strip_prefix(PREFIX) else { return false };
    let pid = rest.split('_').next().and_then(|pid| pid.parse::<i32>().ok());
    pid.is_some_and(|pid| kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH))
}

/// Drops a database and whoever is connected to it.
pub(super) async fn drop_database(
    connection: &mut PgConnection,
    database: &str,
) -> Result<(), sqlx::Error> {
    let sql = format!("drop database if exists {} with (force)", name(database));
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(())
}
