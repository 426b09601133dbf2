//! `ephor serve`

use std::io::Write as _;

use super::{Settings, block_on};
use crate::{exit::Exit, server, telemetry};

/// Start the server: console, API and background work.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor serve                                   with a private PostgreSQL in the data folder
  DATABASE_URL=postgres://… ephor serve         with one of your own
  ephor serve --bind 0.0.0.0:8080 --config /etc/ephor.toml")]
pub struct Args {
    /// The address to listen on, instead of server.bind
    #[arg(long, value_name = "ADDRESS:PORT")]
    bind: Option<String>,
}

impl Args {
    pub fn run(self, settings: &Settings) -> anyhow::Result<Exit> {
        let config = settings.load(&[("server.bind", self.bind)])?;
        let data = settings.data_dir(&config);
        block_on(async {
            let _guard = telemetry::start(&config.log, &config.telemetry)?;
            Box::pin(server::run(&config, &data, |serving| async move {
                let mut out = std::io::stdout().lock();
                writeln!(out, "Ephor listens on http://{}", serving.address)?;
                Ok(out.flush()?)
            }))
            .await?;
            Ok(Exit::Ok)
        })
    }
}
