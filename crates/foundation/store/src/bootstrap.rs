//! What a superuser does once, before the first migration: roles, their logins, and the revokes.
//!
//! The private server has it done at each start; for a server elsewhere, [`bootstrap_sql`] is what
//! `ephor db bootstrap` prints for its administrator to run.

use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::embedded::{DATABASE, EmbeddedError, SUPERUSER, Urls};

/// Roles, ownership and revokes: the first migration, which needs a superuser.
pub const BOOTSTRAP: &str = include_str!("../../../../migrations/0000_bootstrap.sql");

/// The roles that Ephor logs in as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Login {
    /// Serves requests, within one organization at a time.
    App,
    /// Does background work, within one organization at a time.
    System,
    /// Seals the audit trail, and touches nothing else.
    Sealer,
    /// Runs migrations.
    Migrator,
    /// Reads everything and writes nothing, for backups.
    Backup,
}

impl Login {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::App, Self::System, Self::Sealer, Self::Migrator, Self::Backup];

    /// The role's name in PostgreSQL.
    pub const fn role(self) -> &'static str {
        match self {
            Self::App => "ephor_app",
            Self::System => "ephor_system",
            Self::Sealer => "ephor_sealer",
            Self::Migrator => "ephor_migrator",
            Self::Backup => "ephor_backup",
        }
    }

    /// Where the configuration looks for its URL; `None` for a login that only commands use.
    pub const fn variable(self) -> &'static str {
        match self {
            Self::App => "DATABASE_URL",
            Self::System => "EPHOR_DATABASE_SYSTEM_URL",
            Self::Sealer => "EPHOR_DATABASE_SEALER_URL",
            Self::Migrator => "EPHOR_DATABASE_MIGRATE_URL",
            Self::Backup => "EPHOR_DATABASE_BACKUP_URL",
        }
    }
}

/// Makes the database, the roles and the logins of a private server, unless that was done by this
/// very bootstrap already. `connection` is the superuser's, to the database `postgres`.
pub(crate) async fn prepare_server(
    connection: &mut PgConnection,
    urls: &Urls,
) -> Result<(), EmbeddedError> {
    let there: bool =
        sqlx::query_scalar("select exists (select from pg_catalog.pg_database where datname = $1)")
            .bind(DATABASE)
            .fetch_one(&mut *connection)
            .await?;
    if !there {
        sqlx::raw_sql(AssertSqlSafe(format!("create database {DATABASE}")))
            .execute(&mut *connection)
            .await?;
    }
    let mut inside = PgConnection::connect_with(&urls.options(SUPERUSER, DATABASE)).await?;
    prepare_database(&mut inside, DATABASE, urls).await?;
    inside.close().await?;
    Ok(())
}

/// Runs the bootstrap in one database and gives the logins their passwords; `connection` is the
/// superuser's, to that database. Does nothing when this very bootstrap was run there already.
pub(crate) async fn prepare_database(
    connection: &mut PgConnection,
    database: &str,
    urls: &Urls,
) -> Result<(), EmbeddedError> {
    let print = fingerprint(urls);
    let done: Option<String> =
        sqlx::query_scalar("select pg_catalog.current_setting('ephor.bootstrap', true)")
            .fetch_one(&mut *connection)
            .await?;
    if done.as_deref() == Some(print.as_str()) {
        return Ok(());
    }
    let mut transaction = connection.begin().await?;
    sqlx::raw_sql(BOOTSTRAP).execute(&mut *transaction).await?;
    for login in Login::ALL {
        let statement = login_sql(login, &literal(urls.password(login.role())));
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *transaction).await?;
    }
    let mark =
        format!("alter database {} set ephor.bootstrap = {}", name(database), literal(&print));
    sqlx::raw_sql(AssertSqlSafe(mark)).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// The SQL for the administrator of a server elsewhere, to be run once by a superuser (or by the
/// provider's administrator role) in the database that Ephor is to use. It is psql's: each password
/// is a variable, as its first lines explain, so that none is printed or stored here.
pub fn bootstrap_sql() -> String {
    let variables: Vec<String> =
        Login::ALL.iter().map(|login| format!("--     -v {}='…'", variable(*login))).collect();
    let mut text = format!(
        "-- Prepares a PostgreSQL database for Ephor. Run it once, in an empty database, as a superuser:\n\
         --   ephor db bootstrap | psql -v ON_ERROR_STOP=1 --single-transaction \\\n{} \\\n\
         --     'postgres://administrator@host/ephor'\n\
         -- Then tell Ephor how to log in:\n",
        variables.join(" \\\n")
    );
    for login in Login::ALL {
        text.push_str(&format!(
            "--   {}=postgres://{}:…@host/ephor\n",
            login.variable(),
            login.role()
        ));
    }
    text.push('\n');
    text.push_str(BOOTSTRAP.trim_end());
    text.push_str("\n\n-- The logins.\n");
    for login in Login::ALL {
        text.push_str(&login_sql(login, &format!(":'{}'", variable(login))));
        text.push('\n');
    }
    text
}

/// psql's variable for a login's password.
fn variable(login: Login) -> String {
    format!("{}_password", login.role().trim_start_matches("ephor_"))
}

fn login_sql(login: Login, password: &str) -> String {
    format!("alter role {} login password {password};", login.role())
}

/// Changes when the bootstrap or a password does.
fn fingerprint(urls: &Urls) -> String {
    let mut print = Sha256::new();
    print.update(BOOTSTRAP);
    for login in Login::ALL {
        print.update(login_sql(login, urls.password(login.role())));
    }
    hex::encode(print.finalize())
}

/// A string literal.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A quoted identifier.
pub(crate) fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_sql_holds_variables_and_no_password() {
        let text = bootstrap_sql();
        for login in Login::ALL {
            let line =
                format!("alter role {} login password :'{}';", login.role(), variable(login));
            assert!(text.contains(&line), "{line}");
            assert!(text.contains(login.variable()), "{}", login.variable());
        }
        assert!(text.contains("-v app_password="), "{text}");
    }

    #[test]
    fn what_goes_into_sql_is_quoted() {
        assert_eq!(literal("o'clock"), "'o''clock'");
        assert_eq!(name("a\"b"), "\"a\"\"b\"");
    }
}
