//! The form that takes the file of a model's version.

use askama::Template;
use axum::extract::{Path, State};
use ephor_kernel::{ModelId, ModelVersionId, Problem};
use ephor_rest::ListRequest;

use crate::{
    ConsoleState,
    error::page,
    frame::Frame,
    view::{Control, Field, Form as Fields, Icon, json},
    visit::{Answer, Visit},
};

/// The form that takes a file.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/model/artifact.html")]
pub(crate) struct ArtifactPage {
    pub frame: Frame,
    pub lede: String,
    pub form: Fields,
    pub action: String,
    /// Where to go when it is stored.
    pub done: String,
    pub cancel: String,
}

/// `GET /models/{id}/versions/{version}/artifact`.
pub(super) async fn show(
    State(state): State<ConsoleState>,
    visit: Visit,
    Path((id, version)): Path<(String, String)>,
) -> Answer {
    visit.scope.require("model_artifacts", "create")?;
    let unknown = |_| Problem::not_found("version of this model");
    let (id, version) = (
        id.parse::<ModelId>().map_err(unknown)?,
        version.parse::<ModelVersionId>().map_err(unknown)?,
    );
    let mut tx = state.store.begin(&visit.scope).await?;
    let request = ListRequest::new();
    let model = state.engine.get(&mut tx, "models", id.uuid(), &request).await?;
    let found = state.engine.get(&mut tx, "model_versions", version.uuid(), &request).await?;
    tx.commit().await?;
    if json::text(&found, "model_id") != id.to_string() {
        return Err(Problem::not_found("version of this model").into());
    }
    let name = json::text(&model, "name");
    let here = format!("/models/{id}");
    Ok(page(&ArtifactPage {
        frame: visit
            .frame("Upload a model's file", "/models")
            .crumb("Models", "/models")
            .crumb(name, &here),
        lede: format!(
            "The file of {name} at version {}, as its training program wrote it: explanations are computed from it.",
            json::text(&found, "semantic_version")
        ),
        form: Fields::new(vec![
            Field::new("file", "File")
                .control(Control::File(".json,.ubj,.txt,.onnx,.model"))
                .required(),
        ]),
        action: format!("/v1/model_versions/{version}/artifacts"),
        done: format!("{here}?done=created"),
        cancel: here,
    }))
}
