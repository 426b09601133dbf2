//! What can go wrong with a cluster, in words that say where and what to do.

use std::{io, net::SocketAddr, path::PathBuf};

use ballista_core::error::BallistaError;
use datafusion::error::DataFusionError;
use ephor_fairness::RemoteError;

/// Why a part of a cluster did not start, or a cluster did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// An address that is none.
    #[error(
        "`{0}` is not the address of a part of a cluster: write HOST:PORT, such as 127.0.0.1:50050"
    )]
    Address(String),
    /// A file's address that is none.
    #[error(
        "`{0}` does not name a file that a cluster could read: it takes full paths, file:/// and s3://bucket/path"
    )]
    Location(String),
    /// Nobody is there.
    #[error(
        "no scheduler answers at {address}: {reason}. Is `ephor cluster scheduler` running there, and does the network let you through?"
    )]
    Unreachable {
        /// Where.
        address: String,
        /// Why.
        reason: String,
    },
    /// Somebody else is there.
    #[error(
        "what answers at {address} is not a scheduler of a cluster ({reason}). Name the address that `ephor cluster scheduler` printed"
    )]
    NoScheduler {
        /// Where.
        address: String,
        /// What it said.
        reason: String,
    },
    /// The scheduler has nobody who works.
    #[error(
        "the scheduler at {address} has had no executor for {seconds} s. Start one with `ephor cluster executor --scheduler {address}`"
    )]
    NoExecutors {
        /// Where.
        address: String,
        /// For how long.
        seconds: u64,
    },
    /// Parts of the cluster do not see the file.
    #[error(
        "a part of the cluster cannot read the data: {0}. The scheduler and every executor must see them under the same name: put them into a folder that all share, or into an object store"
    )]
    Unreadable(String),
    /// The job came to a bad end.
    #[error("the cluster at {address} could not do the work: {reason}")]
    Job {
        /// Where.
        address: String,
        /// Why, as its scheduler tells it.
        reason: String,
    },
    /// The file cannot be read here, where its columns are looked at.
    #[error("the data cannot be read: {0}")]
    Read(#[source] Box<DataFusionError>),
    /// It cannot listen.
    #[error("it cannot listen on {address}: {error}. Is the port taken? --listen names another")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// Others cannot be told where it is.
    #[error(
        "{0} stands for every address of this machine, and others need one: name it with --advertise"
    )]
    Advertise(SocketAddr),
    /// It cannot keep its files.
    #[error("{} cannot be used for intermediate results: {error}. --work-dir names another folder", folder.display())]
    Folder {
        /// Where.
        folder: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// A part of the cluster failed.
    #[error("the {part} failed: {reason}")]
    Failed {
        /// Which part.
        part: &'static str,
        /// Why.
        reason: String,
    },
}

impl ClusterError {
    pub(crate) fn failed(part: &'static str, error: &BallistaError) -> Self {
        Self::Failed { part, reason: error.to_string() }
    }
}

impl From<ClusterError> for DataFusionError {
    fn from(error: ClusterError) -> Self {
        Self::External(Box::new(RemoteError(error.to_string())))
    }
}
