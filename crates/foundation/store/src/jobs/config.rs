//! How the workers of a process behave: the section `[jobs]` of the configuration.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error};

/// How the workers of a process behave. In the configuration, times are seconds, whole or not.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkersConfig {
    /// How many jobs are run at once.
    pub concurrency: usize,
    /// How long running jobs may go on after [`WorkersHandle::shutdown`](super::WorkersHandle::shutdown),
    /// before they are handed back.
    #[serde(deserialize_with = "seconds")]
    pub drain: Duration,
    /// How long a job may go on after it was told to stop, before it is aborted.
    #[serde(deserialize_with = "seconds")]
    pub cancel_grace: Duration,
    /// How often a running job gives a sign of life.
    #[serde(deserialize_with = "seconds")]
    pub heartbeat: Duration,
    /// After how long without one its worker counts as dead; also, how long a job that was given out may wait
    /// to be begun.
    #[serde(deserialize_with = "seconds")]
    pub dead_after: Duration,
    /// How often to look for dead workers.
    #[serde(deserialize_with = "seconds")]
    pub recovery_interval: Duration,
    /// After how long an event that was not handled is handed to the queue again.
    #[serde(deserialize_with = "seconds")]
    pub lost_after: Duration,
    /// How long to wait before a failed job is tried again; doubled with each attempt.
    #[serde(deserialize_with = "seconds")]
    pub retry_after: Duration,
    /// How often progress is written, at most.
    #[serde(deserialize_with = "seconds")]
    pub progress_every: Duration,
}

impl Default for WorkersConfig {
    fn default() -> Self {
        Self {
            concurrency: std::thread::available_parallelism().map_or(2, usize::from),
            drain: Duration::from_secs(10),
            cancel_grace: Duration::from_secs(10),
            heartbeat: Duration::from_secs(5),
            dead_after: Duration::from_secs(20),
            recovery_interval: Duration::from_secs(5),
            lost_after: Duration::from_mins(10),
            retry_after: Duration::from_secs(2),
            progress_every: Duration::from_millis(250),
        }
    }
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(D::Error::custom)
}
