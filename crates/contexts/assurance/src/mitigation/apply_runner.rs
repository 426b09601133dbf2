//! The job that applies a mitigation: it makes a data set with one more column, and asks for its analyses.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use ephor_fairness::{
    AnalysisSpec, CancellationToken, MitigationArtifact,
    mitigation::{ApplyOptions, ApplyReport, OutputFormat, apply},
};
use ephor_kernel::{AnalysisId, Code, DatasetId, MitigationApplicationId, Problem};
use ephor_store::{
    OrgTx, StoreError,
    jobs::{JobContext, JobFailure, JobHandler},
};
use ephor_tabular::Format;
use serde_json::json;
use tokio::sync::watch;

use super::{
    APPLY_JOB, Application, ApplyPayload,
    application::{application_failed, application_get, application_started},
    cut,
    fit_runner::failure,
    measured::Measuring,
    mitigation_artifact, mitigation_get,
    pipe::pipe,
};
use crate::{
    Assurance, OpenDataset,
    analysis::analysis_get,
    feed::{RowFeeds, RowsToStore, StoreRows},
    runner::pass_on,
};

/// Applies mitigations.
pub struct ApplyRunner {
    open_dataset: OpenDataset,
    store_rows: StoreRows,
}

impl ApplyRunner {
    /// A runner that opens data sets as the routes do, and stores them as row feeds do.
    pub fn new(assurance: &Assurance, feeds: &RowFeeds) -> Self {
        Self {
            open_dataset: Arc::clone(&assurance.open_dataset),
            store_rows: Arc::clone(&feeds.store_rows),
        }
    }
}

#[async_trait]
impl JobHandler for ApplyRunner {
    fn kind(&self) -> &'static str {
        APPLY_JOB
    }

    async fn run(&self, job: JobContext) -> Result<(), JobFailure> {
        let ApplyPayload { application } = job.payload()?;
        // It is done, or somebody deleted it.
        let Some(plan) = Plan::make(&job, application).await? else { return Ok(()) };
        self.apply(&job, plan).await
    }

    async fn failed(&self, job: JobContext, reason: &str) -> Result<(), JobFailure> {
        let ApplyPayload { application } = job.payload()?;
        let mut tx = job.store().begin_system(job.scope()).await?;
        application_failed(&mut tx, application, reason).await?;
        tx.commit().await?;
        Ok(())
    }
}

impl ApplyRunner {
    /// Reads, decides and stores, all at once, in bounded memory. No transaction is open meanwhile.
    async fn apply(&self, job: &JobContext, plan: Plan) -> Result<(), JobFailure> {
        let Plan { application, artifact, asked, known, mitigation } = plan;
        let gone = || JobFailure::fatal("The data set is gone");
        let dataset = application.dataset_id.ok_or_else(gone)?;
        job.progress(0.0, "Opening the data set").await;
        let table = (self.open_dataset)(job.scope().clone(), dataset).await?;
        let frame = table.dataframe().map_err(|error| JobFailure::fatal(error.to_string()))?;
        let column = application.column_name.clone();
        let name = application.name.clone();
        let done = Done {
            application: application.id,
            measuring: Measuring::new(name.clone(), &asked, known, &artifact, &column, &table),
            report: Arc::default(),
            outrun: Arc::default(),
        };
        let (report, outrun) = (Arc::clone(&done.report), Arc::clone(&done.outrun));
        let (writer, end, body) = pipe();
        let cancel: CancellationToken = job.cancelled();
        let rows = RowsToStore {
            description: cut(
                &format!(
                    "{name}: with the column {column}, which the mitigation {mitigation} added"
                ),
                10_000,
            ),
            metadata: json!({
                "mitigation_artifact": application.artifact_id,
                "mitigation_application": application.id,
                "source_dataset": dataset,
                "column": column,
            }),
            name,
            format: Format::Parquet,
            body,
            cancel: cancel.clone(),
            settle: Box::new(move |tx, dataset| Box::pin(settled(tx, dataset, done))),
        };
        let options = ApplyOptions { column: Some(column), row_id: application.row_id_column };
        let (tell, told) = watch::channel((0, None));
        let progress = move |rows: u64, total: Option<u64>| {
            tell.send_replace((rows, total));
        };
        let applying = async {
            let format = OutputFormat::Parquet;
            let made = apply(frame, &artifact, &options, format, writer, &progress, &cancel).await;
            if let Ok(made) = &made {
                *report.lock().unwrap_or_else(PoisonError::into_inner) = Some(made.clone());
            }
            let is_unread = end.end(made.is_ok());
            (made, is_unread)
        };
        let storing = (self.store_rows)(job.scope().clone(), rows);
        let ((made, is_unread), stored) = tokio::select! {
            both = async { tokio::join!(applying, storing) } => both,
            never = pass_on(job, told) => match never {},
        };
        match (made, stored) {
            (Ok(_), Ok(dataset)) => {
                job.set_result(json!({ "dataset_id": dataset }));
                Ok(())
            }
            _ if job.cancelled().is_cancelled() => Err(JobFailure::Cancelled),
            // Somebody deleted it meanwhile, or another worker was quicker: what this one made is taken back.
            (_, Err(_)) if outrun.load(Ordering::Relaxed) => Ok(()),
            (Err(error), _) if !is_unread => Err(failure(error)),
            (_, Err(problem)) => Err(problem.into()),
            (Err(error), Ok(_)) => Err(failure(error)),
        }
    }
}

/// What is to be done.
struct Plan {
    application: Application,
    artifact: MitigationArtifact,
    /// The analysis that the mitigation belongs to.
    asked: AnalysisSpec,
    /// That analysis, when it says how the data were.
    known: Option<AnalysisId>,
    /// The mitigation's name.
    mitigation: String,
}

impl Plan {
    /// Marks it as running. `None` when it has come to its end already.
    async fn make(
        job: &JobContext,
        id: MitigationApplicationId,
    ) -> Result<Option<Self>, JobFailure> {
        let mut tx = job.store().begin_system(job.scope()).await?;
        if !application_started(&mut tx, id).await? {
            return Ok(None);
        }
        let application = application_get(&mut tx, id).await?;
        let artifact = mitigation_artifact(&mut tx, application.artifact_id).await?;
        let mitigation = mitigation_get(&mut tx, application.artifact_id).await?;
        let analysis = analysis_get(&mut tx, mitigation.analysis_id).await?;
        tx.commit().await?;
        let asked = serde_json::from_value(analysis.parameters.clone()).map_err(|error| {
            JobFailure::fatal(format!("The specification cannot be read: {error}"))
        })?;
        let is_of_it = analysis.dataset_id.is_some()
            && analysis.dataset_id == application.dataset_id
            && !matches!(analysis.status.as_str(), "failed" | "cancelled");
        Ok(Some(Self {
            application,
            artifact,
            asked,
            known: is_of_it.then_some(analysis.id),
            mitigation: mitigation.name,
        }))
    }
}

/// What becomes true with the new data set.
struct Done {
    application: MitigationApplicationId,
    measuring: Measuring,
    report: Arc<Mutex<Option<ApplyReport>>>,
    /// Set when there is nothing to do any more.
    outrun: Arc<AtomicBool>,
}

/// Asks for the analyses and completes the application, in the transaction that makes the data set ready.
async fn settled(tx: &mut OrgTx, dataset: DatasetId, done: Done) -> Result<(), Problem> {
    let organization = tx.organization().uuid();
    let status = sqlx::query_scalar!(
        "select status from assurance.mitigation_applications where organization_id = $1 and id = $2 for update",
        organization,
        done.application.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?;
    if status.as_deref() != Some("running") {
        done.outrun.store(true, Ordering::Relaxed);
        return Err(Problem::new(Code::Conflict, "The application is over, or deleted"));
    }
    // The stream ended as whole, so it is there.
    let report = done.report.lock().unwrap_or_else(PoisonError::into_inner).take();
    let report = report.ok_or_else(Problem::internal)?;
    let asked = done.measuring.ask(tx, dataset).await?;
    let rows = i64::try_from(report.rows).unwrap_or(i64::MAX);
    let report = serde_json::to_value(report).map_err(|_| Problem::internal())?;
    sqlx::query!(
        "update assurance.mitigation_applications
            set status = 'completed', completed_at = now(), result_dataset_id = $3, before_analysis_id = $4,
                after_analysis_id = $5, row_count = $6, report = $7, note = $8
          where organization_id = $1 and id = $2",
        organization,
        done.application.uuid(),
        dataset.uuid(),
        asked.before.map(AnalysisId::uuid),
        asked.after.map(AnalysisId::uuid),
        rows,
        report,
        asked.note,
    )
    .execute(tx.conn())
    .await
    .map_err(StoreError::from)?;
    Ok(())
}
