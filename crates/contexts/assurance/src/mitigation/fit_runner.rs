//! The job that computes a mitigation.

use std::sync::Arc;

use async_trait::async_trait;
use ephor_fairness::{AnalysisError, CancellationToken, MitigationArtifact, MitigationSpec};
use ephor_kernel::MitigationId;
use ephor_store::jobs::{JobContext, JobFailure, JobHandler};
use tokio::sync::watch;

use super::{
    FIT_JOB, FitPayload, Mitigation, mitigation_get,
    record::{mitigation_completed, mitigation_failed, mitigation_started},
};
use crate::{Assurance, OpenDataset, runner::pass_on};

/// Computes mitigations.
pub struct FitRunner {
    open_dataset: OpenDataset,
}

impl FitRunner {
    /// A runner that opens data sets in the same way as the routes do.
    pub fn new(assurance: &Assurance) -> Self {
        Self { open_dataset: Arc::clone(&assurance.open_dataset) }
    }
}

#[async_trait]
impl JobHandler for FitRunner {
    fn kind(&self) -> &'static str {
        FIT_JOB
    }

    async fn run(&self, job: JobContext) -> Result<(), JobFailure> {
        let FitPayload { mitigation: id } = job.payload()?;
        // It is done, or somebody deleted it.
        let Some((mitigation, dataset)) = begin(&job, id).await? else { return Ok(()) };
        let mut artifact = self.fit(&job, &mitigation).await?;
        artifact.data.source = Some(dataset);
        job.progress(1.0, "Storing the artefact").await;
        let mut tx = job.store().begin_system(job.scope()).await?;
        mitigation_completed(&mut tx, id, &artifact).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn failed(&self, job: JobContext, reason: &str) -> Result<(), JobFailure> {
        let FitPayload { mitigation } = job.payload()?;
        let mut tx = job.store().begin_system(job.scope()).await?;
        mitigation_failed(&mut tx, mitigation, reason).await?;
        tx.commit().await?;
        Ok(())
    }
}

impl FitRunner {
    /// Reads and computes. No transaction is open meanwhile.
    async fn fit(
        &self,
        job: &JobContext,
        mitigation: &Mitigation,
    ) -> Result<MitigationArtifact, JobFailure> {
        let spec: MitigationSpec =
            serde_json::from_value(mitigation.parameters.clone()).map_err(|error| {
                JobFailure::fatal(format!("The specification cannot be read: {error}"))
            })?;
        job.progress(0.0, "Opening the data set").await;
        let table = (self.open_dataset)(job.scope().clone(), mitigation.dataset_id).await?;
        let frame = table.dataframe().map_err(|error| JobFailure::fatal(error.to_string()))?;
        let (tell, told) = watch::channel((0, None));
        let progress = move |done: u64, total: Option<u64>| {
            tell.send_replace((done, total));
        };
        let cancel: CancellationToken = job.cancelled();
        let outcome = tokio::select! {
            outcome = ephor_fairness::mitigation::fit(frame, &spec, &progress, &cancel) => outcome,
            never = pass_on(job, told) => match never {},
        };
        outcome.map_err(failure)
    }
}

/// What is wrong with the question stays wrong; what could not be read may be read later.
pub(super) fn failure(error: AnalysisError) -> JobFailure {
    match error {
        AnalysisError::Cancelled => JobFailure::Cancelled,
        AnalysisError::Invalid(_) => JobFailure::fatal(error.to_string()),
        AnalysisError::Read(_) | AnalysisError::Remote(_) | AnalysisError::Engine(_) => {
            JobFailure::retry(error.to_string())
        }
    }
}

/// Marks it as running; with the data set's name. `None` when it has come to its end already.
async fn begin(
    job: &JobContext,
    id: MitigationId,
) -> Result<Option<(Mitigation, String)>, JobFailure> {
    let mut tx = job.store().begin_system(job.scope()).await?;
    let begun = if mitigation_started(&mut tx, id).await? {
        let mitigation = mitigation_get(&mut tx, id).await?;
        let name = sqlx::query_scalar!(
            "select name from registry.datasets where organization_id = $1 and id = $2",
            tx.organization().uuid(),
            mitigation.dataset_id.uuid(),
        )
        .fetch_one(tx.conn())
        .await?;
        Some((mitigation, name))
    } else {
        None
    };
    tx.commit().await?;
    Ok(begun)
}
