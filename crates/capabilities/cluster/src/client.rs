//! Who asks a cluster: tables whose plans run there.

use std::{path::Path, sync::Arc, time::Duration};

use ballista_core::{
    config::{
        BALLISTA_CLIENT_GRPC_CONNECT_TIMEOUT_SECONDS, BALLISTA_CLIENT_IO_RETRY_WAIT_TIME_MS,
        BALLISTA_CLIENT_PULL,
    },
    extension::SessionConfigExt as _,
    serde::protobuf::{CancelJobParams, scheduler_grpc_client::SchedulerGrpcClient},
    utils::{GrpcClientConfig, create_grpc_client_endpoint},
};
use datafusion::{
    datasource::{
        file_format::parquet::ParquetFormat,
        listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl},
    },
    error::DataFusionError,
    prelude::{DataFrame, SessionConfig, SessionContext},
};
use ephor_fairness::Remote;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::TaskTracker;
use url::Url;

use crate::{Address, ClusterError, MESSAGE_BYTES, functions, job::JobPlanner, probe, stores};

/// How often the scheduler is asked whether it still has executors.
const LOOK: Duration = Duration::from_millis(500);
/// How long a cancellation may take to reach the scheduler.
const CANCEL: Duration = Duration::from_secs(5);

/// How a cluster is asked.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// Into how many parts a table is split at most: with more than there are slots, less work is lost with an executor.
    pub partitions: usize,
    /// The packed size of a part at least, in bytes.
    pub least_part_bytes: u64,
    /// How long the cluster may be without any executor, or without an answer, before a job is given up.
    pub patience: Duration,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self { partitions: 32, least_part_bytes: 1 << 20, patience: Duration::from_secs(30) }
    }
}

/// Where data lie that all of a cluster sees under the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location(Url);

impl Location {
    /// A file in a folder that all share; the path begins at the root.
    ///
    /// # Errors
    /// [`ClusterError::Location`].
    pub fn file(path: &Path) -> Result<Self, ClusterError> {
        let wrong = || ClusterError::Location(path.display().to_string());
        Url::from_file_path(path).map(Self).map_err(|()| wrong())
    }

    /// `s3://bucket/path` (region, endpoint and keys come from the `AWS_*` variables of each part), or `file:///path`.
    ///
    /// # Errors
    /// [`ClusterError::Location`].
    pub fn url(text: &str) -> Result<Self, ClusterError> {
        let wrong = || ClusterError::Location(text.to_owned());
        let url = Url::parse(text).map_err(|_| wrong())?;
        let is_place = match url.scheme() {
            "s3" => url.host_str().is_some_and(|bucket| !bucket.is_empty()),
            "file" => url.host_str().is_none_or(str::is_empty),
            _ => false,
        };
        let is_file = !url.path().ends_with('/') && !url.path().is_empty();
        if is_place && is_file { Ok(Self(url)) } else { Err(wrong()) }
    }
}

/// A cluster, known by the address of its scheduler. A clone is the same.
#[derive(Debug, Clone)]
pub struct Cluster {
    address: Address,
    options: ClusterOptions,
    /// Cancellations that are on their way.
    leaving: TaskTracker,
}

impl Cluster {
    /// The cluster of the scheduler at this address. Nobody is asked yet.
    pub fn new(address: Address, options: ClusterOptions) -> Self {
        Self { address, options, leaving: TaskTracker::new() }
    }

    /// Where its scheduler is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// A Parquet file as a table whose plans run on the cluster; `rows` are those that it is known to have, and that the
    /// cluster must find there. Its columns are looked at from here, so that this machine must see the file as well.
    ///
    /// # Errors
    /// [`ClusterError::Read`].
    pub async fn table(
        &self,
        location: &Location,
        rows: Option<u64>,
    ) -> Result<DataFrame, ClusterError> {
        self.listed(location, rows).await.map_err(|error| ClusterError::Read(Box::new(error)))
    }

    async fn listed(
        &self,
        location: &Location,
        rows: Option<u64>,
    ) -> Result<DataFrame, DataFusionError> {
        let config = SessionConfig::new_with_ballista()
            .with_target_partitions(self.options.partitions.max(1))
            .with_ballista_grpc_client_max_message_size(MESSAGE_BYTES as usize)
            .set_u64(
                "datafusion.optimizer.repartition_file_min_size",
                self.options.least_part_bytes,
            )
            .set_bool(BALLISTA_CLIENT_PULL, true)
            .set_u64(
                BALLISTA_CLIENT_GRPC_CONNECT_TIMEOUT_SECONDS,
                self.options.patience.as_secs().max(1),
            )
            .set_u64(BALLISTA_CLIENT_IO_RETRY_WAIT_TIME_MS, 500)
            .with_extension(Arc::new(Remote { rows }));
        let state = functions::session(config, stores::runtime(None)?)
            .with_query_planner(Arc::new(JobPlanner::new(self.clone())))
            .build();
        let format = ParquetFormat::default().with_force_view_types(false);
        let options = ListingOptions::new(Arc::new(format)).with_file_extension("");
        let url = ListingTableUrl::try_new(location.0.clone(), None)?;
        let table =
            ListingTableConfig::new(url).with_listing_options(options).infer_schema(&state).await?;
        let table = ListingTable::try_new(table)?;
        SessionContext::new_with_state(state).read_table(Arc::new(table))
    }

    /// Waits until the scheduler has an executor.
    ///
    /// # Errors
    /// [`ClusterError::Unreachable`] or [`ClusterError::NoScheduler`] at once, [`ClusterError::NoExecutors`] after the
    /// patience that was given.
    pub async fn ready(&self) -> Result<(), ClusterError> {
        let deadline = Instant::now() + self.options.patience;
        loop {
            if probe::has_executors(&self.address, self.options.patience).await? {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(self.no_executors());
            }
            sleep(LOOK).await;
        }
    }

    /// Comes to an end only if the cluster has had no executor, or has not answered, for as long as the patience.
    pub(crate) async fn forsaken(&self) -> ClusterError {
        let mut heard = Instant::now();
        loop {
            sleep(LOOK).await;
            let found = probe::has_executors(&self.address, self.options.patience).await;
            let why = match found {
                Ok(true) => {
                    heard = Instant::now();
                    continue;
                }
                Ok(false) => self.no_executors(),
                Err(why) => why,
            };
            if heard.elapsed() >= self.options.patience {
                return why;
            }
        }
    }

    fn no_executors(&self) -> ClusterError {
        ClusterError::NoExecutors {
            address: self.address.to_string(),
            seconds: self.options.patience.as_secs(),
        }
    }

    /// Tells the scheduler, in the background, to stop a job.
    pub(crate) fn cancel(&self, job: String) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let url = self.address.url();
        self.leaving.spawn_on(
            async move {
                let told = timeout(CANCEL, cancel(url, job.clone())).await;
                match told {
                    Ok(Ok(())) => tracing::info!(job, "cancelled on the cluster"),
                    Ok(Err(error)) => tracing::warn!(job, error, "not cancelled on the cluster"),
                    Err(_) => tracing::warn!(job, "the cluster does not answer a cancellation"),
                }
            },
            &runtime,
        );
    }

    /// Waits until all cancellations have reached the scheduler, for some seconds at most. Before the process ends.
    pub async fn settle(&self) {
        self.leaving.close();
        self.leaving.wait().await;
    }
}

async fn cancel(url: String, job: String) -> Result<(), String> {
    let endpoint = create_grpc_client_endpoint(url, Some(&GrpcClientConfig::default()))
        .map_err(|error| error.to_string())?;
    let connection = endpoint.connect().await.map_err(|error| error.to_string())?;
    SchedulerGrpcClient::new(connection)
        .cancel_job(CancelJobParams { job_id: job })
        .await
        .map_err(|status| status.to_string())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_all_can_see() {
        let spaced = Location::file(Path::new("/data/a b*.parquet")).unwrap();
        assert_eq!(spaced.0.as_str(), "file:///data/a%20b*.parquet");
        for text in ["s3://bucket/a.parquet", "s3://bucket/x/y", "file:///data/a.parquet"] {
            assert_eq!(Location::url(text).unwrap().0.as_str(), text);
        }
        for text in [
            "",
            "a.parquet",
            "/a",
            "s3://",
            "s3://bucket",
            "s3://bucket/",
            "http://a/b",
            "file://host/a",
        ] {
            assert!(Location::url(text).is_err(), "{text}");
        }
        assert!(Location::file(Path::new("a.parquet")).is_err());
    }
}
