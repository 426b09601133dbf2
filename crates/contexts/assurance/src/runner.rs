//! The job that runs an analysis.

use std::{convert::Infallible, sync::Arc};

use async_trait::async_trait;
use ephor_fairness::{
    AnalysisError, CancellationToken, DataFrame,
    task::{self, TaskResult, TaskSpec},
};
use ephor_kernel::{AnalysisId, DatasetId, DomainEvent};
use ephor_store::jobs::{JobContext, JobFailure, JobHandler};
use ephor_tabular::Table;
use tokio::sync::watch;

use crate::{
    Assurance, OpenDataset, ReadElsewhere,
    analysis::{
        Analysis, JOB_KIND, JobPayload, analysis_cancelled, analysis_completed, analysis_failed,
        analysis_get, analysis_started,
    },
};

/// The share of the work that is left when all rows are read: intervals and recommendations.
const SCAN_SHARE: f64 = 0.9;
/// The largest result: a field of the database holds little more, and nobody reads as much.
const MAX_RESULT_BYTES: usize = 128 << 20;

/// Runs bias analyses.
pub struct AnalysisRunner {
    open_dataset: OpenDataset,
    read_elsewhere: Option<ReadElsewhere>,
}

impl AnalysisRunner {
    /// A runner that opens data sets in the same way as the routes do.
    pub fn new(assurance: &Assurance) -> Self {
        Self {
            open_dataset: Arc::clone(&assurance.open_dataset),
            read_elsewhere: assurance.read_elsewhere.clone(),
        }
    }
}

#[async_trait]
impl JobHandler for AnalysisRunner {
    fn kind(&self) -> &'static str {
        JOB_KIND
    }

    async fn run(&self, job: JobContext) -> Result<(), JobFailure> {
        let JobPayload { analysis: id } = job.payload()?;
        let Some(analysis) = begin(&job, id).await? else { return Ok(()) };
        match self.analyse(&job, &analysis).await {
            Ok(result) => {
                job.progress(1.0, "Storing the result").await;
                let mut tx = job.store().begin_system(job.scope()).await?;
                analysis_completed(&mut tx, id, result).await?;
                tx.commit().await?;
                Ok(())
            }
            Err(JobFailure::Cancelled) => {
                cancel(&job, id).await?;
                Err(JobFailure::Cancelled)
            }
            Err(failure) => Err(failure),
        }
    }

    async fn failed(&self, job: JobContext, reason: &str) -> Result<(), JobFailure> {
        let JobPayload { analysis } = job.payload()?;
        let mut tx = job.store().begin_system(job.scope()).await?;
        analysis_failed(&mut tx, analysis, reason).await?;
        tx.commit().await?;
        Ok(())
    }
}

impl AnalysisRunner {
    /// Reads and computes. No transaction is open meanwhile.
    async fn analyse(
        &self,
        job: &JobContext,
        analysis: &Analysis,
    ) -> Result<TaskResult, JobFailure> {
        let spec = TaskSpec::read(&analysis.parameters).map_err(|faults| {
            let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
            JobFailure::fatal(format!("The specification cannot be read: {}", told.join("; ")))
        })?;
        let dataset: DatasetId = analysis
            .dataset_id
            .ok_or_else(|| JobFailure::fatal("The analysis names no data set"))?;
        job.progress(0.0, "Opening the data set").await;
        let table = (self.open_dataset)(job.scope().clone(), dataset).await?;
        let frame = self.frame(table).await?;

        let (tell, told) = watch::channel((0, None));
        let progress = move |done: u64, total: Option<u64>| {
            tell.send_replace((done, total));
        };
        let cancel: CancellationToken = job.cancelled();
        let work = task::analyze(frame, &spec, &progress, &cancel);
        let outcome = tokio::select! {
            outcome = work => outcome,
            never = pass_on(job, told) => match never {},
        };
        let result = outcome.map_err(|error| match error {
            AnalysisError::Cancelled => JobFailure::Cancelled,
            AnalysisError::Invalid(_) => JobFailure::fatal(error.to_string()),
            // It may name machines of the installation, which tenants need not know.
            AnalysisError::Remote(_) => {
                tracing::warn!(%error, "the cluster could not do an analysis");
                JobFailure::retry(
                    "The cluster that reads data sets could not do the work at the moment; the reason is in the log",
                )
            }
            AnalysisError::Read(_) | AnalysisError::Engine(_) => {
                JobFailure::retry(error.to_string())
            }
        })?;
        tokio::task::spawn_blocking(move || kept(result))
            .await
            .map_err(|failed| JobFailure::retry(failed.to_string()))?
    }

    /// The table as a query, of other machines where there are any.
    async fn frame(&self, table: Table) -> Result<DataFrame, JobFailure> {
        match &self.read_elsewhere {
            Some(read) => read(table).await.map_err(JobFailure::retry),
            None => table.dataframe().map_err(|error| JobFailure::fatal(error.to_string())),
        }
    }
}

/// A result that can be stored, and read again: of bounded size, and without numbers that JSON does not have.
fn kept(result: TaskResult) -> Result<TaskResult, JobFailure> {
    let text =
        serde_json::to_string(&result).map_err(|error| JobFailure::fatal(error.to_string()))?;
    if text.len() > MAX_RESULT_BYTES {
        return Err(JobFailure::fatal(format!(
            "The result would take {} MiB, and {} are kept at most. Analyse fewer attributes, or their intersections to a lesser depth",
            text.len() >> 20,
            MAX_RESULT_BYTES >> 20
        )));
    }
    let json = serde_json::from_str(&text).map_err(|error| JobFailure::fatal(error.to_string()))?;
    match TaskResult::read(result.task(), json) {
        Ok(_) => Ok(result),
        Err(_) => Err(JobFailure::fatal(
            "The numbers of these columns are so great that what follows from them is none. Put them into another unit, such as thousands",
        )),
    }
}

/// Tells the job how many rows are read, for as long as anybody counts them.
pub(crate) async fn pass_on(
    job: &JobContext,
    mut told: watch::Receiver<(u64, Option<u64>)>,
) -> Infallible {
    loop {
        if told.changed().await.is_err() {
            // The count is over; the computation ends the other branch.
            return std::future::pending().await;
        }
        let (done, total) = *told.borrow_and_update();
        let fraction =
            total.filter(|total| *total > 0).map_or(0.0, |total| done as f64 / total as f64);
        job.progress(SCAN_SHARE * fraction.min(1.0), format!("{done} rows read")).await;
    }
}

/// Marks the analysis as running. `None` when it has come to its end already.
async fn begin(job: &JobContext, id: AnalysisId) -> Result<Option<Analysis>, JobFailure> {
    let mut tx = job.store().begin_system(job.scope()).await?;
    let analysis = if analysis_started(&mut tx, id).await? {
        Some(analysis_get(&mut tx, id).await?)
    } else {
        None
    };
    tx.commit().await?;
    Ok(analysis)
}

async fn cancel(job: &JobContext, id: AnalysisId) -> Result<(), JobFailure> {
    let mut tx = job.store().begin_system(job.scope()).await?;
    if analysis_cancelled(&mut tx, id).await? {
        tx.emit(&DomainEvent::AnalysisCancelled { analysis: id }).await?;
    }
    tx.commit().await?;
    Ok(())
}
