//! A backup is made: everything in the database, in one file.

use std::{
    fs,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use sqlx::{ConnectOptions, PgConnection};

use super::{
    BackupError,
    connection::Target,
    programs::{client, contents, programs_for},
};
use crate::embedded::{Binaries, SearchPlaces, run_program};

/// A finished backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The file, which only its owner can read.
    pub file: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// How many tables' rows it holds.
    pub tables: usize,
}

/// Writes everything in the database into `file`, compressed, as one consistent state, while the
/// server goes on working. `url` is the backup login's. An existing file is not overwritten; an
/// unfinished one is never left under the name.
pub async fn backup(url: &str, file: &Path, places: &SearchPlaces) -> Result<Backup, BackupError> {
    let refuse = |reason: String| BackupError::File { path: file.to_owned(), reason };
    if file.exists() {
        return Err(refuse("the file is there already; choose another name".to_owned()));
    }
    let target = Target::parse(url)?;
    let mut connection = target.options().connect().await?;
    let programs = programs_for(&mut connection, places).await?;
    let unreadable = unreadable_tables(&mut connection).await?;
    if !unreadable.is_empty() {
        return Err(BackupError::Unreadable { tables: unreadable });
    }
    drop(connection);

    let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.ok_or_else(|| refuse("this is no file name".to_owned()))?;
    let unfinished = file.with_file_name(format!(".{name}.unfinished"));
    let _ = fs::remove_file(&unfinished);
    // Made first, so that it is closed to others from its first byte on.
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .map_err(|error| refuse(error.to_string()))?;
    let made = write(&target, &programs, &unfinished).await;
    let tables = match made {
        Ok(tables) => tables,
        Err(error) => {
            let _ = fs::remove_file(&unfinished);
            return Err(error);
        }
    };
    fs::rename(&unfinished, file).map_err(|error| refuse(error.to_string()))?;
    let about = fs::metadata(file).map_err(|error| refuse(error.to_string()))?;
    debug_assert_eq!(about.permissions().mode() & 0o077, 0, "a backup holds everybody's data");
    Ok(Backup { file: file.to_owned(), bytes: about.len(), tables })
}

/// Dumps, then reads the table of contents back: a file that cannot be read is no backup.
async fn write(target: &Target, programs: &Binaries, file: &Path) -> Result<usize, BackupError> {
    let mut dump = client(programs, "pg_dump", target);
    dump.args(["--format=custom", "--no-password", "--enable-row-security", "--file"]).arg(file);
    run_program(dump, "pg_dump").await?;
    fs::File::open(file)
        .and_then(|file| file.sync_all())
        .map_err(|error| BackupError::File { path: file.to_owned(), reason: error.to_string() })?;
    contents(programs, file).await.map(|contents| contents.tables)
}

/// Tables of which this login would not see every row. The queue's own are left out: what waits in
/// them is handed over again from `ops.jobs`.
async fn unreadable_tables(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "select c.oid::pg_catalog.regclass::text
         from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'graphile_worker')
           and n.nspname not like 'pg\\_%'
           and (not pg_catalog.has_schema_privilege(n.oid, 'usage')
                or not pg_catalog.has_table_privilege(c.oid, 'select')
                or (pg_catalog.row_security_active(c.oid) and not exists (
                    select from pg_catalog.pg_policy p
                    where p.polrelid = c.oid and p.polpermissive and p.polcmd in ('r', '*')
                      and pg_catalog.pg_get_expr(p.polqual, p.polrelid) = 'true'
                      and (p.polroles = '{0}' or exists (
                          select from pg_catalog.unnest(p.polroles) role
                          where pg_catalog.pg_has_role(role, 'usage'))))))
         order by 1",
    )
    .fetch_all(connection)
    .await
}
