//! `ephor cluster scheduler`

use std::{io::Write as _, net::SocketAddr, time::Duration};

use ephor_cluster::{Scheduler, SchedulerOptions};
use tokio::signal::unix::{SignalKind, signal};

use super::{Settings, block_on, told};
use crate::{exit::Exit, telemetry};

/// Plan jobs, and hand their tasks to executors.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor cluster scheduler
  ephor cluster scheduler --listen 10.0.0.1:50050 --executor-timeout 30
  ephor cluster scheduler --listen 0.0.0.0:50050 --advertise scheduler.internal

It keeps its jobs in memory: SIGTERM or Ctrl-C ends them, and whoever waits for one is told so.")]
pub struct Args {
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1:50050", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// The host by which executors reach it, where that is another
    #[arg(long, value_name = "HOST")]
    advertise: Option<String>,
    /// After how many seconds without a sign of life an executor is lost, and its work given to others
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    executor_timeout: u64,
    /// How often the same task may fail before its job does
    #[arg(long, default_value_t = 4, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..=100))]
    attempts: u8,
}

impl Args {
    pub fn run(self, settings: &Settings) -> anyhow::Result<Exit> {
        let config = settings.load(&[])?;
        let options = SchedulerOptions {
            listen: self.listen,
            advertise: self.advertise,
            executor_timeout: Duration::from_secs(self.executor_timeout),
            attempts: self.attempts.into(),
        };
        block_on(async {
            let _guard = telemetry::start(&config.log, &config.telemetry)?;
            let (mut interrupt, mut terminate) =
                (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
            let scheduler = Scheduler::bind(options).await.map_err(told)?;
            if !scheduler.address().ip().is_loopback() {
                tracing::warn!(
                    "whoever reaches this port can have files read and written, and any query run, as this user: the network must be private"
                );
            }
            let mut out = std::io::stdout();
            writeln!(out, "The scheduler listens on {}", scheduler.address())?;
            out.flush()?;
            let stop = async move {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                tracing::info!("stopping");
            };
            Box::pin(scheduler.run(stop)).await.map_err(told)?;
            Ok(Exit::Ok)
        })
    }
}
