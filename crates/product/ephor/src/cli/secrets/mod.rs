//! `ephor secrets`

mod forget;
mod rotate;
mod status;

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Subcommand;
use ephor_identity::{Identity, KeyId};
use ephor_store::platform::exclusive;

use super::{Settings, block_on, printed::Telling};
use crate::{
    config::Config,
    exit::Exit,
    server::{
        self, Database,
        secrets_key::{self, SecretsKeys},
    },
};

/// Look at the key that encrypts secrets, and replace it.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  ephor secrets status
  ephor secrets rotate-key
  ephor secrets rotate-key --prepare          first, where several machines have copies of the key's file
  ephor secrets forget-keys --yes --json

Beside running servers or alone. The old key goes on to decrypt until it is forgotten, so nobody is
logged out and nothing waits. Broken off anywhere, rotate-key goes on when it is run again.")]
pub enum Command {
    /// Tell which keys there are, and how many values each encrypted; the exit code is 1 when a key is missing
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a new key, and encrypt with it what the old one encrypted
    RotateKey {
        /// Only make the new key known, for copying the file to all machines before it is used
        #[arg(long)]
        prepare: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Drop old keys once nothing is encrypted with them; each is kept in a file of its own
    ForgetKeys {
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Where the keys are, and those that are there.
struct Place {
    /// Their file, also when they are given otherwise.
    file: PathBuf,
    /// They are given as a setting: only who gives them can change them.
    given: bool,
    keys: SecretsKeys,
}

impl Place {
    fn find(config: &Config, data: &Path) -> anyhow::Result<Self> {
        let file = secrets_key::file(&config.secrets, data);
        if let Some(keys) = secrets_key::given(&config.secrets)? {
            return Ok(Self { file, given: true, keys });
        }
        let keys = secrets_key::load(&file)?;
        Ok(Self { file, given: false, keys })
    }

    /// Puts other keys in the place of those in the file.
    fn save(&mut self, keys: SecretsKeys) -> anyhow::Result<()> {
        secrets_key::save(&self.file, &keys)?;
        self.keys = keys;
        Ok(())
    }

    fn sealing(&self) -> KeyId {
        KeyId::of(&self.keys.seals)
    }
}

impl Command {
    pub fn run(self, settings: &Settings) -> anyhow::Result<Exit> {
        let config = settings.load(&[])?;
        let data = settings.data_dir(&config);
        block_on(async {
            let database = Database::open_or_join(&config, &data).await?;
            let outcome = match database.connect().await {
                Ok(store) => {
                    let outcome = match server::services(&config, &data, &store) {
                        Ok((identity, _)) => self.act(&config, &data, &identity).await,
                        Err(error) => Err(error),
                    };
                    store.close().await;
                    outcome
                }
                Err(error) => Err(error),
            };
            database.stop().await?;
            outcome
        })
    }

    async fn act(self, config: &Config, data: &Path, identity: &Identity) -> anyhow::Result<Exit> {
        if let Self::Status { json } = self {
            return status::status(&Place::find(config, data)?, identity, json).await;
        }
        let Some(lock) = exclusive(identity.store(), "secrets key").await? else {
            bail!("another process is changing the keys at this moment");
        };
        // Read only now: what another process changed counts.
        let place = Place::find(config, data)?;
        let outcome = match self {
            Self::ForgetKeys { yes, json } => forget::forget(place, identity, yes, json).await,
            Self::RotateKey { prepare: true, json } => {
                rotate::prepare(place, identity, Telling::new(json)).await
            }
            // The status was told before anything was locked.
            Self::RotateKey { json, .. } | Self::Status { json } => {
                rotate::rotate(place, identity, Telling::new(json)).await
            }
        };
        drop(lock);
        outcome
    }
}
