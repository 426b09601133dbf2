//! `ephor db`

mod archive;
mod seed;
mod status;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Subcommand;
use ephor_store::{
    backup,
    bootstrap::{Login, bootstrap_sql},
    embedded::{SearchPlaces, Urls},
    migrate,
};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::{Settings, audit, block_on};
use crate::{
    config::Config,
    exit::{Exit, UsageError},
    server::{self, Database},
};
pub(super) use seed::{Seed, plant};

/// Prepare, back up, restore and look at the database.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  ephor db bootstrap | psql … 'postgres://administrator@host/ephor'
  ephor db migrate
  ephor db status --json
  ephor db seed
  psql \"$(ephor db url)\"
  ephor db backup ephor.dump --json
  ephor db archive --dry-run
  ephor db archive --check
  ephor db restore ephor.dump")]
pub enum Command {
    /// Print the SQL that prepares a PostgreSQL of your own: roles, log-ins, revokes
    Bootstrap,
    /// Bring the schema up to date
    Migrate {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show migrations, sizes and partitions; the exit code is 1 when something is missing
    Status(status::Args),
    /// Put the demo organization into the database
    Seed(seed::Args),
    /// Print a URL of the private PostgreSQL, for psql; it holds a password
    Url {
        /// As whom: app, system, sealer, migrator or backup
        #[arg(long, default_value = "backup", value_parser = login)]
        role: Login,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Write everything in the database to a file
    Backup {
        /// The file, which must not be there yet
        file: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Archive old months to the object store, and drop them from the database
    Archive(archive::Args),
    /// Put a backup into an empty database, and verify its audit trail
    Restore {
        /// The backup
        file: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

fn login(word: &str) -> Result<Login, String> {
    Login::ALL
        .into_iter()
        .find(|login| login.role() == format!("ephor_{word}"))
        .ok_or_else(|| "it is app, system, sealer, migrator or backup".to_owned())
}

impl Command {
    pub fn run(self, settings: &Settings) -> anyhow::Result<Exit> {
        let mut out = std::io::stdout().lock();
        if let Self::Bootstrap = self {
            out.write_all(bootstrap_sql().as_bytes())?;
            return Ok(Exit::Ok);
        }
        let config = settings.load(&[])?;
        let data = settings.data_dir(&config);
        drop(out);
        let mut out = std::io::stdout();
        match self {
            Self::Bootstrap => {}
            Self::Migrate { json } => {
                let applied = block_on(migrations(&config, &data))?;
                if json {
                    writeln!(out, "{:#}", json!({ "applied": applied }))?;
                    return Ok(Exit::Ok);
                }
                match applied.as_slice() {
                    [] => writeln!(out, "The schema is up to date.")?,
                    names => names.iter().try_for_each(|name| writeln!(out, "applied {name}"))?,
                }
            }
            Self::Status(args) => return args.run(&config, &data),
            Self::Seed(args) => return args.run(&config, &data),
            Self::Url { role, json } => {
                let url = own(&config, &data)?.login(role);
                if json {
                    writeln!(out, "{:#}", json!({ "role": role.role(), "url": url }))?;
                } else {
                    writeln!(out, "{url}")?;
                }
            }
            Self::Backup { file, json } => {
                let url = backup_url(&config, &data)?;
                let done = block_on(async {
                    Ok(backup::backup(&url, &file, &SearchPlaces::of_this_machine()).await?)
                })?;
                if json {
                    let file = done.file.display().to_string();
                    let told = json!({ "file": file, "bytes": done.bytes, "tables": done.tables });
                    writeln!(out, "{told:#}")?;
                    return Ok(Exit::Ok);
                }
                writeln!(
                    out,
                    "{}: {} bytes, the rows of {} tables",
                    done.file.display(),
                    done.bytes,
                    done.tables
                )?;
            }
            Self::Archive(args) => return args.run(&config, &data),
            Self::Restore { file, json } => {
                return block_on(restore(&config, &data, &file, json));
            }
        }
        Ok(Exit::Ok)
    }
}

/// The private server's URLs, which exist once it was started.
fn own(config: &Config, data: &Path) -> anyhow::Result<Urls> {
    if !config.database.url.expose_secret().is_empty() {
        return Err(
            UsageError("a database of your own is configured: its URLs are yours".into()).into()
        );
    }
    Urls::of_folder(data).with_context(|| {
        format!("there is no private PostgreSQL in {}; `ephor serve` makes one", data.display())
    })
}

/// Who may read everything: the private server's backup log-in, or yours.
fn backup_url(config: &Config, data: &Path) -> anyhow::Result<String> {
    if config.database.url.expose_secret().is_empty() {
        return Ok(own(config, data)?.backup());
    }
    super::variable(Login::Backup.variable()).ok_or_else(|| {
        UsageError(format!(
            "set {} to the log-in of ephor_backup, which alone may read everything",
            Login::Backup.variable()
        ))
        .into()
    })
}

async fn migrations(config: &Config, data: &Path) -> anyhow::Result<Vec<String>> {
    if config.database.url.expose_secret().is_empty() {
        // Opening it applies what is missing; what that was is in the log.
        let database = Database::open(config, data).await?;
        let applied = database.applied().to_vec();
        database.stop().await?;
        return Ok(applied);
    }
    Ok(migrate::run(config.database.migrate_url().expose_secret()).await?.applied)
}

async fn restore(config: &Config, data: &Path, file: &Path, json: bool) -> anyhow::Result<Exit> {
    let places = SearchPlaces::of_this_machine();
    let database = Database::prepare(config, data).await?;
    let restored = backup::restore(database.restore_url(), file, &places).await;
    let outcome = match restored {
        Ok(tables) => {
            if !json {
                writeln!(std::io::stdout(), "restored the rows of {tables} tables")?;
            }
            database.migrate().await?;
            let store = database.connect().await?;
            let key = server::load_key(&config.seal, data)?;
            let found = audit::verified_store(&store, &key, None).await;
            store.close().await;
            match found {
                Ok(found) if json => {
                    let told = json!({ "tables": tables, "trails": found });
                    writeln!(std::io::stdout(), "{told:#}")?;
                    Ok(audit::judged(&found))
                }
                Ok(found) => audit::report(&found, super::Format::Table),
                Err(error) => Err(error),
            }
        }
        Err(error) => Err(error.into()),
    };
    database.stop().await?;
    outcome
}
