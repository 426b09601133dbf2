//! What goes on beside the requests: writing the keys' uses, sweeping what has ended.

use std::time::Duration;

use ephor_kernel::Problem;
use tokio::{sync::watch, task::JoinHandle, time};

use crate::identity::{Identity, database};

/// How often the uses of keys are written.
const FLUSH: Duration = Duration::from_secs(15);
/// How many flushes lie between two sweeps: an hour.
const FLUSHES_PER_SWEEP: u32 = 240;

/// Identity's work in the background, until it is shut down.
#[derive(Debug)]
pub struct IdentityTasks {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl IdentityTasks {
    /// Stops, after writing what was counted.
    pub async fn shutdown(self) {
        // Nobody listens any more when the task has ended by itself.
        let _ = self.stop.send(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "identity's background task failed");
        }
    }
}

impl Identity {
    /// Starts the work in the background.
    pub fn start(&self) -> IdentityTasks {
        let (stop, mut stopped) = watch::channel(false);
        let identity = self.clone();
        let task = tokio::spawn(async move {
            let mut ticks = time::interval(FLUSH);
            ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
            let mut flushes = 0_u32;
            loop {
                let last = tokio::select! {
                    _ = ticks.tick() => false,
                    _ = stopped.changed() => true,
                };
                if let Err(problem) = identity.flush_key_usage().await {
                    tracing::warn!(%problem, "the uses of API keys could not be written; they are kept");
                }
                if last {
                    return;
                }
                if flushes.is_multiple_of(FLUSHES_PER_SWEEP)
                    && let Err(problem) = identity.sweep().await
                {
                    tracing::warn!(%problem, "ended sessions could not be swept");
                }
                flushes = flushes.wrapping_add(1);
            }
        });
        IdentityTasks { stop, task }
    }

    /// Deletes sessions that ended, and links that expired, a month ago, the attempts counted
    /// yesterday, and data exports whose time is over; answers how many sessions (at most a thousand at a time).
    pub async fn sweep(&self) -> Result<u64, Problem> {
        let mut door = self.store().door().await?;
        let swept = sqlx::query_scalar!(r#"select sessions as "sessions!" from door.sweep()"#)
            .fetch_one(door.conn())
            .await
            .map_err(database)?;
        sqlx::query_scalar!("select door.data_exports_sweep()")
            .fetch_one(door.conn())
            .await
            .map_err(database)?;
        Ok(u64::try_from(swept).unwrap_or(0))
    }
}
