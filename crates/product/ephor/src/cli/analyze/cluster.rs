//! `ephor analyze --cluster`: the same analysis, with the file read by many machines.

use std::{
    fs::File,
    io::{ErrorKind, Read as _},
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use ephor_cluster::{Address, Cluster, ClusterError, ClusterOptions, Location};
use ephor_fairness::{AnalysisError, DataFrame};
use ephor_tabular::{Destination, OpenOptions, TabularError, convert_to_parquet};
use object_store::{ObjectStore, local::LocalFileSystem};
use tempfile::TempPath;
use tokio_util::{io::ReaderStream, sync::CancellationToken};

use super::file;
use crate::exit::UsageError;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "By many machines")]
pub struct ClusterArgs {
    /// The scheduler of the cluster that reads the file, instead of this machine; `ephor cluster` starts one
    #[arg(long, value_name = "HOST:PORT")]
    cluster: Option<Address>,
    /// A folder that this machine and the whole cluster see under one path: what is not Parquet lies there as such meanwhile
    #[arg(long, value_name = "FOLDER", requires = "cluster")]
    shared: Option<PathBuf>,
    /// Into how many parts the cluster splits the file; by default up to 32, of 1 MiB at least
    #[arg(long, value_name = "NUMBER", requires = "cluster", value_parser = clap::value_parser!(u16).range(1..))]
    cluster_parts: Option<u16>,
    /// For how many seconds the cluster may be without any executor, or without an answer; 30 by default
    #[arg(long, value_name = "SECONDS", requires = "cluster", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    cluster_patience: Option<u64>,
}

impl ClusterArgs {
    pub fn is_given(&self) -> bool {
        self.cluster.is_some()
    }

    /// The cluster, if one was named.
    pub fn cluster(&self) -> Option<Cluster> {
        let mut options = ClusterOptions::default();
        if let Some(parts) = self.cluster_parts {
            options.partitions = parts.into();
            options.least_part_bytes = 1;
        }
        if let Some(seconds) = self.cluster_patience {
            options.patience = Duration::from_secs(seconds);
        }
        Some(Cluster::new(self.cluster.clone()?, options))
    }

    /// Does the work on the cluster, until it is done or Ctrl-C is pressed, which ends it there too.
    pub async fn with_table<T>(
        &self,
        cluster: &Cluster,
        file: &Path,
        only: Option<Vec<String>>,
        memory: usize,
        work: impl AsyncFnOnce(DataFrame, &CancellationToken) -> Result<T, AnalysisError>,
    ) -> anyhow::Result<T> {
        cluster.ready().await?;
        // It goes when the work is done.
        let converted = if is_parquet(file)? {
            None
        } else {
            Some(self.convert(file, only.clone(), memory).await?)
        };
        let path = converted.as_deref().unwrap_or(file);
        // What is broken is said here, and in the same words as without a cluster.
        let table = file::open(path, only, memory).await?;
        let place = Location::file(&absolute(path)?).map_err(usage)?;
        let frame = cluster.table(&place, Some(table.rows())).await.map_err(usage)?;
        let outcome = file::until_stopped(async |cancel| work(frame, cancel).await).await;
        cluster.settle().await;
        outcome
    }

    /// The file as Parquet in the folder that all share.
    async fn convert(
        &self,
        file: &Path,
        only: Option<Vec<String>>,
        memory: usize,
    ) -> anyhow::Result<TempPath> {
        let Some(shared) = &self.shared else {
            return Err(UsageError(format!(
                "a cluster reads Parquet, and {} is none: name a folder that this machine and the whole cluster see under one path with --shared, to have it put there as Parquet meanwhile",
                file::named(file)
            ))
            .into());
        };
        let shown = shared.display();
        let held = tempfile::Builder::new().prefix("ephor-").suffix(".parquet").tempfile_in(shared);
        let held =
            held.map_err(|error| UsageError(format!("{shown} cannot be written to: {error}")))?;
        let path = held.into_temp_path();
        let store = LocalFileSystem::new_with_prefix(shared)?;
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let destination = Destination {
            store: Arc::new(store) as Arc<dyn ObjectStore>,
            path: object_store::path::Path::from(name),
        };
        let options = OpenOptions { only, memory_bytes: memory << 20, ..OpenOptions::default() };
        let cancel = CancellationToken::new();
        let stop = cancel.clone();
        let ctrl_c = tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                stop.cancel();
            }
        });
        let converted = if file.as_os_str() == "-" {
            let body = ReaderStream::new(tokio::io::stdin());
            convert_to_parquet(body, &destination, options, &|_| {}, &cancel).await
        } else {
            let opened =
                tokio::fs::File::open(file).await.map_err(|error| missing(file, &error))?;
            let body = ReaderStream::new(opened);
            convert_to_parquet(body, &destination, options, &|_| {}, &cancel).await
        };
        ctrl_c.abort();
        converted.map_err(|error| match error {
            // Nothing is wrong with the file.
            TabularError::Cancelled => anyhow::Error::from(AnalysisError::Cancelled),
            error => file::unreadable(error),
        })?;
        Ok(path)
    }
}

/// Does it begin as Parquet does? Standard input is never read twice, so it is none.
fn is_parquet(file: &Path) -> anyhow::Result<bool> {
    if file.as_os_str() == "-" {
        return Ok(false);
    }
    let mut start = [0; 4];
    let read = File::open(file).and_then(|mut opened| opened.read_exact(&mut start));
    match read {
        Ok(()) => Ok(&start == b"PAR1" || &start == b"PARE"),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(missing(file, &error)),
    }
}

/// From the root on, as it was named: the place where a link leads may be another on the cluster's machines. What is above a
/// link is above where that leads, so `..` has to be resolved here.
fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    let found = if path.components().any(|part| part == Component::ParentDir) {
        std::fs::canonicalize(path)
    } else {
        std::path::absolute(path)
    };
    found.with_context(|| format!("{} cannot be found", path.display()))
}

fn missing(file: &Path, error: &std::io::Error) -> anyhow::Error {
    UsageError(format!("{} cannot be read: {error}", file.display())).into()
}

fn usage(error: ClusterError) -> anyhow::Error {
    UsageError(error.to_string()).into()
}
