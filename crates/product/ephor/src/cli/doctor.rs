//! `ephor doctor`

use std::io::Write as _;

use ephor_store::{
    doctor::{self, Subject, Verdict},
    embedded::{SearchPlaces, Urls},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Format, Settings, block_on};
use crate::{exit::Exit, server};

/// Check that everything Ephor needs is there and safe.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor doctor
  ephor doctor --format json

The exit code is 1 when something does not work or is not safe.")]
pub struct Args {
    /// How to print what was found
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

impl Args {
    pub fn run(self, settings: &Settings) -> anyhow::Result<Exit> {
        let config = settings.load(&[])?;
        let data = settings.data_dir(&config);
        let database = &config.database;
        let embedded = database.url.expose_secret().is_empty();
        // The private server's passwords are there once it was started; before, there is nothing to ask.
        let own = if embedded { Urls::of_folder(&data).ok() } else { None };
        let given = |url: &SecretString| Some(url.expose_secret().to_owned());
        let url = |own_url: fn(&Urls) -> String, given_url: Option<String>| match &own {
            Some(urls) => Some(own_url(urls)),
            None => given_url,
        };
        let subject = Subject {
            data_folder: Some(data.clone()),
            embedded,
            places: SearchPlaces::of_this_machine(),
            app_url: url(Urls::app, if embedded { None } else { given(&database.url) }),
            system_url: url(Urls::system, database.system_url.as_ref().and_then(given)),
            sealer_url: url(Urls::sealer, database.sealer_url.as_ref().and_then(given)),
            migrate_url: url(Urls::migrate, database.migrate_url.as_ref().and_then(given)),
            seal_key: config
                .seal
                .key
                .expose_secret()
                .is_empty()
                .then(|| server::key_file(&config.seal, &data)),
        };
        let checks = block_on(async { Ok(doctor::examine(&subject).await) })?;
        let mut out = std::io::stdout().lock();
        match self.format.or_json(self.json) {
            Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&checks)?)?,
            Format::Table => {
                for check in &checks {
                    let word = match check.verdict {
                        Verdict::Ok => "ok  ",
                        Verdict::Warn => "warn",
                        Verdict::Fail => "FAIL",
                    };
                    writeln!(out, "{word}  {}: {}", check.name, check.found)?;
                    if let Some(advice) = &check.advice {
                        writeln!(out, "      {advice}")?;
                    }
                }
            }
        }
        Ok(if doctor::worst(&checks) == Verdict::Fail { Exit::Finding } else { Exit::Ok })
    }
}
