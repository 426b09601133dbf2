//! What goes on beside the requests: writing the keys' uses, sweeping what has ended.

use std::time::Duration;

use ephor_kernel::Problem;
use ephor_store::{Background, Pulse};

use crate::identity::{Identity, database};

/// How often the uses of keys are written.
const FLUSH: Duration = Duration::from_secs(15);
/// How many flushes lie between two sweeps: an hour.
const FLUSHES_PER_SWEEP: u32 = 240;

impl Identity {
    /// Starts the work in the background; shutting it down writes what was counted.
    pub fn start(&self) -> Background {
        let identity = self.clone();
        let mut flushes = 0_u32;
        Background::every("identity", FLUSH, move || {
            let identity = identity.clone();
            let sweeps = flushes.is_multiple_of(FLUSHES_PER_SWEEP);
            flushes = flushes.wrapping_add(1);
            async move {
                let written = identity.flush_key_usage().await;
                identity.store().pulse().told("identity", Pulse::SILENCE, &written);
                if let Err(problem) = written {
                    tracing::warn!(%problem, "the uses of API keys could not be written; they are kept");
                }
                if sweeps && let Err(problem) = identity.sweep().await {
                    identity.store().pulse().fault("identity", Pulse::SILENCE, &problem);
                    tracing::warn!(%problem, "ended sessions could not be swept");
                }
            }
        })
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
