//! A backup comes back, into an empty database.

use std::{io::Write, path::Path};

use sqlx::{AssertSqlSafe, ConnectOptions};
use tokio::process::Command;

use super::{
    BackupError,
    connection::Target,
    programs::{client, contents, programs_for},
};
use crate::embedded::{Binaries, SearchPlaces, run_program};

/// Puts a backup into an empty, prepared database: all of it or, after any failure, nothing.
/// `url` is that of a superuser, or of the migrator. Returns how many tables' rows it held. The audit
/// trail is to be verified afterwards, from a [`crate::Store`] on the restored database.
pub async fn restore(url: &str, file: &Path, places: &SearchPlaces) -> Result<usize, BackupError> {
    let target = Target::parse(url)?;
    let mut connection = target.options().connect().await?;
    let programs = programs_for(&mut connection, places).await?;
    let contents = contents(&programs, file).await?;
    let (database, superuser, found): (String, bool, Option<String>) = sqlx::query_as(
        "select pg_catalog.current_database()::text,
                (select rolsuper from pg_catalog.pg_roles where rolname = current_user),
                (select pg_catalog.format('%s.%s', n.nspname, c.relname)
                 from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                 where n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\\_%'
                 order by 1 limit 1)",
    )
    .fetch_one(&mut connection)
    .await?;
    if let Some(found) = found {
        return Err(BackupError::NotEmpty { database, found });
    }
    let missing: Option<String> = sqlx::query_scalar(
        "select role from pg_catalog.unnest($1::text[]) role
         where not exists (select from pg_catalog.pg_roles where rolname = role) limit 1",
    )
    .bind(vec!["ephor_owner", "ephor_app", "ephor_backup"])
    .fetch_optional(&mut connection)
    .await?;
    if let Some(role) = missing {
        return Err(BackupError::NotPrepared { role });
    }
    drop(connection);

    if superuser {
        whole(&programs, &target, file).await?;
    } else {
        in_steps(&programs, &target, file).await?;
    }
    Ok(contents.tables)
}

/// As a superuser: all in one transaction.
async fn whole(programs: &Binaries, target: &Target, file: &Path) -> Result<(), BackupError> {
    let mut command = restoring(programs, target);
    command.arg(file);
    run_program(command, "pg_restore").await?;
    Ok(())
}

/// As the migrator, who becomes the owner: functions of `ephor_door` and `ephor_search` can be given
/// to these only while they may create in the schemas, which they may not for longer than this. So the
/// schemas come first, then the rest in one transaction; if that fails, the schemas go again.
async fn in_steps(programs: &Binaries, target: &Target, file: &Path) -> Result<(), BackupError> {
    let mut list = client(programs, "pg_restore", target);
    list.arg("--list").arg(file);
    let listed = run_program(list, "pg_restore").await?;
    let text = String::from_utf8_lossy(&listed.stdout);
    let (first, rest): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.contains(" SCHEMA - "));
    for (part, on_success) in [
        (first, "grant create on schema %I to ephor_door, ephor_search"),
        (rest, "revoke create on schema %I from ephor_door, ephor_search"),
    ] {
        let mut order = tempfile::NamedTempFile::new().map_err(temporary)?;
        order.write_all(part.join("\n").as_bytes()).map_err(temporary)?;
        let mut command = restoring(programs, target);
        command.arg("--role=ephor_owner").arg("--use-list").arg(order.path()).arg(file);
        let done = run_program(command, "pg_restore").await;
        let then = if done.is_ok() { on_success } else { "drop schema %I cascade" };
        on_each_schema(target, then).await?;
        done?;
    }
    Ok(())
}

fn temporary(error: std::io::Error) -> BackupError {
    BackupError::File { path: std::env::temp_dir(), reason: error.to_string() }
}

/// Does one thing to each schema that `ephor_owner` has.
async fn on_each_schema(target: &Target, statement: &'static str) -> Result<(), BackupError> {
    let mut connection = target.options().connect().await?;
    sqlx::raw_sql("set role ephor_owner").execute(&mut connection).await?;
    let statements: Vec<String> = sqlx::query_scalar(
        "select pg_catalog.format($1, nspname) from pg_catalog.pg_namespace
         where nspowner = 'ephor_owner'::pg_catalog.regrole",
    )
    .bind(statement)
    .fetch_all(&mut connection)
    .await?;
    for statement in statements {
        // A constant with names that the catalog gave and `format` quoted.
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
    }
    Ok(())
}

/// `pg_restore` into the target: all or nothing.
fn restoring(programs: &Binaries, target: &Target) -> Command {
    let mut command = client(programs, "pg_restore", target);
    command
        .args(["--no-password", "--exit-on-error", "--single-transaction"])
        .arg(format!("--dbname={}", target.without_password()));
    command
}
