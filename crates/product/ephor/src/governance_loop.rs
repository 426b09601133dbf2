//! What leads to what: the governance loop, on one page.
//!
//! Contexts say what happened (`ephor_kernel::DomainEvent`); here stands what follows. Each event is
//! told at least once, after the transaction that made it true.

use std::time::Duration;

use async_trait::async_trait;
use ephor_assurance::{Assurance, explanation::explanation_objects_delete, monitor};
use ephor_kernel::{DomainEvent, Scope};
use ephor_registry::Registry;
use ephor_store::{
    Store,
    jobs::{EventHandler, JobFailure},
};

/// After how long an upload that has not ended is taken for dead.
const UPLOAD_DEAD_AFTER: Duration = Duration::from_hours(6);

/// Listens to every event of every organization.
pub struct GovernanceLoop {
    /// What is governed.
    pub registry: Registry,
    /// What is measured and explained of it.
    pub assurance: Assurance,
}

#[async_trait]
impl EventHandler for GovernanceLoop {
    async fn handle(
        &self,
        store: &Store,
        scope: &Scope,
        event: &DomainEvent,
    ) -> Result<(), JobFailure> {
        let organization = scope.organization();
        match event {
            // Nothing follows from these beyond what the pages that wait for them are told.
            DomainEvent::OrganizationCreated { .. }
            | DomainEvent::MembershipChanged { .. }
            | DomainEvent::ModelChanged { .. }
            | DomainEvent::AnalysisRequested { .. }
            | DomainEvent::AnalysisCancelled { .. } => {}
            // Whoever uploads also clears away what an upload of a dead server left; monitors that wait for rows run.
            DomainEvent::DatasetStored { dataset } => {
                self.registry.datasets_sweep(scope, UPLOAD_DEAD_AFTER).await?;
                monitor::dataset_arrived(store, scope, *dataset).await?;
            }
            // What is deleted is gone from the object store as well.
            DomainEvent::DatasetDeleted { dataset } => {
                self.registry.dataset_object_delete(scope, *dataset).await?;
            }
            // Whoever uploads a model also clears away what an upload of a dead server left.
            DomainEvent::ModelArtifactStored { .. } => {
                self.registry.artifacts_sweep(scope, UPLOAD_DEAD_AFTER).await?;
            }
            DomainEvent::ModelArtifactDeleted { artifact } => {
                self.registry.artifact_object_delete(scope, *artifact).await?;
            }
            DomainEvent::ExplanationDeleted { explanation } => {
                explanation_objects_delete(&self.assurance, scope, *explanation).await?;
            }
            DomainEvent::ExplanationEnded { explanation, status } => {
                tracing::info!(%organization, %explanation, status, "an explanation ended");
                metrics::counter!("model_explanations_total", "status" => status.clone())
                    .increment(1);
            }
            // Policies, alerts and risks will hear of these; until then operators do.
            DomainEvent::AnalysisCompleted { analysis, failed, warned } => {
                tracing::info!(%organization, %analysis, failed, warned, "a bias analysis completed");
                metrics::counter!("bias_analyses_total", "outcome" => outcome(*failed, *warned))
                    .increment(1);
            }
            DomainEvent::AnalysisFailed { analysis, reason } => {
                tracing::warn!(%organization, %analysis, reason, "a bias analysis failed");
                metrics::counter!("bias_analyses_total", "outcome" => "error").increment(1);
            }
            DomainEvent::MonitorRan { monitor, outcome } => {
                tracing::info!(%organization, %monitor, outcome, "a monitor ran");
                metrics::counter!("monitor_runs_total", "outcome" => outcome.clone()).increment(1);
            }
            DomainEvent::AlertRaised { alert, severity } => {
                tracing::warn!(%organization, %alert, severity, "an alert was raised");
                metrics::counter!("monitoring_alerts_raised_total", "severity" => severity.clone())
                    .increment(1);
            }
            DomainEvent::AlertClosed { alert, recovered } => {
                let by = if *recovered { "recovery" } else { "person" };
                tracing::info!(%organization, %alert, by, "an alert was closed");
                metrics::counter!("monitoring_alerts_closed_total", "by" => by).increment(1);
            }
        }
        Ok(())
    }
}

fn outcome(failed: u32, warned: u32) -> &'static str {
    match (failed, warned) {
        (0, 0) => "pass",
        (0, _) => "warning",
        _ => "fail",
    }
}
