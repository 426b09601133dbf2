//! One model: what it is, the steps of its life, its versions and analyses.

use axum::{
    extract::{Form, State},
    response::{IntoResponse, Redirect},
};
use ephor_kernel::{Fault, ModelId, ModelVersionId, Problem};
use ephor_registry::model::{ModelStatus, model_roll_back, model_step};
use ephor_rest::{Id, ListRequest};
use ephor_store::OrgTx;
use serde_json::Value;

use crate::{
    ConsoleState,
    error::page,
    frame::Frame,
    pages::{
        analysis, explanation,
        resource::{
            Action, DetailPage, Section, Step,
            edit::{Sent, sent},
        },
    },
    view::{Badge, Head, Html, Table, format, json},
    visit::{Answer, Visit},
};

/// `GET /models/{id}`.
pub(super) async fn show(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<ModelId>,
) -> Answer {
    let mut tx = state.store.begin(&visit.scope).await?;
    let model = state.engine.get(&mut tx, "models", id.uuid(), &ListRequest::new()).await?;
    let frame = visit.frame(json::text(&model, "name"), "/models").crumb("Models", "/models");
    let mut sections = Vec::new();
    if visit.may("model_versions", "read") {
        let request = ListRequest::new().filter("model_id", format!("eq.{id}")).limit(100);
        let versions = state.engine.list(&mut tx, "model_versions", &request).await?.data;
        let artifacts = artifacts(&state, &visit, &mut tx, id).await?;
        sections.push(versions_section(&visit, &frame, &model, &versions, artifacts.as_deref()));
    }
    sections
        .extend(explanation::section(&state, &visit, &mut tx, explanation::Of::Model(id)).await?);
    if visit.may("bias_analyses", "read") {
        let request = ListRequest::new().filter("model_id", format!("eq.{id}")).limit(20);
        let rows = state.engine.list(&mut tx, "bias_analyses", &request).await?.data;
        sections.push(Section {
            id: "analyses",
            title: "Bias analyses".to_owned(),
            action: (!rows.is_empty())
                .then(|| Action::new("Trend and model card", format!("/models/{id}/trend"), "scale")),
            table: analysis::table("Analyses of this model", &rows),
            empty: "None yet. Choose this model when you analyse a data set that holds its predictions.",
        });
    }
    tx.commit().await?;
    let mut actions =
        vec![Action::new("Model card", format!("/models/{id}/card.html"), "download")];
    if visit.may("models", "update") {
        actions.push(Action::new("Edit", format!("/models/{id}/edit"), "edit"));
    }
    Ok(page(&DetailPage {
        lede: json::text(&model, "description").to_owned(),
        badges: vec![Badge::state(json::text(&model, "status"))],
        actions,
        steps: steps(&visit, &frame, id, json::text(&model, "status")),
        facts: facts(&model),
        sections,
        frame,
    }))
}

fn facts(model: &Value) -> Vec<(String, Html)> {
    let block = |name: &str| Html::text(&model.get(name).map(json::short).unwrap_or_default());
    vec![
        ("Kind".to_owned(), Html::text(&format::label(json::text(model, "model_type")))),
        ("Version".to_owned(), Html::text(json::text(model, "semantic_version"))),
        ("Registered".to_owned(), json::moment_cell(model, "created_at")),
        ("Changed".to_owned(), json::moment_cell(model, "updated_at")),
        ("Schema".to_owned(), block("schema")),
        ("Metadata".to_owned(), block("metadata")),
    ]
}

/// The steps that the state machine has from here.
fn steps(visit: &Visit, frame: &Frame, id: ModelId, status: &str) -> Vec<Step> {
    let step = |label: &str, to: ModelStatus, icon| {
        Step::new(label, format!("/models/{id}/step"), icon, frame).with("to", to.as_str())
    };
    let mut steps = Vec::new();
    if visit.may("models", "update") {
        match status {
            "draft" => steps.push(step("Activate", ModelStatus::Active, "pass")),
            "active" => steps.push(
                step("Deprecate", ModelStatus::Deprecated, "warning")
                    .danger("Deprecate this model? It stays, but nothing new should use it."),
            ),
            "deprecated" => {
                steps.push(step("Activate again", ModelStatus::Active, "pass"));
                steps.push(
                    step("Archive", ModelStatus::Archived, "dataset")
                        .danger("Archive this model? It cannot come back into use."),
                );
            }
            _ => {}
        }
    }
    if visit.may("models", "delete") && status == "draft" {
        steps.push(
            Step::new("Delete", format!("/models/{id}/delete"), "trash", frame)
                .danger("Delete this model? This cannot be undone."),
        );
    }
    steps
}

/// The files of its versions; nothing for whoever may not see them.
async fn artifacts(
    state: &ConsoleState,
    visit: &Visit,
    tx: &mut OrgTx,
    id: ModelId,
) -> Result<Option<Vec<Value>>, Problem> {
    if !visit.may("model_artifacts", "read") {
        return Ok(None);
    }
    // Not the names of the features, which may be many.
    let request = ListRequest::new()
        .filter("model_id", format!("eq.{id}"))
        .fields(&["id", "model_version_id", "file_name", "format"])
        .limit(100);
    Ok(Some(state.engine.list(tx, "model_artifacts", &request).await?.data))
}

/// The file of a version, or the way to upload one.
fn artifact_cell(visit: &Visit, version: &Value, artifacts: &[Value]) -> Html {
    let id = json::text(version, "id");
    let found = artifacts.iter().find(|one| json::text(one, "model_version_id") == id);
    match found {
        Some(artifact) => {
            let place = format!("/resources/model_artifacts/{}", json::text(artifact, "id"));
            Html::link(&place, json::text(artifact, "file_name"))
                .sub(json::text(artifact, "format"))
        }
        None if visit.may("model_artifacts", "create") => {
            let model = json::text(version, "model_id");
            Html::link(&format!("/models/{model}/versions/{id}/artifact"), "Upload a file")
        }
        None => Html::text("\u{2013}"),
    }
}

fn versions_section(
    visit: &Visit,
    frame: &Frame,
    model: &Value,
    versions: &[Value],
    artifacts: Option<&[Value]>,
) -> Section {
    let present = json::text(model, "semantic_version");
    let rows = versions
        .iter()
        .map(|version| {
            let number = json::text(version, "semantic_version");
            let back = visit.may("models", "update") && number != present;
            let step = back.then(|| {
                let action = format!("/models/{}/roll-back", json::text(model, "id"));
                Step::new("Roll back to it", action, "running", frame)
                    .with("version", json::text(version, "id"))
                    .danger(format!(
                        "Make the model what it was at {number}? It becomes a new version."
                    ))
            });
            let changes = version.get("changes").and_then(Value::as_object);
            let changed: Vec<&str> = changes
                .map(|changes| changes.keys().map(String::as_str).collect())
                .unwrap_or_default();
            let mut cells = vec![
                Html::text(number),
                Html::of(&Badge::state(json::text(version, "status"))),
                Html::text(&changed.join(", ")),
                json::moment_cell(version, "created_at"),
                step.map_or_else(Html::default, |step| Html::of(&step)),
            ];
            if let Some(artifacts) = artifacts {
                cells.insert(3, artifact_cell(visit, version, artifacts));
            }
            cells
        })
        .collect();
    let mut heads = ["Version", "Status", "What changed", "When", ""].map(Head::new).to_vec();
    if artifacts.is_some() {
        heads.insert(3, Head::new("File"));
    }
    Section {
        id: "versions",
        title: "Versions".to_owned(),
        action: None,
        table: Table { label: "Versions of the model".to_owned(), heads, rows },
        empty: "No version yet.",
    }
}

/// `POST /models/{id}/step`.
pub(super) async fn step(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<ModelId>,
    Form(form): Form<Sent>,
) -> Answer {
    visit.scope.require("models", "update")?;
    let to = match sent(&form, "to") {
        Some("active") => ModelStatus::Active,
        Some("deprecated") => ModelStatus::Deprecated,
        Some("archived") => ModelStatus::Archived,
        _ => {
            let fault =
                Fault::new("/to", "vocabulary", "A model becomes active, deprecated or archived");
            return Err(Problem::invalid(vec![fault]).into());
        }
    };
    let mut tx = state.store.begin(&visit.scope).await?;
    model_step(&mut tx, id, to).await?;
    tx.commit().await?;
    Ok(Redirect::to(&format!("/models/{id}?done=saved")).into_response())
}

/// `POST /models/{id}/roll-back`.
pub(super) async fn roll_back(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<ModelId>,
    Form(form): Form<Sent>,
) -> Answer {
    visit.scope.require("models", "update")?;
    let version: ModelVersionId = sent(&form, "version")
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| Problem::not_found("version of this model"))?;
    let mut tx = state.store.begin(&visit.scope).await?;
    model_roll_back(&mut tx, id, version).await?;
    tx.commit().await?;
    Ok(Redirect::to(&format!("/models/{id}?done=rolled-back")).into_response())
}
