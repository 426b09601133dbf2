//! Brings a database to the schema that this binary was built with.
//!
//! One linear history of plain SQL files, embedded. Each is applied in a transaction of its own, as
//! ephor_migrator with the rights of ephor_owner, under a lock: of several servers that start at once,
//! one migrates and the others wait and find it done.

use std::{collections::BTreeMap, sync::LazyLock};

use chrono::{DateTime, Utc};
use rust_embed::RustEmbed;
use secrecy::SecretString;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{StoreError, queue, store::options};

/// The files, by name.
#[derive(RustEmbed)]
#[folder = "../../../migrations"]
struct Files;

/// What stands between a database and the schema that this binary knows.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// The database is ahead of the binary.
    #[error(
        "this Ephor is older than its database: the database has seen the migration {name}, which this version does not know. Start the newer version again, or restore a backup made before the upgrade"
    )]
    NewerSchema {
        /// The first migration that is not known here.
        name: String,
    },
    /// A migration was applied in another wording.
    #[error(
        "the migration {name} was changed after this database had applied it (SHA-256 {applied}, now {embedded}); what was applied must never be changed. Start the version of Ephor that made the database, or, if the data does not matter, a new database"
    )]
    Changed {
        /// The migration.
        name: String,
        /// SHA-256 of what was applied.
        applied: String,
        /// SHA-256 of what this binary holds.
        embedded: String,
    },
    /// A migration would have to be applied before one that already was.
    #[error(
        "the migration {name} comes before {last}, which this database has already applied; a migration is only ever added at the end"
    )]
    OutOfOrder {
        /// The migration that is missing.
        name: String,
        /// The last that was applied.
        last: String,
    },
    /// The database was not prepared, or the login may not migrate.
    #[error(
        "the login `{login}` cannot become ephor_owner: {reason}. Run `ephor db bootstrap` and apply what it prints as the server's administrator; then let the migrating login be ephor_migrator or a member of it"
    )]
    NotPrepared {
        /// The login.
        login: String,
        /// What PostgreSQL said.
        reason: String,
    },
    /// A statement of a migration failed; nothing of that migration was kept.
    #[error("the migration {name} failed and was undone: {cause}")]
    Failed {
        /// The migration.
        name: String,
        /// What PostgreSQL said.
        cause: sqlx::Error,
    },
    /// The queue's own schema could not be made.
    #[error("the schema of the job queue could not be brought up to date: {0}")]
    Queue(String),
    /// The database could not be reached, or its URL not read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for MigrateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// One file of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    name: String,
    sql: String,
    sha256: String,
}

impl Migration {
    /// A file with its content.
    pub fn new(name: impl Into<String>, sql: impl Into<String>) -> Self {
        let (name, sql) = (name.into(), sql.into());
        let sha256 = hex::encode(Sha256::digest(&sql));
        Self { name, sql, sha256 }
    }
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The migrations that were applied, in order. Empty when the schema was up to date.
    pub applied: Vec<String>,
}

/// Applies all that is missing. `url` is that of ephor_migrator, or of a member of it.
///
/// # Errors
/// See [`MigrateError`]; each says what to do.
pub async fn run(url: &str) -> Result<Report, MigrateError> {
    run_these(url, &embedded()).await
}

/// As [`run`], with a history of the caller's: for tests of the runner.
pub async fn run_these(url: &str, history: &[Migration]) -> Result<Report, MigrateError> {
    let options = options("ephor_migrator", &SecretString::from(url.to_owned()))?;
    let mut connection = options.connect().await?;
    become_owner(&mut connection, &options).await?;
    // Held until the connection ends. It names nothing of the schema, which may not be there yet.
    connection.execute("select pg_advisory_lock(hashtextextended('ephor migrations', 0))").await?;
    let applied = apply(&mut connection, history).await?;
    install_queue(&options).await?;
    connection.close().await?;
    Ok(Report { applied })
}

/// Hands what a context brings built in, such as roles, to the function of the schema that brings
/// the organizations' copies up to date. Answers how many it changed. `function` is a name of ours.
///
/// # Errors
/// As [`run`].
pub async fn upgrade(
    url: &str,
    function: &'static str,
    held: &serde_json::Value,
) -> Result<i64, MigrateError> {
    let options = options("ephor_migrator", &SecretString::from(url.to_owned()))?;
    let mut connection = options.connect().await?;
    become_owner(&mut connection, &options).await?;
    let changed = sqlx::query_scalar(AssertSqlSafe(format!("select {function}($1)")))
        .bind(held)
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(changed)
}

/// A migration that a database has seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// The file's name.
    pub name: String,
    /// When it was applied.
    pub applied_at: DateTime<Utc>,
}

/// The migrations that the database has seen, in order; none when it was never migrated.
///
/// # Errors
/// When the database does not answer.
pub async fn applied(connection: &mut PgConnection) -> Result<Vec<Applied>, MigrateError> {
    if seen(connection).await?.is_empty() {
        return Ok(Vec::new());
    }
    let applied =
        sqlx::query_as!(Applied, "select name, applied_at from kernel.migrations order by name")
            .fetch_all(connection)
            .await?;
    Ok(applied)
}

/// Is the schema exactly the one that this binary knows? For a server that may not migrate itself.
///
/// # Errors
/// As [`run`]; what is missing is [`MigrateError::OutOfOrder`] or in the returned list.
pub async fn missing(connection: &mut PgConnection) -> Result<Vec<String>, MigrateError> {
    let seen = seen(connection).await?;
    let history = embedded();
    Ok(due(&history, &seen)?.into_iter().map(|migration| migration.name.clone()).collect())
}

/// Is the schema exactly the one that this binary knows? One statement, for readiness probes.
///
/// # Errors
/// When the database does not answer, or was never migrated.
pub(crate) async fn is_current(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    // Of the embedded history, as PostgreSQL computes it of what was applied.
    static KNOWN: LazyLock<String> = LazyLock::new(|| {
        let mut print = Sha256::new();
        for migration in embedded() {
            print.update(&migration.name);
            print.update(&migration.sha256);
        }
        hex::encode(print.finalize())
    });
    let applied: Option<String> = sqlx::query_scalar(
        r#"select encode(sha256(convert_to(string_agg(name || sha256, '' order by name collate "C"), 'UTF8')), 'hex')
             from kernel.migrations"#,
    )
    .fetch_one(connection)
    .await?;
    Ok(applied.as_ref() == Some(&*KNOWN))
}

/// The embedded history, in order. The file 0000 is the administrator's, and not part of it; see
/// [`crate::bootstrap`].
pub fn embedded() -> Vec<Migration> {
    let mut history: Vec<Migration> = Files::iter()
        .filter(|name| name.ends_with(".sql") && !name.starts_with("0000_"))
        .filter_map(|name| {
            let file = Files::get(&name)?;
            Some(Migration::new(name, String::from_utf8_lossy(&file.data)))
        })
        .collect();
    history.sort_by(|a, b| a.name.cmp(&b.name));
    history
}

/// Changes when any migration, or the queue's own schema, does.
pub fn fingerprint() -> String {
    let mut print = Sha256::new();
    for migration in embedded() {
        print.update(&migration.name);
        print.update(&migration.sha256);
    }
    print.update(queue::GRANTS);
    hex::encode(print.finalize())
}

async fn become_owner(
    connection: &mut PgConnection,
    options: &PgConnectOptions,
) -> Result<(), MigrateError> {
    connection.execute("set role ephor_owner").await.map(drop).map_err(|error| match error {
        sqlx::Error::Database(refusal) => MigrateError::NotPrepared {
            login: options.get_username().to_owned(),
            reason: refusal.message().to_owned(),
        },
        other => other.into(),
    })
}

/// Applies what is due, each migration with its record in one transaction.
async fn apply(
    connection: &mut PgConnection,
    history: &[Migration],
) -> Result<Vec<String>, MigrateError> {
    let seen = seen(connection).await?;
    let mut applied = Vec::new();
    for migration in due(history, &seen)? {
        let Migration { name, sql, sha256 } = migration;
        tracing::info!(%name, "applying a migration");
        let failed = |cause| MigrateError::Failed { name: name.clone(), cause };
        let mut tx = connection.begin().await?;
        // The files are ours, and part of the binary.
        sqlx::raw_sql(AssertSqlSafe(sql.as_str())).execute(&mut *tx).await.map_err(failed)?;
        sqlx::query("insert into kernel.migrations (name, sha256) values ($1, $2)")
            .bind(name)
            .bind(sha256)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        applied.push(name.clone());
    }
    Ok(applied)
}

/// What was applied: name and hash.
async fn seen(connection: &mut PgConnection) -> Result<BTreeMap<String, String>, MigrateError> {
    let there: bool = sqlx::query_scalar("select to_regclass('kernel.migrations') is not null")
        .fetch_one(&mut *connection)
        .await?;
    if !there {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<(String, String)> =
        sqlx::query_as("select name, sha256 from kernel.migrations").fetch_all(connection).await?;
    Ok(rows.into_iter().collect())
}

/// What of the history is still to be applied, provided that what was applied is its beginning.
fn due<'a>(
    history: &'a [Migration],
    seen: &BTreeMap<String, String>,
) -> Result<Vec<&'a Migration>, MigrateError> {
    for (name, applied) in seen {
        let Some(known) = history.iter().find(|migration| migration.name == *name) else {
            return Err(MigrateError::NewerSchema { name: name.clone() });
        };
        if known.sha256 != *applied {
            return Err(MigrateError::Changed {
                name: name.clone(),
                applied: applied.clone(),
                embedded: known.sha256.clone(),
            });
        }
    }
    let due: Vec<_> =
        history.iter().filter(|migration| !seen.contains_key(&migration.name)).collect();
    if let (Some(first), Some(last)) = (due.first(), seen.keys().next_back())
        && first.name < *last
    {
        return Err(MigrateError::OutOfOrder { name: first.name.clone(), last: last.clone() });
    }
    Ok(due)
}

/// The library makes its own schema; we say who may use it.
async fn install_queue(options: &PgConnectOptions) -> Result<(), MigrateError> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .after_connect(|connection, _| {
            Box::pin(async move { connection.execute("set role ephor_owner").await.map(drop) })
        })
        .connect_with(options.clone())
        .await?;
    let installed = queue::install(&pool).await;
    pool.close().await;
    installed
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn history() -> Vec<Migration> {
        ["0001_a.sql", "0002_b.sql", "0003_c.sql"].map(|name| Migration::new(name, name)).to_vec()
    }

    fn seen(migrations: &[Migration]) -> BTreeMap<String, String> {
        migrations.iter().map(|one| (one.name.clone(), one.sha256.clone())).collect()
    }

    #[test]
    fn what_was_not_applied_is_due_in_order() {
        let history = history();
        let due = due(&history, &seen(&history[..1])).unwrap();
        assert_eq!(due, [&history[1], &history[2]]);
    }

    #[test]
    fn an_older_binary_is_refused() {
        let history = history();
        let text = due(&history[..2], &seen(&history)).unwrap_err().to_string();
        assert!(text.contains("older than its database") && text.contains("0003_c.sql"), "{text}");
    }

    #[test]
    fn a_changed_migration_is_refused() {
        let mut history = history();
        let applied = seen(&history);
        history[1] = Migration::new("0002_b.sql", "something else");
        let error = due(&history, &applied).unwrap_err();
        assert!(matches!(error, MigrateError::Changed { name, .. } if name == "0002_b.sql"));
    }

    #[test]
    fn a_migration_between_others_is_refused() {
        let history = history();
        let mut applied = seen(&history);
        applied.remove("0002_b.sql");
        assert!(matches!(due(&history, &applied), Err(MigrateError::OutOfOrder { .. })));
    }

    #[test]
    #[allow(
        clippy::case_sensitive_file_extension_comparisons,
        reason = "the files that `embedded` takes, by the same words"
    )]
    fn the_whole_history_is_embedded() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../migrations");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".sql") && !name.starts_with("0000_"))
            .collect();
        files.sort();
        let names: Vec<String> = embedded().into_iter().map(|migration| migration.name).collect();
        assert_eq!(names, files);
        assert_eq!(names[0], "0001_kernel.sql");
    }
}
