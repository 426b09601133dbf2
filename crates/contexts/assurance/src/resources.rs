//! What the database can't say about the resources of this context.

use ephor_kernel::{DomainEvent, Fault};
use ephor_rest::{Actions, Change, Include, ResourceSpec};
use serde_json::Value;

use crate::{
    feed::{FeedColumn, checked_specification},
    schedule,
};

/// Bias analyses: made and stopped by actions, for they come with a job.
pub const BIAS_ANALYSES: ResourceSpec =
    ResourceSpec::new("bias_analyses", "assurance.bias_analyses")
        .labels("bias analysis", "bias analyses")
        .hidden(&["metrics"])
        .search(&["name", "description"])
        .include(&[
            Include::one("dataset", "datasets", "dataset_id"),
            Include::one("model", "models", "model_id"),
            Include::one("model_version", "model_versions", "model_version_id"),
            Include::many("results", "bias_analysis_results", "analysis_id"),
            Include::many("explanations", "model_explanations", "analysis_id"),
        ])
        .reach();

/// How each model did in its analyses: a view.
pub const MODEL_PERFORMANCE: ResourceSpec =
    ResourceSpec::new("model_performance", "assurance.model_performance_summary")
        .labels("model's performance", "models' performance")
        .permission("bias_analyses")
        .search(&["name"])
        .sort("name")
        .reach();

/// Organizations at a glance, one's own and those that one's organization holds: a view. A count is there for
/// whoever may read what it counts.
pub const ORGANIZATION_DASHBOARD: ResourceSpec =
    ResourceSpec::new("organization_dashboard", "assurance.organization_dashboard")
        .labels("organization at a glance", "organizations at a glance")
        .permission("bias_analyses")
        .guarded(&[
            ("total_models", "models"),
            ("critical_alerts", "monitoring_alerts"),
            ("high_alerts", "monitoring_alerts"),
            ("total_members", "members"),
        ])
        .sort("organization_name")
        .reach();

/// What analyses found: written by the engine alone.
pub const BIAS_ANALYSIS_RESULTS: ResourceSpec =
    ResourceSpec::new("bias_analysis_results", "assurance.bias_analysis_results")
        .labels("result", "results")
        .permission("bias_analyses")
        .parent("bias_analyses", "analysis_id", "results")
        .sort("position")
        .reach();

/// Explanations of models: made and stopped by actions, for they come with a job; what they found is a download of its own.
pub const MODEL_EXPLANATIONS: ResourceSpec =
    ResourceSpec::new("model_explanations", "assurance.model_explanations")
        .labels("explanation", "explanations")
        .actions(Actions::READ.and_delete())
        .hidden(&["summary", "values_path"])
        .event(explanation_event)
        .include(&[
            Include::one("model", "models", "model_id"),
            Include::one("artifact", "model_artifacts", "artifact_id"),
            Include::one("dataset", "datasets", "dataset_id"),
            Include::one("background", "datasets", "background_dataset_id"),
            Include::one("analysis", "bias_analyses", "analysis_id"),
        ])
        .reach();

/// Monitors; when they ran and what came of it is the engine's to write.
pub const MONITORS: ResourceSpec = ResourceSpec::new("monitors", "assurance.monitors")
    .labels("monitor", "monitors")
    .actions(Actions::ALL)
    .create(&[
        "name",
        "description",
        "kind",
        "model_id",
        "reference_dataset_id",
        "current_dataset_id",
        "reference_from",
        "reference_until",
        "window_seconds",
        "minimum_rows",
        "schedule",
        "on_arrival",
        "metric",
        "threshold",
        "severity",
        "parameters",
    ])
    .update(&[
        "name",
        "description",
        "status",
        "reference_dataset_id",
        "current_dataset_id",
        "reference_from",
        "reference_until",
        "window_seconds",
        "minimum_rows",
        "schedule",
        "on_arrival",
        "metric",
        "threshold",
        "severity",
        "parameters",
    ])
    .search(&["name", "description"])
    .include(&[
        Include::one("model", "models", "model_id"),
        Include::one("reference", "datasets", "reference_dataset_id"),
        Include::one("current", "datasets", "current_dataset_id"),
        Include::many("alerts", "monitoring_alerts", "monitor_id"),
    ])
    .check(crate::monitor::faults)
    .reach();

/// Raised by monitors and policies; people acknowledge and close them by their status.
pub const MONITORING_ALERTS: ResourceSpec =
    ResourceSpec::new("monitoring_alerts", "assurance.monitoring_alerts")
        .labels("alert", "alerts")
        .actions(Actions::READ.and_update())
        .update(&["status", "close_reason"])
        .search(&["message"])
        .include(&[
            Include::one("monitor", "monitors", "monitor_id"),
            Include::one("model", "models", "model_id"),
        ])
        .check(crate::monitor::alert_faults)
        .event(crate::monitor::alert_event)
        .reach();

/// Row feeds: made by an action, which shows their token once; what they hold is counted by the engine.
pub const ROW_FEEDS: ResourceSpec = ResourceSpec::new("row_feeds", "assurance.row_feeds")
    .labels("row feed", "row feeds")
    .actions(Actions::READ.and_update().and_delete())
    .update(&[
        "name",
        "description",
        "status",
        "model_id",
        "analyse_after",
        "schedule",
        "keep_rows",
        "parameters",
    ])
    .hidden(&["token_hash"])
    .search(&["name", "description"])
    .include(&[
        Include::one("model", "models", "model_id"),
        Include::one("dataset", "datasets", "dataset_id"),
        Include::one("analysis", "bias_analyses", "analysis_id"),
    ])
    .check(check_row_feed)
    .reach();

/// Mitigations: made by an action, for they come with a job; the artefact is a download of its own.
pub const MITIGATION_ARTIFACTS: ResourceSpec =
    ResourceSpec::new("mitigation_artifacts", "assurance.mitigation_artifacts")
        .labels("bias mitigation", "bias mitigations")
        .parent("bias_analyses", "analysis_id", "mitigations")
        .actions(Actions::READ.and_delete())
        .hidden(&["artifact"])
        .search(&["name"])
        .include(&[
            Include::one("analysis", "bias_analyses", "analysis_id"),
            Include::one("dataset", "datasets", "dataset_id"),
            Include::many("applications", "mitigation_applications", "artifact_id"),
        ])
        .reach();

/// What mitigations were applied to: made by an action, for they come with a job.
pub const MITIGATION_APPLICATIONS: ResourceSpec =
    ResourceSpec::new("mitigation_applications", "assurance.mitigation_applications")
        .labels("application", "applications")
        .permission("mitigation_artifacts")
        .parent("mitigation_artifacts", "artifact_id", "applications")
        .actions(Actions::READ.and_delete())
        .search(&["name"])
        .include(&[
            Include::one("mitigation", "mitigation_artifacts", "artifact_id"),
            Include::one("dataset", "datasets", "dataset_id"),
            Include::one("result", "datasets", "result_dataset_id"),
            Include::one("before", "bias_analyses", "before_analysis_id"),
            Include::one("after", "bias_analyses", "after_analysis_id"),
        ])
        .reach();

/// Values follow their row, once the deletion is committed.
fn explanation_event(change: Change, row: &Value) -> Option<DomainEvent> {
    let explanation = row.get("id")?.as_str()?.parse().ok()?;
    (change == Change::Deleted).then_some(DomainEvent::ExplanationDeleted { explanation })
}

/// A schedule is one; a specification is one, and names columns that the rows have.
fn check_row_feed(new: &Value, _: Option<&Value>) -> Vec<Fault> {
    let mut faults = schedule::faults(new);
    let parameters = match new.get("parameters") {
        None | Some(Value::Null) => return faults,
        Some(parameters) => parameters,
    };
    let columns: Vec<FeedColumn> = new
        .get("columns")
        .and_then(|columns| serde_json::from_value(columns.clone()).ok())
        .unwrap_or_default();
    faults.extend(checked_specification(parameters, &columns).err().unwrap_or_default());
    faults
}

/// All of them.
pub const RESOURCES: &[ResourceSpec] = &[
    BIAS_ANALYSES,
    BIAS_ANALYSIS_RESULTS,
    MODEL_PERFORMANCE,
    ORGANIZATION_DASHBOARD,
    MODEL_EXPLANATIONS,
    MONITORS,
    MONITORING_ALERTS,
    ROW_FEEDS,
    MITIGATION_ARTIFACTS,
    MITIGATION_APPLICATIONS,
];
