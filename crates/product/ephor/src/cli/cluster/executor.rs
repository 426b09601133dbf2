//! `ephor cluster executor`

use std::{io::Write as _, net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::bail;
use ephor_cluster::{Address, Executor, ExecutorOptions, Stopped};

use super::{Settings, block_on, told};
use crate::{exit::Exit, telemetry};

/// Read data and count, for a scheduler.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor cluster executor --scheduler 127.0.0.1:50050
  ephor cluster executor --scheduler 10.0.0.1:50050 --listen 10.0.0.2:50051 --slots 16 --work-dir /scratch
  ephor cluster executor --scheduler 127.0.0.1:50050 --listen 127.0.0.1:0     a second one on the same machine

SIGTERM or Ctrl-C stops it: it takes no more tasks, and those that run may end, for a minute at most.
When its scheduler is gone it ends with exit code 3, so that whoever watches over it starts it again.")]
pub struct Args {
    /// The scheduler
    #[arg(long, value_name = "HOST:PORT")]
    scheduler: Address,
    /// The address to hand out results on; with port 0 a free one
    #[arg(long, default_value = "127.0.0.1:50051", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// The port to take tasks on; by default the one after the other
    #[arg(long, value_name = "PORT")]
    task_port: Option<u16>,
    /// The host by which scheduler and executors reach it; by default where its connection comes from
    #[arg(long, value_name = "HOST")]
    advertise: Option<String>,
    /// The folder for intermediate results, which it removes at its end; by default that for temporary files
    #[arg(long, value_name = "FOLDER")]
    work_dir: Option<PathBuf>,
    /// How many tasks run at once; by default as many as there are processors
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    slots: Option<u16>,
    /// The memory that tasks may use together before they spill to disk, in MiB; by default 70 % of the machine's
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(64..))]
    memory: Option<u64>,
    /// After how many seconds it says again that it is alive; well below the scheduler's --executor-timeout
    #[arg(long, default_value_t = 10, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    heartbeat: u64,
    /// How many seconds it waits for its scheduler at the start
    #[arg(long, default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    patience: u64,
}

impl Args {
    pub fn run(self, settings: &Settings) -> anyhow::Result<Exit> {
        let config = settings.load(&[])?;
        let defaults = ExecutorOptions::new(self.scheduler.clone());
        let options = ExecutorOptions {
            listen: self.listen,
            task_port: self.task_port,
            advertise: self.advertise,
            work_dir: self.work_dir,
            slots: self.slots.map_or(defaults.slots, usize::from),
            memory_bytes: self.memory.map(|mib| mib << 20),
            heartbeat: Duration::from_secs(self.heartbeat),
            patience: Duration::from_secs(self.patience),
            ..defaults
        };
        block_on(async {
            let _guard = telemetry::start(&config.log, &config.telemetry)?;
            let executor = Executor::prepare(options).map_err(told)?;
            if !executor.address().ip().is_loopback() {
                tracing::warn!(
                    "whoever reaches these ports can have files read and written, and any query run, as this user: the network must be private"
                );
            }
            let mut out = std::io::stdout();
            writeln!(out, "The executor listens on {}", executor.address())?;
            out.flush()?;
            match Box::pin(executor.run()).await.map_err(told)? {
                Stopped::Told => Ok(Exit::Ok),
                Stopped::Scheduler => {
                    bail!(
                        "the scheduler at {} has gone, or told this executor to stop",
                        self.scheduler
                    )
                }
            }
        })
    }
}
