//! The part that plans jobs and hands their tasks to executors.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use ballista_core::{config::TaskSchedulingPolicy, extension::SessionConfigExt as _};
use ballista_scheduler::{
    cluster::BallistaCluster,
    config::SchedulerConfig,
    scheduler_process::{create_scheduler, start_grpc_service_with_listener},
};
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use tokio::net::TcpListener;

use crate::{ClusterError, MESSAGE_BYTES, functions, stores};

/// How a scheduler runs.
#[derive(Debug, Clone)]
pub struct SchedulerOptions {
    /// Where it listens; with port 0 it takes a free one.
    pub listen: SocketAddr,
    /// The host by which executors reach it; by default the one that it listens on.
    pub advertise: Option<String>,
    /// An executor that was not heard of for so long is lost, and its work is given to others. Whole seconds, at least 1;
    /// longer than executors take between two signs of life.
    pub executor_timeout: Duration,
    /// How often the same task may fail before its job does.
    pub attempts: usize,
}

impl Default for SchedulerOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 50050)),
            advertise: None,
            executor_timeout: Duration::from_mins(1),
            attempts: 4,
        }
    }
}

/// A scheduler that listens, and answers as soon as it runs.
#[derive(Debug)]
pub struct Scheduler {
    listener: TcpListener,
    address: SocketAddr,
    options: SchedulerOptions,
}

impl Scheduler {
    /// Takes the port.
    ///
    /// # Errors
    /// [`ClusterError::Listen`], [`ClusterError::Advertise`].
    pub async fn bind(options: SchedulerOptions) -> Result<Self, ClusterError> {
        let listen = |error| ClusterError::Listen { address: options.listen, error };
        if options.advertise.is_none() && options.listen.ip().is_unspecified() {
            return Err(ClusterError::Advertise(options.listen));
        }
        let listener = TcpListener::bind(options.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        Ok(Self { listener, address, options })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Works until `stop` is done. Its jobs end with it: they are kept in memory.
    ///
    /// # Errors
    /// [`ClusterError::Failed`].
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), ClusterError> {
        let config = Arc::new(self.config());
        let failed = |error| ClusterError::failed("scheduler", &error);
        let cluster = BallistaCluster::new_from_config(&config).await.map_err(failed)?;
        let scheduler = create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, config)
            .await
            .map_err(failed)?;
        tokio::select! {
            served = start_grpc_service_with_listener(self.listener, scheduler) => served.map_err(failed),
            () = stop => Ok(()),
        }
    }

    fn config(&self) -> SchedulerConfig {
        let host = self.options.advertise.clone().unwrap_or_else(|| host(self.address));
        let seconds = self.options.executor_timeout.as_secs().max(1);
        SchedulerConfig {
            external_host: host,
            bind_host: self.address.ip().to_string(),
            bind_port: self.address.port(),
            scheduling_policy: TaskSchedulingPolicy::PushStaged,
            executor_timeout_seconds: seconds,
            expire_dead_executor_interval_seconds: (seconds / 4).max(1),
            no_executors_grace_period_seconds: seconds,
            executor_termination_grace_period: seconds.min(30),
            grpc_server_max_decoding_message_size: MESSAGE_BYTES,
            grpc_server_max_encoding_message_size: MESSAGE_BYTES,
            grpc_client_max_message_size: MESSAGE_BYTES,
            task_max_failures: self.options.attempts,
            stage_max_failures: self.options.attempts,
            // Who asks need reach nobody but the scheduler.
            enable_embedded_flight_proxy: true,
            override_config_producer: Some(Arc::new(SessionConfig::new_with_ballista)),
            override_session_builder: Some(Arc::new(|config| {
                Ok(functions::session(config, stores::runtime(None)?).build())
            })),
            ..SchedulerConfig::default()
        }
    }
}

/// The host of an address, as it stands in an URL.
pub(crate) fn host(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}
