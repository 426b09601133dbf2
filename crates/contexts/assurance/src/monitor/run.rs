//! The job that runs a monitor.

use std::sync::Arc;

use async_trait::async_trait;
use ephor_kernel::Clock;
use ephor_store::jobs::{JobContext, JobFailure, JobHandler};

use super::{
    JOB_KIND, JobPayload,
    measure::measure,
    monitor_get,
    record::{monitor_failed, monitor_ran},
};
use crate::{Assurance, OpenDataset};

/// Runs monitors.
pub struct MonitorRunner {
    open_dataset: OpenDataset,
    clock: Arc<dyn Clock>,
}

impl MonitorRunner {
    /// A runner that opens data sets in the same way as the routes do.
    pub fn new(assurance: &Assurance, clock: Arc<dyn Clock>) -> Self {
        Self { open_dataset: Arc::clone(&assurance.open_dataset), clock }
    }
}

#[async_trait]
impl JobHandler for MonitorRunner {
    fn kind(&self) -> &'static str {
        JOB_KIND
    }

    async fn run(&self, job: JobContext) -> Result<(), JobFailure> {
        let JobPayload { monitor: id, at } = job.payload()?;
        let at = at.unwrap_or_else(|| self.clock.now());
        let mut tx = job.store().begin_system(job.scope()).await?;
        let monitor = monitor_get(&mut tx, id).await?;
        tx.commit().await?;
        // Paused since it was asked for.
        if monitor.status != "active" {
            return Ok(());
        }
        job.progress(0.0, "Reading the data").await;
        let cancel = job.cancelled();
        let measured = measure(&self.open_dataset, job.scope(), &monitor, at, &cancel).await?;
        job.progress(1.0, "Storing the result").await;
        let mut tx = job.store().begin_system(job.scope()).await?;
        monitor_ran(&mut tx, &monitor, &measured, job.id(), at).await?;
        tx.commit().await?;
        Ok(())
    }

    /// It is told on the monitor, for nobody waits for the job.
    async fn failed(&self, job: JobContext, reason: &str) -> Result<(), JobFailure> {
        let JobPayload { monitor, .. } = job.payload()?;
        let mut tx = job.store().begin_system(job.scope()).await?;
        monitor_failed(&mut tx, monitor, reason, self.clock.now()).await?;
        tx.commit().await?;
        Ok(())
    }
}
