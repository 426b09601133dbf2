//! The job that explains.

use std::{convert::Infallible, sync::Arc};

use async_trait::async_trait;
use ephor_explain::Scorer as _;
use ephor_kernel::{DatasetId, ExplanationId, ModelArtifactId, Scope};
use ephor_store::jobs::{JobContext, JobFailure, JobHandler};
use ephor_tabular::{Destination, Table};
use tokio::sync::watch;

use super::{
    Explanation, ExplanationSpec, JOB_KIND, JobPayload, Kind, effects, explanation_get,
    explanation_objects_delete, lime, permutation,
    place::values_path,
    record::{
        Found, explanation_cancelled, explanation_completed, explanation_failed,
        explanation_started,
    },
    shap,
    work::{Told, Work},
};
use crate::Assurance;

/// The share of the work that is left when all is computed.
const SHARE: f64 = 0.95;

/// Explains models.
pub struct ExplanationRunner {
    assurance: Assurance,
}

impl ExplanationRunner {
    /// A runner that opens data sets and models in the same way as the routes do.
    pub fn new(assurance: &Assurance) -> Self {
        Self { assurance: assurance.clone() }
    }
}

#[async_trait]
impl JobHandler for ExplanationRunner {
    fn kind(&self) -> &'static str {
        JOB_KIND
    }

    async fn run(&self, job: JobContext) -> Result<(), JobFailure> {
        let JobPayload { explanation: id } = job.payload()?;
        // It is done, or somebody deleted it.
        let Some(explanation) = begin(&job, id).await? else { return Ok(()) };
        let ended = match self.explain(&job, &explanation).await {
            Ok(found) => {
                job.progress(1.0, "Storing the explanation").await;
                let mut tx = job.store().begin_system(job.scope()).await?;
                explanation_completed(&mut tx, id, &found).await?;
                tx.commit().await?;
                Ok(())
            }
            Err(JobFailure::Cancelled) => {
                let mut tx = job.store().begin_system(job.scope()).await?;
                explanation_cancelled(&mut tx, id).await?;
                tx.commit().await?;
                Err(JobFailure::Cancelled)
            }
            Err(failure) => Err(failure),
        };
        // What this or an earlier attempt wrote, and nobody needs.
        if let Err(problem) = explanation_objects_delete(&self.assurance, job.scope(), id).await {
            tracing::warn!(%problem, explanation = %id, "values of an earlier attempt are left");
        }
        ended
    }

    async fn failed(&self, job: JobContext, reason: &str) -> Result<(), JobFailure> {
        let JobPayload { explanation } = job.payload()?;
        let mut tx = job.store().begin_system(job.scope()).await?;
        explanation_failed(&mut tx, explanation, reason).await?;
        tx.commit().await?;
        explanation_objects_delete(&self.assurance, job.scope(), explanation).await?;
        Ok(())
    }
}

impl ExplanationRunner {
    /// Reads and computes. No transaction is open meanwhile.
    async fn explain(
        &self,
        job: &JobContext,
        explanation: &Explanation,
    ) -> Result<Found, JobFailure> {
        let spec: ExplanationSpec = serde_json::from_value(explanation.parameters.clone())
            .map_err(|error| {
                JobFailure::fatal(format!("The specification cannot be read: {error}"))
            })?;
        let kind = serde_json::from_value(explanation.explanation_type.clone().into());
        let kind: Kind = kind.map_err(|error| JobFailure::fatal(error.to_string()))?;
        let artifact: ModelArtifactId = explanation
            .artifact_id
            .ok_or_else(|| JobFailure::fatal("The explanation names no file of a model"))?;
        let dataset: DatasetId = explanation
            .dataset_id
            .ok_or_else(|| JobFailure::fatal("The explanation names no data set"))?;
        job.progress(0.0, "Reading the model").await;
        let scope = job.scope();
        let (format, model) = (self.assurance.open_model)(scope.clone(), artifact).await?;
        job.progress(0.0, "Opening the data set").await;
        let table = (self.assurance.open_dataset)(scope.clone(), dataset).await?;
        let background = match explanation.background_dataset_id {
            Some(background) => {
                let table = self.background(scope, background).await?;
                let (features, schema) = (model.features(), table.schema());
                let faults = spec.background_faults(kind, features, table.rows(), &schema);
                if !faults.is_empty() {
                    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
                    return Err(JobFailure::fatal(told.join("; ")));
                }
                Some(table)
            }
            None => None,
        };
        let path = values_path(scope.organization(), explanation.id, job.attempt());
        let destination =
            Destination { store: Arc::clone(&self.assurance.objects), path: path.clone() };
        let (tell, told) = watch::channel((0, None));
        let work = Work {
            spec,
            format,
            model,
            table,
            background,
            destination,
            tell: Arc::new(tell),
            cancel: job.cancelled(),
        };
        let computed = async {
            match kind {
                Kind::Shap => shap::explain(&work).await,
                Kind::Lime => lime::explain(&work).await,
                Kind::Permutation => permutation::explain(&work).await,
                Kind::Global => effects::explain(&work).await,
            }
        };
        let (summary, stored) = tokio::select! {
            computed = computed => computed?,
            never = pass_on(job, told) => match never {},
        };
        if job.cancelled().is_cancelled() {
            return Err(JobFailure::Cancelled);
        }
        Found::new(&summary, path, stored).map_err(|_| {
            JobFailure::fatal(
                "The numbers of these columns are so great that what follows from them is none. Put them into another unit, such as thousands",
            )
        })
    }
}

impl ExplanationRunner {
    /// Opens the background data set; what cannot be done says that it is this one.
    async fn background(&self, scope: &Scope, id: DatasetId) -> Result<Table, JobFailure> {
        let opened = (self.assurance.open_dataset)(scope.clone(), id).await;
        opened.map_err(|problem| {
            let told = |reason: String| format!("The background data set: {reason}");
            match JobFailure::from(problem) {
                JobFailure::Retry(reason) => JobFailure::Retry(told(reason)),
                JobFailure::Fatal(reason) => JobFailure::Fatal(told(reason)),
                JobFailure::Cancelled => JobFailure::Cancelled,
            }
        })
    }
}

/// Tells the job how far the work is, for as long as anybody counts.
async fn pass_on(job: &JobContext, mut told: watch::Receiver<Told>) -> Infallible {
    loop {
        if told.changed().await.is_err() {
            // The count is over; the computation ends the other branch.
            return std::future::pending().await;
        }
        let (done, total) = *told.borrow_and_update();
        let fraction =
            total.filter(|total| *total > 0).map_or(0.0, |total| done as f64 / total as f64);
        job.progress(SHARE * fraction.min(1.0), "Explaining").await;
    }
}

/// Marks it as running. `None` when it has come to its end already.
async fn begin(job: &JobContext, id: ExplanationId) -> Result<Option<Explanation>, JobFailure> {
    let mut tx = job.store().begin_system(job.scope()).await?;
    let begun = if explanation_started(&mut tx, id).await? {
        Some(explanation_get(&mut tx, id).await?)
    } else {
        None
    };
    tx.commit().await?;
    Ok(begun)
}
