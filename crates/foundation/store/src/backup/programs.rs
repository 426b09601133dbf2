//! PostgreSQL's own programs, which write backups and read them.

use std::{path::Path, process::Stdio};

use sqlx::PgConnection;
use tokio::process::Command;

use super::{BackupError, connection::Target};
use crate::embedded::{Binaries, EmbeddedError, SearchPlaces, run_program};

/// The newest client programs, if they are new enough for the server.
pub(super) async fn programs_for(
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

/// One of the programs, told where to connect by its environment: a command line is public.
pub(super) fn client(programs: &Binaries, name: &str, target: &Target) -> Command {
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

/// What a backup says about itself.
pub(super) struct Contents {
    /// How many tables' rows it holds.
    pub(super) tables: usize,
}

/// Reads a backup's table of contents.
pub(super) async fn contents(programs: &Binaries, file: &Path) -> Result<Contents, BackupError> {
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
