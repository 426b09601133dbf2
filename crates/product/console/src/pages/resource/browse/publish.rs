//! Publishing a post, and taking it back: steps of its state machine, a button each.

use axum::{
    extract::{Form, Path, State},
    response::{IntoResponse, Redirect},
};
use ephor_kernel::Problem;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{
    Step,
    edit::{Sent, sent},
};
use crate::{
    ConsoleState,
    frame::Frame,
    view::json as rows,
    visit::{Answer, Visit},
};

/// What the state machine of posts is taken through by a button.
const POSTS: &str = "posts";

/// The step that a post may take; other things take none.
pub(super) fn step(path: &str, row: &Value, here: &str, frame: &Frame) -> Option<Step> {
    let (label, action, icon, confirm) = match (path, rows::text(row, "status")) {
        (POSTS, "draft" | "archived") => (
            "Publish",
            "publish",
            "pass",
            "Publish this post? Anybody may read it then, without a log-in.",
        ),
        (POSTS, "published") => (
            "Unpublish",
            "unpublish",
            "cancelled",
            "Take this post back? Its address stops working; it becomes a draft again.",
        ),
        _ => return None,
    };
    let step = Step {
        confirm: confirm.to_owned(),
        ..Step::new(label, format!("{here}/{action}"), icon, frame)
    };
    Some(step.with("version", row.get("version").map(ToString::to_string).unwrap_or_default()))
}

/// `POST /resources/posts/{id}/publish`.
pub(super) async fn publish(
    state: State<ConsoleState>,
    visit: Visit,
    place: Path<(String, Uuid)>,
    form: Form<Sent>,
) -> Answer {
    take(state, visit, place, form, "published").await
}

/// `POST /resources/posts/{id}/unpublish`.
pub(super) async fn unpublish(
    state: State<ConsoleState>,
    visit: Visit,
    place: Path<(String, Uuid)>,
    form: Form<Sent>,
) -> Answer {
    take(state, visit, place, form, "draft").await
}

async fn take(
    State(state): State<ConsoleState>,
    visit: Visit,
    Path((path, id)): Path<(String, Uuid)>,
    Form(form): Form<Sent>,
    status: &str,
) -> Answer {
    if path != POSTS {
        return Err(Problem::not_found("page").into());
    }
    let version = sent(&form, "version").and_then(|version| version.parse().ok());
    let mut tx = state.engine.begin_write(&state.store, &visit.scope, POSTS).await?;
    let patch = json!({ "status": status });
    state.engine.update(&mut tx, POSTS, id, &patch, version).await?;
    tx.commit().await.map_err(Problem::from)?;
    let done = if status == "published" { "published" } else { "unpublished" };
    Ok(Redirect::to(&format!("/resources/{POSTS}/{id}?done={done}")).into_response())
}
