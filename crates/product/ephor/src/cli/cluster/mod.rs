//! `ephor cluster`: the parts of a cluster on which files are analysed by many machines.

mod executor;
mod scheduler;

use clap::Subcommand;
use ephor_cluster::ClusterError;

use super::{Settings, block_on};
use crate::exit::{Exit, UsageError};

/// Start the parts of a cluster, on which files are analysed by many machines.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  ephor cluster scheduler
  ephor cluster executor --scheduler 127.0.0.1:50050
  ephor analyze /shared/large.parquet --target label --protected sex --cluster 127.0.0.1:50050

One scheduler, any number of executors, all of the same version of Ephor; all must see the file under
the same path, or in an object store (region, endpoint and keys come from the usual AWS_* variables).
The protocol knows neither log-ins nor encryption: whoever reaches a port can have files read and written
as the user of the process, and any other query run. Both listen on this machine alone unless told
otherwise; use a private network.")]
pub enum Command {
    /// Plan jobs, and hand their tasks to executors
    Scheduler(scheduler::Args),
    /// Read data and count, for a scheduler
    Executor(executor::Args),
}

impl Command {
    pub fn run(self, settings: &Settings) -> anyhow::Result<Exit> {
        match self {
            Self::Scheduler(args) => args.run(settings),
            Self::Executor(args) => args.run(settings),
        }
    }
}

/// Whose fault it is decides the exit code.
fn told(error: ClusterError) -> anyhow::Error {
    match error {
        ClusterError::Address(_)
        | ClusterError::Location(_)
        | ClusterError::Advertise(_)
        | ClusterError::Folder { .. } => UsageError(error.to_string()).into(),
        error => error.into(),
    }
}
