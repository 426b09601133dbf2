//! What happened, as contexts tell one another: appended to the outbox in the transaction
//! that made it true.

use serde::{Deserialize, Serialize};

use crate::{
    AlertId, AnalysisId, DatasetId, ExplanationId, JobId, MemberId, ModelArtifactId, ModelId,
    ModelVersionId, MonitorId, OrganizationId, UserId,
};

/// A fact of the domain. Its tag is stable: it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum DomainEvent {
    /// Somebody signed up, or a holding opened a subsidiary.
    OrganizationCreated {
        /// The new organization.
        organization: OrganizationId,
        /// Its first owner.
        owner: UserId,
    },
    /// A person's membership began, changed or ended.
    MembershipChanged {
        /// The membership.
        member: MemberId,
    },
    /// A data set is stored and profiled.
    DatasetStored {
        /// The data set.
        dataset: DatasetId,
    },
    /// A data set was deleted: its file is to follow.
    DatasetDeleted {
        /// The data set.
        dataset: DatasetId,
    },
    /// The file of a model's version is stored and was read.
    ModelArtifactStored {
        /// The artefact.
        artifact: ModelArtifactId,
    },
    /// An artefact was deleted: its file is to follow.
    ModelArtifactDeleted {
        /// The artefact.
        artifact: ModelArtifactId,
    },
    /// A model's state changed.
    ModelChanged {
        /// The model.
        model: ModelId,
        /// The version that the change made, if it made one.
        version: Option<ModelVersionId>,
    },
    /// A bias analysis was asked for.
    AnalysisRequested {
        /// The analysis.
        analysis: AnalysisId,
        /// The job that runs it.
        job: JobId,
    },
    /// A bias analysis came to its end.
    AnalysisCompleted {
        /// The analysis.
        analysis: AnalysisId,
        /// How many metrics failed.
        failed: u32,
        /// How many metrics were beyond the threshold, but within noise.
        warned: u32,
    },
    /// A bias analysis could not be finished.
    AnalysisFailed {
        /// The analysis.
        analysis: AnalysisId,
        /// Why.
        reason: String,
    },
    /// A bias analysis was stopped by somebody.
    AnalysisCancelled {
        /// The analysis.
        analysis: AnalysisId,
    },
    /// An explanation came to its end: completed, failed or cancelled.
    ExplanationEnded {
        /// The explanation.
        explanation: ExplanationId,
        /// Which end.
        status: String,
    },
    /// An explanation was deleted: its values are to follow.
    ExplanationDeleted {
        /// The explanation.
        explanation: ExplanationId,
    },
    /// A monitor came to the end of a run.
    MonitorRan {
        /// The monitor.
        monitor: MonitorId,
        /// pass, warning, fail, unjudged when there were too few rows, or error.
        outcome: String,
    },
    /// Something was found wrong that was not known before.
    AlertRaised {
        /// The alert.
        alert: AlertId,
        /// low, medium, high or critical.
        severity: String,
    },
    /// An alert was closed.
    AlertClosed {
        /// The alert.
        alert: AlertId,
        /// It closed itself, for what was wrong is right again; otherwise somebody closed it.
        recovered: bool,
    },
}

impl DomainEvent {
    /// The stored tag.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::OrganizationCreated { .. } => "organization_created",
            Self::MembershipChanged { .. } => "membership_changed",
            Self::DatasetStored { .. } => "dataset_stored",
            Self::DatasetDeleted { .. } => "dataset_deleted",
            Self::ModelArtifactStored { .. } => "model_artifact_stored",
            Self::ModelArtifactDeleted { .. } => "model_artifact_deleted",
            Self::ModelChanged { .. } => "model_changed",
            Self::AnalysisRequested { .. } => "analysis_requested",
            Self::AnalysisCompleted { .. } => "analysis_completed",
            Self::AnalysisFailed { .. } => "analysis_failed",
            Self::AnalysisCancelled { .. } => "analysis_cancelled",
            Self::ExplanationEnded { .. } => "explanation_ended",
            Self::ExplanationDeleted { .. } => "explanation_deleted",
            Self::MonitorRan { .. } => "monitor_ran",
            Self::AlertRaised { .. } => "alert_raised",
            Self::AlertClosed { .. } => "alert_closed",
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_the_stored_tag() {
        let event = DomainEvent::AnalysisCancelled { analysis: AnalysisId::new() };
        assert_eq!(serde_json::to_value(&event).unwrap()["type"], event.kind());
    }
}
