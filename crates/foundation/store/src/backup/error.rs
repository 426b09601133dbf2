//! Why a backup or a restore was not to be.

use std::path::PathBuf;

use crate::embedded::EmbeddedError;

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
