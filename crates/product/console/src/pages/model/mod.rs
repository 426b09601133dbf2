//! Models: a list, one with its versions and the steps of its life, and its form.

pub(crate) mod artifact;
mod card;
mod show;
pub(crate) mod trend;

use axum::{
    Router,
    extract::{Form, State},
    response::{IntoResponse, Redirect},
    routing::{get, post},
};
use ephor_kernel::{ModelId, Problem};
use ephor_rest::{Id, ListRequest};

use super::resource::{
    Action, Column, Empty, FormPage, ListPage, Listing, browse_status,
    edit::{self, Sent, sent},
};
use crate::{
    ConsoleState,
    error::page,
    view::{Badge, Html, format, json},
    visit::{Answer, Visit},
};

pub(crate) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/models", get(list).post(create))
        .route("/models/new", get(new))
        .route("/models/{id}", get(show::show).post(update))
        .route("/models/{id}/edit", get(change))
        .route("/models/{id}/step", post(show::step))
        .route("/models/{id}/roll-back", post(show::roll_back))
        .route("/models/{id}/delete", post(delete))
        .route("/models/{id}/versions/{version}/artifact", get(artifact::show))
        .route("/models/{id}/trend", get(trend::show))
        .route("/models/{id}/card.html", get(card::html))
        .route("/models/{id}/card.pdf", get(card::pdf))
        .route("/models/{id}/card.md", get(card::markdown))
        .route("/models/{id}/card.json", get(card::json))
}

const LISTING: Listing<'static> = Listing {
    path: "models",
    here: "/models",
    columns: &[
        Column::new("Name", "name"),
        Column::new("Status", "status"),
        Column::new("Kind", "model_type"),
        Column::new("Version", "").named("semantic_version"),
        Column::new("Changed", "updated_at"),
    ],
    filters: &["status", "model_type"],
    search: true,
    include: &[],
};

async fn list(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    let listed = LISTING
        .read(&state, &visit, |row| {
            vec![
                Html::link(&format!("/models/{}", json::text(row, "id")), json::text(row, "name"))
                    .sub(json::text(row, "description")),
                Html::of(&Badge::state(json::text(row, "status"))),
                Html::text(&format::label(json::text(row, "model_type"))),
                Html::text(json::text(row, "semantic_version")),
                json::moment_cell(row, "updated_at"),
            ]
        })
        .await?;
    let new = visit
        .may("models", "create")
        .then(|| Action::primary("Register a model", "/models/new", "plus"));
    Ok(page(&ListPage {
        frame: visit.frame("Models", "/models"),
        lede: "What decides, and in which version.".to_owned(),
        actions: new.clone().into_iter().collect(),
        filters: listed.filters,
        filtered: listed.filtered,
        sort: listed.sort,
        table: listed.table,
        total: listed.total,
        first: listed.first,
        next: listed.next,
        tools: listed.tools,
        here: "/models".to_owned(),
        empty: Empty::new("model", "No model yet", "Register the models that you use or build: analyses, versions and evidence gather around them.")
            .action(new),
    }))
}

async fn new(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    form(&state, &visit, None, None).await
}

async fn change(State(state): State<ConsoleState>, visit: Visit, Id(id): Id<ModelId>) -> Answer {
    form(&state, &visit, Some(id), None).await
}

async fn form(
    state: &ConsoleState,
    visit: &Visit,
    id: Option<ModelId>,
    refused: Option<(&Sent, &Problem)>,
) -> Answer {
    visit.scope.require("models", if id.is_some() { "update" } else { "create" })?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let row = match id {
        Some(id) => {
            Some(state.engine.get(&mut tx, "models", id.uuid(), &ListRequest::new()).await?)
        }
        None => None,
    };
    let mut form = edit::form(state, &mut tx, "models", row.as_ref()).await?;
    tx.commit().await?;
    let version = row.as_ref().and_then(|row| row.get("version")).map(ToString::to_string);
    if let Some((values, problem)) = refused {
        form.fill(|name| sent(values, name));
        form.refuse(problem);
    }
    let title = row.as_ref().map_or_else(
        || "Register a model".to_owned(),
        |row| format!("Edit {}", json::text(row, "name")),
    );
    let here = id.map_or_else(|| "/models".to_owned(), |id| format!("/models/{id}"));
    let answer = page(&FormPage {
        frame: visit.frame(title, "/models").crumb("Models", "/models"),
        lede: "A change of what the model is (its kind, schema or metadata) needs a new version number, and is kept as a version.".to_owned(),
        form,
        action: here.clone(),
        hidden: edit::version(refused, version).into_iter().collect(),
        submit: if id.is_some() { "Save" } else { "Register" },
        cancel: here,
    });
    Ok(match refused {
        Some((_, problem)) => (browse_status(problem), answer).into_response(),
        None => answer,
    })
}

async fn create(
    State(state): State<ConsoleState>,
    visit: Visit,
    Form(values): Form<Sent>,
) -> Answer {
    match edit::create(&state, &visit.scope, "models", &values).await {
        Ok(row) => {
            let to = format!("/models/{}?done=created", json::text(&row, "id"));
            Ok(Redirect::to(&to).into_response())
        }
        Err(problem) => form(&state, &visit, None, Some((&values, &problem))).await,
    }
}

async fn update(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<ModelId>,
    Form(values): Form<Sent>,
) -> Answer {
    match edit::update(&state, &visit.scope, "models", id.uuid(), &values).await {
        Ok(_) => Ok(Redirect::to(&format!("/models/{id}?done=saved")).into_response()),
        Err(problem) => form(&state, &visit, Some(id), Some((&values, &problem))).await,
    }
}

async fn delete(State(state): State<ConsoleState>, visit: Visit, Id(id): Id<ModelId>) -> Answer {
    edit::delete(&state, &visit.scope, "models", id.uuid()).await?;
    Ok(Redirect::to("/models?done=deleted").into_response())
}
