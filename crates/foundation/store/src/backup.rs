//! Backups: one file with everything that the database holds, and the way back.
//!
//! Row-level security is forced on every tenant table, so that a plain `pg_dump` by the owner fails
//! or, told to obey the policies, would silently leave rows out. The backup login has a policy that
//! shows it all rows of every such table; that no table lacks one is checked before each backup.

mod connection;

use std::{
    fs,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Stdio,
};

use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};
use tokio::process::Command;

use self::connection::Target;
use crate::embedded::{Binaries, EmbeddedError, SearchPlaces, run_program};

/// A backup or a restore that was not to be.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// No client programs that serve this server.
    #[error(
        "the server is PostgreSQL {server}, and {}; install its client programs (on Debian and Ubuntu: \
         apt-get install postgresql-client)", have(*.newest)
    )]
    NoPrograms {
        /// The server's major version.
        server: u32,
        /// The newest client programs that are installed.
        newest: Option<u32>,
    },
    /// The login would not see every row.
    #[error(
        "the login may not read all of {}, so the backup would lack rows; use the login ephor_backup, and run \
         `ephor db migrate` if the table is new", .tables.join(", ")
    )]
    Unreadable {
        /// The tables.
        tables: Vec<String>,
    },
    /// The database to restore into holds something.
    #[error(
        "the database `{database}` is not empty (it has {found}); restore into a new one, prepared with `ephor db bootstrap`"
    )]
    NotEmpty {
        /// The database.
        database: String,
        /// One thing that is there.
        found: String,
    },
    /// The database to restore into was not prepared.
    #[error("the database has no role `{role}`; run the SQL of `ephor db bootstrap` there first")]
    NotPrepared {
        /// The first role that is missing.
        role: String,
    },
    /// The file is no backup, or the target is in the way.
    #[error("{}: {reason}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The database's URL cannot be used.
    #[error("the database's URL cannot be used: {0}")]
    Url(String),
    /// One of PostgreSQL's programs failed.
    #[error(transparent)]
    Program(#[from] EmbeddedError),
    /// The server refused.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

fn have(newest: Option<u32>) -> String {
    newest.map_or_else(
        || "no client programs (pg_dump, pg_restore) are installed".to_owned(),
        |major| {
            format!(
                "the newest client programs here are of {major}, which cannot read a newer server"
            )
        },
    )
}

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

/// What a backup says about itself.
struct Contents {
    tables: usize,
}

async fn contents(programs: &Binaries, file: &Path) -> Result<Contents, BackupError> {
    let refuse = |reason: String| BackupError::File { path: file.to_owned(), reason };
    if !file.is_file() {
        return Err(refuse("there is no such file".to_owned()));
    }
    let mut list = Command::new(programs.program("pg_restore"));
    list.env("LC_ALL", "C").arg("--list").arg(file).stdin(Stdio::null());
    let output = run_program(list, "pg_restore").await.map_err(|error| match error {
        EmbeddedError::Program { said, .. } => {
            refuse(format!("it is not a backup of Ephor: {said}"))
        }
        other => other.into(),
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let tables = text.lines().filter(|line| line.contains(" TABLE DATA ")).count();
    if !text.lines().any(|line| line.contains(" TABLE DATA kernel migrations ")) {
        return Err(refuse("it is a PostgreSQL dump, but not of a database of Ephor".to_owned()));
    }
    Ok(Contents { tables })
}

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

/// The newest client programs, if they are new enough for the server.
async fn programs_for(
    connection: &mut PgConnection,
    places: &SearchPlaces,
) -> Result<Binaries, BackupError> {
    let number: i32 =
        sqlx::query_scalar("select pg_catalog.current_setting('server_version_num')::int")
            .fetch_one(connection)
            .await?;
    let server = u32::try_from(number / 10_000).unwrap_or_default();
    let newest = places.find_clients().into_iter().next();
    match newest {
        Some(programs) if programs.major() >= server => Ok(programs),
        other => Err(BackupError::NoPrograms { server, newest: other.map(|it| it.major()) }),
    }
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

/// One of the programs, told where to connect by its environment: a command line is public.
fn client(programs: &Binaries, name: &str, target: &Target) -> Command {
    let mut command = Command::new(programs.program(name));
    command.env("LC_ALL", "C").stdin(Stdio::null());
    if name == "pg_dump" {
        command.arg(format!("--dbname={}", target.without_password()));
    }
    if let Some(password) = target.password() {
        command.env("PGPASSWORD", password);
    }
    command
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::collections::BTreeMap;

    use sqlx::Connection;

    use ephor_seal::{KeyRing, SealKey};

    use super::*;
    use crate::{
        Store, audit,
        bootstrap::Login,
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
        assert!(
            matches!(error, BackupError::Unreadable { .. }),
            "the app sees too little: {error}"
        );
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
}
