//! `ephor audit`

mod proof;
mod rotate;

use std::{
    fs::File,
    io::{BufReader, Write as _},
    path::PathBuf,
};

use anyhow::Context as _;
use clap::Subcommand;
use ephor_kernel::{EntryId, OrganizationId, Scope, SystemClock};
use ephor_seal::{KeyRing, PublicKey, SealKey, Trust, Verification, verify_export};
use ephor_store::{Store, audit};
use secrecy::ExposeSecret as _;
use tokio::io::AsyncWriteExt as _;

use super::{Format, Settings, block_on, printed::Telling};
use crate::{
    config::Config,
    exit::{Exit, UsageError},
    server::{self, Database},
};

/// Verify and export the audit trail.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  ephor audit verify
  ephor audit export 01930b2e-7c1a-7def-8000-1b2c3d4e5f60 --out trail.ephor
  ephor audit verify --file trail.ephor --key ephor+…        on any machine, with no database
  ephor audit prove 0199… --organization 01930b2e-… > receipt.txt
  ephor audit consistency 17 42 > grown.txt
  ephor audit check receipt.txt --key ephor+…                on any machine, with no database

The exit code of verify is 1 when anything is not as it was sealed.")]
pub enum Command {
    /// Recompute every sealed entry and name whatever does not fit
    Verify {
        /// Only this organization
        #[arg(long, value_name = "ID", conflicts_with = "file")]
        organization: Option<OrganizationId>,
        /// An export, instead of the database
        #[arg(long)]
        file: Option<PathBuf>,
        /// A public key to trust; without one, the server's own, or those that the export names
        #[arg(long, value_name = "PUBLIC KEY")]
        key: Vec<String>,
        /// How to print the outcome
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        /// The same as --format json
        #[arg(long, conflicts_with = "format")]
        json: bool,
    },
    /// Write an organization's trail to a file that can be verified anywhere
    Export {
        /// The organization
        organization: OrganizationId,
        /// The file
        #[arg(long)]
        out: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the public key, for auditors
    PublicKey {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Replace the key that seals: the old one signs that the new one follows
    RotateKey {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Tell how far the trail is sealed and its checkpoints published
    Status {
        /// How to print it
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        /// The same as --format json
        #[arg(long, conflicts_with = "format")]
        json: bool,
    },
    /// Print a proof that an entry is in the signed tree, also of an archived one
    Prove {
        /// The entry
        entry: EntryId,
        /// Whose trail it is in
        #[arg(long, value_name = "ID")]
        organization: OrganizationId,
    },
    /// Print a proof that a signed tree begins with an older one
    Consistency {
        /// The older checkpoint's size
        old: u64,
        /// The newer one's
        new: u64,
        /// Whose tree; without one, the instance log, whose checkpoints are published
        #[arg(long, value_name = "ID")]
        organization: Option<OrganizationId>,
    },
    /// Check what `prove` or `consistency` printed, on any machine
    Check {
        /// The proof
        file: PathBuf,
        /// The public key to trust
        #[arg(long, value_name = "PUBLIC KEY", required = true)]
        key: Vec<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl Command {
    pub fn run(self, settings: &Settings) -> anyhow::Result<Exit> {
        match self {
            Self::Verify { file: Some(file), key, format, json, .. } => {
                verify_file(&file, &key, format.or_json(json))
            }
            Self::Verify { organization, key, format, json, .. } => {
                if !key.is_empty() {
                    return Err(UsageError("--key goes with --file; the database is verified with the server's own key".into()).into());
                }
                let config = settings.load(&[])?;
                let data = settings.data_dir(&config);
                block_on(with_store(&config, &data, async |store, seal_key| {
                    let found = verified_store(&store, &seal_key, organization).await?;
                    report(&found, format.or_json(json))
                }))
            }
            Self::Export { organization, out, json } => {
                let config = settings.load(&[])?;
                let data = settings.data_dir(&config);
                block_on(with_store(&config, &data, async |store, _| {
                    export(&store, organization, &out, json).await
                }))
            }
            Self::PublicKey { json } => {
                let config = settings.load(&[])?;
                let key = server::load_key(&config.seal, &settings.data_dir(&config))?;
                let mut told = Telling::new(json);
                told.line(key.public())?;
                told.fact("public_key", key.public().to_string());
                told.end()?;
                Ok(Exit::Ok)
            }
            Self::RotateKey { json } => {
                let config = settings.load(&[])?;
                let data = settings.data_dir(&config);
                block_on(with_store(&config, &data, async |store, _| {
                    rotate::rotate_key(&store, &config.seal, &data, json).await
                }))
            }
            Self::Check { file, key, json } => proof::check(&file, &keys(&key)?, json),
            Self::Status { format, json } => {
                let config = settings.load(&[])?;
                let data = settings.data_dir(&config);
                block_on(with_store(&config, &data, async |store, _| {
                    proof::status(&store, format.or_json(json)).await
                }))
            }
            Self::Prove { entry, organization } => {
                let config = settings.load(&[])?;
                let data = settings.data_dir(&config);
                let objects = server::objects(&config, &data).open()?;
                block_on(with_store(&config, &data, async |store, _| {
                    proof::prove(&store, &objects, organization, entry).await
                }))
            }
            Self::Consistency { old, new, organization } => {
                let config = settings.load(&[])?;
                let data = settings.data_dir(&config);
                block_on(with_store(&config, &data, async |store, _| {
                    proof::consistency(&store, organization, old, new).await
                }))
            }
        }
    }
}

/// Runs with the database open: the running server's, when there is one, for it holds the folder.
pub(super) async fn with_store<T>(
    config: &Config,
    data: &std::path::Path,
    work: impl AsyncFnOnce(Store, SealKey) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let seal_key = server::load_key(&config.seal, data)?;
    let database = if config.database.url.expose_secret().is_empty() {
        Database::join_or_open(config, data).await?
    } else {
        Database::open(config, data).await?
    };
    let store = database.connect().await?;
    let outcome = work(store.clone(), seal_key).await;
    store.close().await;
    database.stop().await?;
    outcome
}

/// Verifies one organization's trail, or all of them.
pub async fn verified_store(
    store: &Store,
    seal_key: &SealKey,
    organization: Option<OrganizationId>,
) -> anyhow::Result<Vec<Verification>> {
    let keys = KeyRing::new([seal_key.public()]);
    Ok(match organization {
        Some(organization) => vec![audit::verify(store, organization, &keys).await?],
        None => audit::verify_all(store, &keys).await?,
    })
}

fn keys(texts: &[String]) -> Result<Vec<PublicKey>, UsageError> {
    let parse = |text: &String| {
        PublicKey::parse(text).map_err(|error| UsageError(format!("--key {text}: {error}")))
    };
    texts.iter().map(parse).collect()
}

fn verify_file(file: &std::path::Path, keys: &[String], format: Format) -> anyhow::Result<Exit> {
    let keys = self::keys(keys)?;
    let trust = if keys.is_empty() {
        writeln!(
            std::io::stderr(),
            "No --key is given: this proves only that the file agrees with itself. Compare the key that it names with one that you got another way."
        )?;
        Trust::Export
    } else {
        Trust::Keys(KeyRing::new(keys))
    };
    let reader =
        File::open(file).map_err(|error| UsageError(format!("{}: {error}", file.display())))?;
    let found = verify_export(BufReader::new(reader), &trust, None).map_err(|error| {
        UsageError(format!("{} is no whole export of Ephor's: {error}", file.display()))
    })?;
    report(&found, format)
}

/// Prints what was found.
pub fn report(found: &[Verification], format: Format) -> anyhow::Result<Exit> {
    let mut out = std::io::stdout().lock();
    match format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(found)?)?,
        Format::Table if found.is_empty() => writeln!(out, "There is no trail yet.")?,
        Format::Table => found.iter().try_for_each(|one| writeln!(out, "{one}"))?,
    }
    Ok(judged(found))
}

/// How a command ends that found this.
pub fn judged(found: &[Verification]) -> Exit {
    if found.iter().all(Verification::verified) { Exit::Ok } else { Exit::Finding }
}

async fn export(
    store: &Store,
    organization: OrganizationId,
    out: &std::path::Path,
    json: bool,
) -> anyhow::Result<Exit> {
    let mut file = tokio::fs::File::create_new(out)
        .await
        .with_context(|| format!("{} can't be made", out.display()))?;
    let scope = Scope::platform(organization, "ephor audit export");
    let written = audit::export(store, &scope, &SystemClock, &mut file).await;
    if let Err(error) = written {
        // Half a trail would only mislead.
        let _ = tokio::fs::remove_file(out).await;
        return Err(error.into());
    }
    file.flush().await?;
    file.sync_all().await?;
    let sealed = written?;
    let mut told = Telling::new(json);
    told.line(format_args!("{}: {sealed} sealed entries", out.display()))?;
    told.fact("file", out.display().to_string());
    told.fact("sealed", sealed);
    told.end()?;
    Ok(Exit::Ok)
}
