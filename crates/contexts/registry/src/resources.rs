//! What the database can't say about the resources of this context.

use ephor_kernel::{DomainEvent, Fault};
use ephor_rest::{Actions, Change, Include, ResourceSpec, Shape};
use serde_json::Value;

/// AI systems, models, model versions, data sets, and what is told of frontier models.
pub const RESOURCES: &[ResourceSpec] = &[
    AI_SYSTEMS,
    AI_SYSTEM_MODELS,
    MODELS,
    MODEL_VERSIONS,
    MODEL_ARTIFACTS,
    DATASETS,
    FRONTIER_MODELS,
    FRONTIER_ALERT_CONFIGS,
    FRONTIER_ALERTS,
];

/// An answer of the questionnaire from which a risk level follows: a choice, several, or words.
const RISK_ANSWER: Shape = Shape::Either(&[
    Shape::Text(4000),
    Shape::Bool,
    Shape::Number,
    Shape::List(&Shape::Text(1000), 100),
]);

/// The database keeps the state machine, and stamps when they were classified, deployed, retired. A
/// new one may be what one step from planned leads to, but none that is prohibited is in use.
const AI_SYSTEMS: ResourceSpec = ResourceSpec::new("ai_systems", "registry.ai_systems")
    .labels("AI system", "AI systems")
    .actions(Actions::ALL)
    .create(&[
        "name",
        "description",
        "status",
        "owner_id",
        "risk_level",
        "risk_answers",
        "system_version",
        "deployed_at",
        "metadata",
    ])
    .update(&[
        "name",
        "description",
        "status",
        "owner_id",
        "risk_level",
        "risk_answers",
        "system_version",
        "deployed_at",
        "metadata",
    ])
    .people(&["owner_id"])
    .json(&[("risk_answers", Shape::Map(&RISK_ANSWER, 500))])
    .search(&["name", "description"])
    .include(&[Include::many("models", "ai_system_models", "ai_system_id")])
    .reach();

/// Which models an AI system uses; a link is the system's own affair, hence its permissions.
const AI_SYSTEM_MODELS: ResourceSpec =
    ResourceSpec::new("ai_system_models", "registry.ai_system_models")
        .labels("model in use", "models in use")
        .permission("ai_systems")
        .actions(Actions::ALL)
        .create(&["ai_system_id", "model_id", "purpose"])
        .update(&["purpose"])
        .search(&["purpose"])
        .parent("ai_systems", "ai_system_id", "models")
        .include(&[
            Include::one("ai_system", "ai_systems", "ai_system_id"),
            Include::one("model", "models", "model_id"),
        ])
        .reach();

const MODELS: ResourceSpec = ResourceSpec::new("models", "registry.models")
    .labels("model", "models")
    .actions(Actions::ALL)
    .create(&[
        "name",
        "description",
        "model_type",
        "semantic_version",
        "schema",
        "metadata",
        "frontier_model_id",
    ])
    .update(&[
        "name",
        "description",
        "model_type",
        "semantic_version",
        "schema",
        "metadata",
        "frontier_model_id",
    ])
    .search(&["name", "description"])
    .words_index()
    .include(&[Include::many("versions", "model_versions", "model_id")])
    .check(check_model)
    .event(model_event)
    .reach();

/// Made by the database whenever what a model is changes, so there is nothing to write here.
const MODEL_VERSIONS: ResourceSpec = ResourceSpec::new("model_versions", "registry.model_versions")
    .labels("model version", "model versions")
    .parent("models", "model_id", "versions")
    .include(&[
        Include::one("model", "models", "model_id"),
        Include::many("artifacts", "model_artifacts", "model_version_id"),
    ])
    .reach();

/// Made by uploads; what is stored never changes.
const MODEL_ARTIFACTS: ResourceSpec =
    ResourceSpec::new("model_artifacts", "registry.model_artifacts")
        .labels("model artefact", "model artefacts")
        .parent("model_versions", "model_version_id", "artifacts")
        .actions(Actions::READ.and_delete())
        .hidden(&["storage_path"])
        .search(&["file_name"])
        .include(&[
            Include::one("model", "models", "model_id"),
            Include::one("model_version", "model_versions", "model_version_id"),
        ])
        .event(artifact_event)
        .reach();

/// One catalogue for the whole installation, kept by its operator.
const FRONTIER_MODELS: ResourceSpec =
    ResourceSpec::new("frontier_models", "registry.frontier_models")
        .labels("frontier model", "frontier models")
        .global()
        .sort("name")
        .search(&["name", "provider", "model_id", "description"]);

/// Made by uploads; what is stored never changes.
const DATASETS: ResourceSpec = ResourceSpec::new("datasets", "registry.datasets")
    .labels("data set", "data sets")
    .actions(Actions::READ.and_update().and_delete())
    .update(&["name", "description", "metadata"])
    .hidden(&["storage_path"])
    .search(&["name", "description"])
    .event(dataset_event)
    .reach();

/// Each member has their own.
const FRONTIER_ALERT_CONFIGS: ResourceSpec =
    ResourceSpec::new("frontier_alert_configs", "registry.frontier_alert_configs")
        .labels("subscription to a frontier model", "subscriptions to frontier models")
        .actions(Actions::READ.and_create(false).and_delete())
        .create(&["frontier_model_id", "category"])
        .include(&[Include::many("alerts", "frontier_alerts", "alert_config_id")])
        .personal("created_by");

/// News comes from feeds and through the API; what was told is not changed afterwards.
const FRONTIER_ALERTS: ResourceSpec =
    ResourceSpec::new("frontier_alerts", "registry.frontier_alerts")
        .labels("frontier model alert", "frontier model alerts")
        .actions(Actions::READ.and_create(true).and_delete())
        .create(&[
            "alert_config_id",
            "frontier_model_id",
            "category",
            "title",
            "description",
            "url",
            "date_published",
            "metadata",
        ])
        .search(&["title", "description"])
        .sort("-date_published")
        .reach();

/// What a version is cannot change under the same number.
fn check_model(new: &Value, old: Option<&Value>) -> Vec<Fault> {
    const IDENTITY: [&str; 3] = ["model_type", "schema", "metadata"];
    let Some(old) = old else { return Vec::new() };
    let changed: Vec<&str> =
        IDENTITY.into_iter().filter(|field| new.get(field) != old.get(field)).collect();
    if changed.is_empty() || new.get("semantic_version") != old.get("semantic_version") {
        return Vec::new();
    }
    vec![
        Fault::new(
            "/semantic_version",
            "same_version",
            format!("{} changes what the model is, so it needs a new version number", changed.join(", ")),
        )
        .hint("raise the first number when inputs or outputs change, the second for new abilities, the third for repairs"),
    ]
}

fn model_event(_: Change, row: &Value) -> Option<DomainEvent> {
    let model = row.get("id")?.as_str()?.parse().ok()?;
    Some(DomainEvent::ModelChanged { model, version: None })
}

/// The file follows its row, once the deletion is committed.
fn dataset_event(change: Change, row: &Value) -> Option<DomainEvent> {
    let dataset = row.get("id")?.as_str()?.parse().ok()?;
    (change == Change::Deleted).then_some(DomainEvent::DatasetDeleted { dataset })
}

/// The file follows its row, once the deletion is committed.
fn artifact_event(change: Change, row: &Value) -> Option<DomainEvent> {
    let artifact = row.get("id")?.as_str()?.parse().ok()?;
    (change == Change::Deleted).then_some(DomainEvent::ModelArtifactDeleted { artifact })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_model_is_changes_with_its_version_only() {
        let old = json!({ "semantic_version": "1.0.0", "model_type": "regression", "schema": {}, "metadata": {}, "name": "a" });
        let mut new = old.clone();
        new["name"] = json!("b");
        assert!(check_model(&new, Some(&old)).is_empty(), "a name is no part of what it is");
        new["model_type"] = json!("classification");
        assert_eq!(check_model(&new, Some(&old)).len(), 1);
        new["semantic_version"] = json!("2.0.0");
        assert!(check_model(&new, Some(&old)).is_empty());
        assert!(check_model(&new, None).is_empty());
    }
}
