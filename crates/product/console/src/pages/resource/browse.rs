//! Any resource: what the specification and the catalog say is enough to list it, show a row,
//! make one, change it and delete it.

use axum::{
    Router,
    extract::{Form, Path, State},
    response::{IntoResponse, Redirect},
    routing::{get, post},
};
use ephor_kernel::Problem;
use ephor_rest::{ApiError, Column as Field, Kind, ListRequest, Resource};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Action, DetailPage, Empty, FormPage, ListPage, Step,
    edit::{self, Sent, sent},
    listing::Listing,
};
use crate::{
    ConsoleState,
    error::page,
    view::{Head, Html, format, json},
    visit::{Answer, Visit},
};

pub(crate) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/resources/{path}", get(list).post(create))
        .route("/resources/{path}/new", get(new))
        .route("/resources/{path}/{id}", get(show).post(update))
        .route("/resources/{path}/{id}/edit", get(change))
        .route("/resources/{path}/{id}/delete", post(delete))
}

/// The resource, if there is one that may be listed.
fn known<'a>(state: &'a ConsoleState, path: &str) -> Result<&'a Resource, ApiError> {
    state
        .engine
        .resource(path)
        .filter(|resource| resource.spec().available().list)
        .ok_or_else(|| Problem::not_found("resource").into())
}

/// The columns that a list shows: those that tell rows apart, at most six.
fn told(resource: &Resource) -> Vec<&Field> {
    let told = |column: &&Field| {
        !matches!(column.kind, Kind::Json | Kind::Uuid)
            && column.name != "version"
            && column.name != "updated_at"
    };
    resource.columns().filter(told).take(6).collect()
}

fn title(row: &Value) -> String {
    ["name", "full_name", "semantic_version", "metric_name", "id"]
        .into_iter()
        .map(|column| json::text(row, column))
        .find(|text| !text.is_empty())
        .unwrap_or("Row")
        .to_owned()
}

async fn list(State(state): State<ConsoleState>, visit: Visit, Path(path): Path<String>) -> Answer {
    let resource = known(&state, &path)?;
    let spec = resource.spec();
    let here = format!("/resources/{path}");
    let columns = told(resource);
    let filters: Vec<&str> = columns
        .iter()
        .filter(|column| !column.bounds.vocabulary.is_empty())
        .map(|column| column.name.as_str())
        .collect();
    let search = spec.is_searchable();
    let listing =
        Listing { path: &path, here: &here, columns: &[], filters: &filters, search, include: &[] };
    let mut listed = listing
        .read(&state, &visit, |row| {
            let mut cells: Vec<Html> = columns
                .iter()
                .map(|column| {
                    let value = row.get(&column.name).unwrap_or(&Value::Null);
                    json::cell(&column.kind, !column.bounds.vocabulary.is_empty(), value)
                })
                .collect();
            if let Some(first) = cells.first_mut() {
                *first = Html::link(&format!("{here}/{}", json::text(row, "id")), &title(row));
            }
            cells
        })
        .await?;
    listed.table.heads = columns.iter().map(|column| Head::new(column.label())).collect();
    let may_create = spec.available().create && visit.may(spec.permission_word(), "create");
    let create = may_create.then(|| {
        Action::primary(format!("New {}", spec.singular()), format!("{here}/new"), "plus")
    });
    let comment = resource.table().comment.clone().unwrap_or_default();
    Ok(page(&ListPage {
        frame: visit.frame(format::label(spec.plural()), ""),
        lede: comment.clone(),
        actions: create.clone().into_iter().collect(),
        filters: listed.filters,
        filtered: listed.filtered,
        sort: listed.sort,
        table: listed.table,
        total: listed.total,
        first: listed.first,
        next: listed.next,
        here,
        empty: Empty::new("resource", format!("No {} yet", spec.plural()), comment).action(create),
    }))
}

async fn show(
    State(state): State<ConsoleState>,
    visit: Visit,
    Path((path, id)): Path<(String, Uuid)>,
) -> Answer {
    let resource = known(&state, &path)?;
    let spec = resource.spec();
    let request = ListRequest::new();
    let mut tx = state.engine.begin_read(&state.store, &visit.scope, &path, &request).await?;
    let row = state.engine.get(&mut tx, &path, id, &request).await?;
    tx.commit().await?;
    let here = format!("/resources/{path}");
    let frame = visit.frame(title(&row), "").crumb(format::label(spec.plural()), &here);
    let may = |action: &str| visit.may(spec.permission_word(), action);
    let actions = (spec.available().update && may("update"))
        .then(|| Action::new("Edit", format!("{here}/{id}/edit"), "edit"));
    let steps = (spec.available().delete && may("delete")).then(|| {
        Step::new("Delete", format!("{here}/{id}/delete"), "trash", &frame)
            .danger(format!("Delete this {}? This cannot be undone.", spec.singular()))
    });
    let facts = resource
        .columns()
        .filter(|column| column.name != "organization_id")
        .map(|column| {
            let value = row.get(&column.name).unwrap_or(&Value::Null);
            (column.label(), json::cell(&column.kind, !column.bounds.vocabulary.is_empty(), value))
        })
        .collect();
    Ok(page(&DetailPage {
        frame,
        lede: format::label(spec.singular()),
        badges: Vec::new(),
        actions: actions.into_iter().collect(),
        steps: steps.into_iter().collect(),
        facts,
        sections: Vec::new(),
    }))
}

async fn new(State(state): State<ConsoleState>, visit: Visit, Path(path): Path<String>) -> Answer {
    form_page(&state, &visit, &path, None, None).await
}

async fn change(
    State(state): State<ConsoleState>,
    visit: Visit,
    Path((path, id)): Path<(String, Uuid)>,
) -> Answer {
    form_page(&state, &visit, &path, Some(id), None).await
}

/// The form for a new row, or for the row `id`; with what was sent and why it was refused.
async fn form_page(
    state: &ConsoleState,
    visit: &Visit,
    path: &str,
    id: Option<Uuid>,
    refused: Option<(&Sent, &Problem)>,
) -> Answer {
    let spec = known(state, path)?.spec();
    let request = ListRequest::new();
    let mut tx = state.engine.begin_read(&state.store, &visit.scope, path, &request).await?;
    let row = match id {
        Some(id) => Some(state.engine.get(&mut tx, path, id, &request).await?),
        None => None,
    };
    let mut form = edit::form(state, &mut tx, path, row.as_ref()).await?;
    tx.commit().await?;
    let here = format!("/resources/{path}");
    let mut version = row.as_ref().and_then(|row| row.get("version")).map(ToString::to_string);
    if let Some((values, problem)) = refused {
        form.fill(|name| sent(values, name));
        form.refuse(problem);
        version = sent(values, "version").map(str::to_owned).or(version);
    }
    let frame = visit.frame(
        match &row {
            Some(row) => format!("Edit {}", title(row)),
            None => format!("New {}", spec.singular()),
        },
        "",
    );
    let target = id.map_or_else(|| here.clone(), |id| format!("{here}/{id}"));
    let answer = page(&FormPage {
        frame: frame.crumb(format::label(spec.plural()), &here),
        lede: String::new(),
        form,
        action: target.clone(),
        hidden: version.into_iter().map(|version| ("version", version)).collect(),
        submit: if id.is_some() { "Save" } else { "Create" },
        cancel: target,
    });
    Ok(match refused {
        Some((_, problem)) => (status(problem), answer).into_response(),
        None => answer,
    })
}

/// The status that a problem answers with.
pub(crate) fn status(problem: &Problem) -> axum::http::StatusCode {
    axum::http::StatusCode::from_u16(problem.code.status())
        .unwrap_or(axum::http::StatusCode::UNPROCESSABLE_ENTITY)
}

async fn create(
    State(state): State<ConsoleState>,
    visit: Visit,
    Path(path): Path<String>,
    Form(form): Form<Sent>,
) -> Answer {
    known(&state, &path)?;
    match edit::create(&state, &visit.scope, &path, &form).await {
        Ok(row) => {
            Ok(Redirect::to(&format!("/resources/{path}/{}?done=created", json::text(&row, "id")))
                .into_response())
        }
        Err(problem) => form_page(&state, &visit, &path, None, Some((&form, &problem))).await,
    }
}

async fn update(
    State(state): State<ConsoleState>,
    visit: Visit,
    Path((path, id)): Path<(String, Uuid)>,
    Form(form): Form<Sent>,
) -> Answer {
    known(&state, &path)?;
    match edit::update(&state, &visit.scope, &path, id, &form).await {
        Ok(_) => Ok(Redirect::to(&format!("/resources/{path}/{id}?done=saved")).into_response()),
        Err(problem) => form_page(&state, &visit, &path, Some(id), Some((&form, &problem))).await,
    }
}

async fn delete(
    State(state): State<ConsoleState>,
    visit: Visit,
    Path((path, id)): Path<(String, Uuid)>,
) -> Answer {
    known(&state, &path)?;
    edit::delete(&state, &visit.scope, &path, id).await?;
    Ok(Redirect::to(&format!("/resources/{path}?done=deleted")).into_response())
}
