//! Keeping, changing and deleting one's views.

use axum::{
    extract::{Form, Path, State},
    response::{IntoResponse, Redirect, Response},
};
use ephor_kernel::{Code, Fault, Problem};
use ephor_rest::Resource;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    super::{
        FormPage, browse_status,
        edit::{Sent, sent},
        listing::address,
    },
    place, shown,
};
use crate::{
    ConsoleState,
    error::page,
    view::{Control, Field, Form as Fields, format},
    visit::{Answer, Visit},
};

/// The list that the view is of, and where the form stood.
fn list<'a>(state: &'a ConsoleState, values: &Sent) -> Result<(&'a Resource, String), Problem> {
    let path = sent(values, "resource").unwrap_or_default();
    let resource = state
        .engine
        .resource(path)
        .filter(|resource| resource.spec().available().list)
        .ok_or_else(|| Problem::not_found("list"))?;
    Ok((resource, place(path, sent(values, "here").unwrap_or_default())))
}

/// What the list showed, as the form carries it.
fn looked(values: &Sent) -> Result<Option<Map<String, Value>>, Problem> {
    let Some(text) = sent(values, "state") else { return Ok(None) };
    match serde_json::from_str(text) {
        Ok(Value::Object(state)) => Ok(Some(state)),
        _ => Err(Problem::new(
            Code::Malformed,
            "What the list showed did not come with the form; go back, reload the list and try again",
        )),
    }
}

/// What the form calls the view, and to whom it is shown.
fn named(values: &Sent) -> Map<String, Value> {
    let ticked = |name: &str| sent(values, name) == Some("true");
    let mut body = Map::new();
    body.insert("name".into(), json!(sent(values, "name").unwrap_or_default().trim()));
    body.insert("is_shared".into(), json!(ticked("is_shared")));
    body.insert("is_default".into(), json!(ticked("is_default")));
    body
}

/// `POST /views`.
pub(super) async fn create(
    State(state): State<ConsoleState>,
    visit: Visit,
    Form(values): Form<Sent>,
) -> Answer {
    let (resource, here) = list(&state, &values)?;
    let mut body = looked(&values)?.unwrap_or_default();
    body.extend(named(&values));
    body.insert("resource".into(), json!(resource.spec().path()));
    let mut tx = state.store.begin(&visit.scope).await?;
    match state.engine.create(&mut tx, "saved_views", &Value::Object(body)).await {
        Ok(view) => {
            tx.commit().await?;
            Ok(back(resource, &here, &view))
        }
        Err(problem) => Ok(refused(&visit, resource, &here, "/views", &values, problem)),
    }
}

/// `POST /views/{id}`: with what the list shows now, or with another name.
pub(super) async fn update(
    State(state): State<ConsoleState>,
    visit: Visit,
    Path(id): Path<Uuid>,
    Form(values): Form<Sent>,
) -> Answer {
    let (resource, here) = list(&state, &values)?;
    let patch = match looked(&values)? {
        Some(state) if sent(&values, "name").is_none() => state,
        _ => named(&values),
    };
    let mut tx = state.store.begin(&visit.scope).await?;
    // One's own alone is changed, so nobody else's change can be lost by it.
    let patch = Value::Object(patch);
    match state.engine.update(&mut tx, "saved_views", id, &patch, None).await {
        Ok(view) => {
            tx.commit().await?;
            Ok(back(resource, &here, &view))
        }
        Err(problem) if matches!(problem.code, Code::Invalid | Code::Conflict) => {
            Ok(refused(&visit, resource, &here, &format!("/views/{id}"), &values, problem))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// `POST /views/{id}/delete`.
pub(super) async fn delete(
    State(state): State<ConsoleState>,
    visit: Visit,
    Path(id): Path<Uuid>,
    Form(values): Form<Sent>,
) -> Answer {
    let (_, here) = list(&state, &values)?;
    let mut tx = state.store.begin(&visit.scope).await?;
    state.engine.delete(&mut tx, "saved_views", id, None).await?;
    tx.commit().await?;
    Ok(Redirect::to(&format!("{here}?view=none&done=view-deleted")).into_response())
}

/// To the list as the view shows it.
fn back(resource: &Resource, here: &str, view: &Value) -> Response {
    let list = shown(resource, here, view);
    let told = if list.contains('?') { format!("{list}&done=view-saved") } else { list };
    Redirect::to(&told).into_response()
}

/// The form again, with what is wrong beside its fields.
fn refused(
    visit: &Visit,
    resource: &Resource,
    here: &str,
    action: &str,
    values: &Sent,
    mut problem: Problem,
) -> Response {
    if problem.code == Code::Conflict && problem.faults.is_empty() {
        // There is one thing that a view can clash with: another of its name.
        let message = "You have a view of this name for this list already";
        problem.faults.push(Fault::new("/name", "taken", message).hint("Give it another name."));
    }
    let plural = resource.spec().plural();
    let mut form = Fields::new(vec![
        Field::new("name", "Name").required(),
        Field::new("is_shared", "Share with the organization").control(Control::Check),
        Field::new("is_default", "Open this list with it").control(Control::Check),
    ]);
    form.fill(|name| sent(values, name));
    form.refuse(&problem);
    let hidden = ["resource", "here", "state"]
        .into_iter()
        .filter_map(|name| Some((name, sent(values, name)?.to_owned())))
        .collect();
    let answer = page(&FormPage {
        frame: visit.frame("Save view", here).crumb(format::label(plural), here),
        lede: format!("Keeps how {plural} are listed, under a name."),
        form,
        action: action.to_owned(),
        hidden,
        submit: "Save view",
        cancel: address(here, &ephor_rest::ListRequest::new()),
    });
    (browse_status(&problem), answer).into_response()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_form_without_its_state_is_told_apart_from_a_broken_one() {
        assert!(looked(&Vec::new()).unwrap().is_none());
        let broken = looked(&vec![("state".into(), "[1".into())]).unwrap_err();
        assert_eq!(broken.code, Code::Malformed);
    }

    #[test]
    fn only_ticked_boxes_say_yes() {
        let body =
            named(&vec![("name".into(), " Mine ".into()), ("is_shared".into(), "true".into())]);
        assert_eq!(
            Value::Object(body),
            json!({"name": "Mine", "is_shared": true, "is_default": false})
        );
    }
}
