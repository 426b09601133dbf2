//! `ephor worker`

use super::{Settings, block_on};
use crate::{
    exit::{Exit, UsageError},
    server, telemetry,
};

/// Work on background jobs only, beside servers on the same database.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  DATABASE_URL=postgres://… ephor worker --concurrency 4")]
pub struct Args {
    /// Jobs at once, instead of jobs.concurrency
    #[arg(long, value_name = "NUMBER")]
    concurrency: Option<usize>,
}

impl Args {
    pub fn run(self, settings: &Settings) -> anyhow::Result<Exit> {
        let concurrency = self.concurrency.map(|number| number.to_string());
        let config = settings.load(&[("jobs.concurrency", concurrency)])?;
        if config.jobs.concurrency == 0 {
            return Err(UsageError(
                "a worker with jobs.concurrency = 0 would do nothing; --concurrency 2 is a start"
                    .into(),
            )
            .into());
        }
        let data = settings.data_dir(&config);
        block_on(async {
            let _guard = telemetry::start(&config.log, &config.telemetry)?;
            server::work(&config, &data).await?;
            Ok(Exit::Ok)
        })
    }
}
