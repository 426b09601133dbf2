//! Making, changing and deleting a row of any resource, by forms.

use axum::{
    extract::{Form, Path, State},
    response::{IntoResponse, Redirect},
};
use ephor_kernel::Problem;
use ephor_rest::ListRequest;
use uuid::Uuid;

use super::{
    super::{
        FormPage,
        edit::{self, Sent, sent},
        people,
        undo::Undo,
    },
    caution, known,
};
use crate::{
    ConsoleState,
    error::page,
    view::{format, json},
    visit::{Answer, Visit},
};

/// `GET /resources/{path}/new`, filled in with what the address says.
pub(super) async fn new(
    State(state): State<ConsoleState>,
    visit: Visit,
    Path(path): Path<String>,
) -> Answer {
    visit.scope.require(known(&state, &path)?.spec().permission_word(), "create")?;
    form_page(&state, &visit, &path, None, None).await
}

/// `GET /resources/{path}/{id}/edit`.
pub(super) async fn change(
    State(state): State<ConsoleState>,
    visit: Visit,
    Path((path, id)): Path<(String, Uuid)>,
) -> Answer {
    visit.scope.require(known(&state, &path)?.spec().permission_word(), "update")?;
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
    let resource = known(state, path)?;
    let spec = resource.spec();
    let request = ListRequest::new();
    let mut tx = state.engine.begin_read(&state.store, &visit.scope, path, &request).await?;
    let row = match id {
        Some(id) => Some(state.engine.get(&mut tx, path, id, &request).await?),
        None => None,
    };
    let mut form = edit::form(state, &mut tx, path, row.as_ref()).await?;
    let undo = match visit.query.get("undo") {
        Some(entry) => Some(Undo::read(&mut tx, visit, resource, id, entry).await?),
        None => None,
    };
    tx.commit().await?;
    if let Some(undo) = undo.as_ref().filter(|_| refused.is_none()) {
        undo.propose(&mut form);
    } else if id.is_none() && refused.is_none() {
        // A link from the whole fills in of what the new row is a part.
        form.propose(|name| visit.query.get(name));
    }
    let here = format!("/resources/{path}");
    let version = row.as_ref().and_then(|row| row.get("version")).map(ToString::to_string);
    if let Some((values, problem)) = refused {
        form.fill(|name| sent(values, name));
        people::keep_ticks(&mut form, values);
        form.refuse(problem);
    }
    let frame = visit.frame(
        match &row {
            Some(row) => format!("Edit {}", json::title(row)),
            None => format!("New {}", spec.singular()),
        },
        &here,
    );
    let target = id.map_or_else(|| here.clone(), |id| format!("{here}/{id}"));
    let answer = page(&FormPage {
        frame: frame.crumb(format::label(spec.plural()), &here),
        lede: caution::after(undo.map(|undo| undo.lede(&form)).unwrap_or_default(), spec),
        form,
        action: target.clone(),
        hidden: edit::version(refused, version).into_iter().collect(),
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

/// `POST /resources/{path}`.
pub(super) async fn create(
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

/// `POST /resources/{path}/{id}`.
pub(super) async fn update(
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

/// `POST /resources/{path}/{id}/delete`.
pub(super) async fn delete(
    State(state): State<ConsoleState>,
    visit: Visit,
    Path((path, id)): Path<(String, Uuid)>,
) -> Answer {
    known(&state, &path)?;
    edit::delete(&state, &visit.scope, &path, id).await?;
    Ok(Redirect::to(&format!("/resources/{path}?done=deleted")).into_response())
}
