//! The part that reads data and counts.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ballista_core::{config::TaskSchedulingPolicy, extension::SessionConfigExt as _};
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use datafusion::prelude::SessionConfig;
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use crate::{Address, ClusterError, MESSAGE_BYTES, functions, probe, scheduler::host, stores};

/// Results that nobody fetched are removed after so long.
const KEPT: Duration = Duration::from_hours(1);
/// How long running tasks may take to end when the executor is told to.
const DRAIN: Duration = Duration::from_mins(1);

/// How an executor runs.
#[derive(Debug, Clone)]
pub struct ExecutorOptions {
    /// Its scheduler.
    pub scheduler: Address,
    /// Where it hands out results; with port 0 it takes a free one.
    pub listen: SocketAddr,
    /// The port on which it is given tasks; 0 for a free one, and by default the one after `listen`'s.
    pub task_port: Option<u16>,
    /// The host by which the scheduler and other executors reach it; by default the one that its connection comes from.
    pub advertise: Option<String>,
    /// The folder for intermediate results, which are removed at the end; by default the system's for temporary files.
    pub work_dir: Option<PathBuf>,
    /// How many tasks run at once.
    pub slots: usize,
    /// The memory that tasks may use together before they spill, in bytes; by default 70 % of the machine's.
    pub memory_bytes: Option<u64>,
    /// How often it says that it is alive. Whole seconds, at least 1.
    pub heartbeat: Duration,
    /// How long it waits for its scheduler at the start. Whole seconds, at least 1.
    pub patience: Duration,
}

impl ExecutorOptions {
    /// The defaults, for an executor of this scheduler.
    pub fn new(scheduler: Address) -> Self {
        Self {
            scheduler,
            listen: SocketAddr::from(([127, 0, 0, 1], 50051)),
            task_port: None,
            advertise: None,
            work_dir: None,
            slots: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: None,
            heartbeat: Duration::from_secs(10),
            patience: Duration::from_secs(30),
        }
    }
}

/// Why an executor ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It was told to, by SIGINT or SIGTERM.
    Told,
    /// Its scheduler told it to, or was not there any more.
    Scheduler,
}

/// An executor that has its ports and its folder.
#[derive(Debug)]
pub struct Executor {
    options: ExecutorOptions,
    address: SocketAddr,
    task_port: u16,
    folder: TempDir,
}

impl Executor {
    /// Finds ports, and makes the folder.
    ///
    /// # Errors
    /// [`ClusterError::Listen`], [`ClusterError::Folder`].
    pub fn prepare(options: ExecutorOptions) -> Result<Self, ClusterError> {
        let base = options.work_dir.clone().unwrap_or_else(std::env::temp_dir);
        let folder = std::fs::create_dir_all(&base)
            .and_then(|()| tempfile::Builder::new().prefix("ephor-executor-").tempdir_in(&base))
            .map_err(|error| ClusterError::Folder { folder: base, error })?;
        // Both ports are held until both are known, so that they differ.
        let (address, _held) = free(options.listen)?;
        let next = match options.task_port {
            Some(port) => port,
            None if options.listen.port() == 0 => 0,
            None => address.port().wrapping_add(1),
        };
        let (task, _held) = free(SocketAddr::new(address.ip(), next))?;
        Ok(Self { options, address, task_port: task.port(), folder })
    }

    /// Where it hands out results.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The folder of intermediate results.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Works until SIGINT, SIGTERM or its scheduler says stop; then tasks that run may end, for a minute at most.
    ///
    /// # Errors
    /// [`ClusterError::Unreachable`], [`ClusterError::NoScheduler`], [`ClusterError::Failed`].
    pub async fn run(self) -> Result<Stopped, ClusterError> {
        self.wait_for_scheduler().await?;
        let work = start_executor_process(Arc::new(self.config()));
        let (told, mut is_told) = tokio::sync::watch::channel(false);
        let signals = async move {
            // Ballista hears them too, and stops.
            stop_signal().await;
            told.send_replace(true);
            tokio::time::sleep(DRAIN).await;
        };
        let outcome = tokio::select! {
            ended = work => ended.map_err(|error| ClusterError::failed("executor", &error)),
            () = signals => {
                tracing::warn!("some tasks did not end in time and were cut off");
                Ok(())
            }
        };
        let stopped = if *is_told.borrow_and_update() { Stopped::Told } else { Stopped::Scheduler };
        outcome.map(|()| stopped)
    }

    /// Executors may be started before their scheduler is.
    async fn wait_for_scheduler(&self) -> Result<(), ClusterError> {
        let ExecutorOptions { scheduler, patience, .. } = &self.options;
        let deadline = tokio::time::Instant::now() + *patience;
        loop {
            match probe::has_executors(scheduler, *patience).await {
                Err(ClusterError::Unreachable { .. }) if tokio::time::Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                outcome => return outcome.map(drop),
            }
        }
    }

    fn config(&self) -> ExecutorProcessConfig {
        let folder = self.folder.path().to_owned();
        let options = &self.options;
        ExecutorProcessConfig {
            bind_host: host(self.address),
            external_host: options.advertise.clone(),
            port: self.address.port(),
            grpc_port: self.task_port,
            scheduler_host: options.scheduler.host().to_owned(),
            scheduler_port: options.scheduler.port(),
            // It was waited for: one attempt.
            scheduler_connect_timeout_seconds: 0,
            vcores: options.slots.max(1),
            task_scheduling_policy: TaskSchedulingPolicy::PushStaged,
            work_dir: Some(folder.display().to_string()),
            job_data_ttl_seconds: KEPT.as_secs(),
            job_data_clean_up_interval_seconds: KEPT.as_secs() / 4,
            grpc_max_decoding_message_size: MESSAGE_BYTES,
            grpc_max_encoding_message_size: MESSAGE_BYTES,
            executor_heartbeat_interval_seconds: options.heartbeat.as_secs().max(1),
            memory_pool_size: options.memory_bytes,
            override_function_registry: Some(Arc::new(functions::registry())),
            override_runtime_producer: Some(Arc::new(move |_| stores::runtime(Some(&folder)))),
            override_config_producer: Some(Arc::new(|| {
                SessionConfig::new_with_ballista()
                    .with_ballista_grpc_client_max_message_size(MESSAGE_BYTES as usize)
            })),
            ..ExecutorProcessConfig::default()
        }
    }
}

/// The address with a free port, and what holds it for now.
fn free(address: SocketAddr) -> Result<(SocketAddr, TcpListener), ClusterError> {
    let listen = |error| ClusterError::Listen { address, error };
    let held = TcpListener::bind(address).map_err(listen)?;
    Ok((held.local_addr().map_err(listen)?, held))
}

/// Waits for SIGINT or SIGTERM.
async fn stop_signal() {
    let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, terminate) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
