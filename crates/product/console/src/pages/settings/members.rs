//! Members: who belongs to the organization, and as what.

use axum::{
    Router,
    extract::{Form, State},
    response::{IntoResponse, Redirect},
    routing::{get, post},
};
use ephor_identity::{AddMember, ChangeMember};
use ephor_kernel::{MemberId, Problem};
use ephor_rest::{Id, ListRequest};
use serde_json::Value;

use super::{role_field::role_field, secret::SecretPage};
use crate::{
    ConsoleState,
    error::page,
    pages::resource::{
        Action, Column, DetailPage, Empty, FormPage, ListPage, Listing, Step, browse_status,
        edit::{self, Sent, sent},
    },
    view::{Badge, Control, Field, Form as Fields, Html, json},
    visit::{Answer, Visit},
};

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/members", get(list).post(add))
        .route("/members/new", get(new))
        .route("/members/{id}", get(show).post(change))
        .route("/members/{id}/edit", get(edit))
        .route("/members/{id}/link", post(link))
        .route("/members/{id}/remove", post(remove))
}

const LISTING: Listing<'static> = Listing {
    path: "members",
    here: "/members",
    columns: &[
        Column::new("Name", "full_name"),
        Column::new("Role", "").named("role_id"),
        Column::new("State", "").named("is_active"),
        Column::new("Joined", "joined_at"),
    ],
    filters: &[],
    search: true,
    include: &["role"],
};

fn state_of(member: &Value) -> Badge {
    let active = member.get("is_active").and_then(Value::as_bool).unwrap_or(false);
    let joined = !json::text(member, "joined_at").is_empty();
    Badge::state(match (active, joined) {
        (true, _) => "active",
        (false, true) => "inactive",
        (false, false) => "invited",
    })
}

async fn list(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    let listed = LISTING
        .read(&state, &visit, |row| {
            vec![
                Html::link(
                    &format!("/members/{}", json::text(row, "id")),
                    json::text(row, "full_name"),
                )
                .sub(json::text(row, "email")),
                Html::text(row.pointer("/role/name").and_then(Value::as_str).unwrap_or_default()),
                Html::of(&state_of(row)),
                json::moment_cell(row, "joined_at"),
            ]
        })
        .await?;
    let add = visit
        .may("members", "create")
        .then(|| Action::primary("Add somebody", "/members/new", "plus"));
    let invitations = visit
        .may("team_invitations", "read")
        .then(|| Action::new("Invitations", "/invitations", "members"));
    Ok(page(&ListPage {
        frame: visit.frame("Members", "/members"),
        lede: "Who belongs to the organization, and what they may do here.".to_owned(),
        actions: invitations.into_iter().chain(add.clone()).collect(),
        filters: listed.filters,
        filtered: listed.filtered,
        sort: listed.sort,
        table: listed.table,
        total: listed.total,
        first: listed.first,
        next: listed.next,
        tools: listed.tools,
        here: "/members".to_owned(),
        empty: Empty::new(
            "members",
            "Nobody else yet",
            "Add the people who work on your AI systems.",
        )
        .action(add),
    }))
}

/// The form for a new member, or for a member's role.
async fn form(
    state: &ConsoleState,
    visit: &Visit,
    member: Option<&Value>,
    refused: Option<(&Sent, &Problem)>,
) -> Answer {
    let mut tx = state.store.begin(&visit.scope).await?;
    let held = member.map(|member| json::text(member, "role_id"));
    let role = role_field(state, &mut tx, held).await?;
    tx.commit().await?;
    let mut form = match member {
        Some(member) => Fields::new(vec![
            role,
            Field::new("is_active", "May work here").control(Control::Check).value(
                if member.get("is_active") == Some(&Value::Bool(true)) { "true" } else { "" },
            ),
        ]),
        None => Fields::new(vec![
            Field::new("email", "E-mail").control(Control::Line("email")).required(),
            Field::new("full_name", "Name").required(),
            role,
        ]),
    };
    if let Some((values, problem)) = refused {
        form.fill(|name| sent(values, name));
        form.refuse(problem);
    }
    let (title, action, submit) = match member {
        Some(member) => (
            format!("Change {}", json::text(member, "full_name")),
            format!("/members/{}", json::text(member, "id")),
            "Save",
        ),
        None => ("Add somebody".to_owned(), "/members".to_owned(), "Add"),
    };
    let version = member.and_then(|member| member.get("version")).map(ToString::to_string);
    let answer = page(&FormPage {
        frame: visit.frame(title, "/members").crumb("Members", "/members"),
        lede: String::new(),
        form,
        action: action.clone(),
        hidden: edit::version(refused, version).into_iter().collect(),
        submit,
        cancel: action,
    });
    Ok(match refused {
        Some((_, problem)) => (browse_status(problem), answer).into_response(),
        None => answer,
    })
}

async fn new(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    visit.scope.require("members", "create")?;
    form(&state, &visit, None, None).await
}

async fn add(State(state): State<ConsoleState>, visit: Visit, Form(values): Form<Sent>) -> Answer {
    let text = |name: &str| sent(&values, name).unwrap_or_default().to_owned();
    let input = AddMember {
        email: text("email"),
        full_name: text("full_name"),
        role_id: sent(&values, "role_id").and_then(|id| id.parse().ok()),
        role: None,
    };
    match state.identity.member_add(&visit.scope, &input).await {
        Ok(added) => Ok(secret_link(
            &visit,
            &added.full_name,
            &added.join.path,
            &added.join.expires_at.format("%Y-%m-%d %H:%M UTC").to_string(),
        )),
        Err(problem) => form(&state, &visit, None, Some((&values, &problem))).await,
    }
}

/// The page that shows a join link once.
fn secret_link(visit: &Visit, name: &str, path: &str, until: &str) -> axum::response::Response {
    page(&SecretPage {
        frame: visit.frame("Join link", "/members").crumb("Members", "/members"),
        lede: format!(
            "Hand this link to {name}. It works once, until {until}, and is not shown again."
        ),
        label: "Path below Ephor's address",
        secret: path.to_owned(),
        hint: "Put the address of this Ephor before it.".to_owned(),
        back: "/members",
    })
}

async fn found(state: &ConsoleState, visit: &Visit, id: MemberId) -> Result<Value, Problem> {
    let mut tx = state.store.begin(&visit.scope).await?;
    let request = ListRequest::new().include(&["role"]);
    let request = if visit.may("roles", "read") { request } else { ListRequest::new() };
    let member = state.engine.get(&mut tx, "members", id.uuid(), &request).await?;
    tx.commit().await?;
    Ok(member)
}

async fn show(State(state): State<ConsoleState>, visit: Visit, Id(id): Id<MemberId>) -> Answer {
    let member = found(&state, &visit, id).await?;
    let frame =
        visit.frame(json::text(&member, "full_name"), "/members").crumb("Members", "/members");
    let joined = !json::text(&member, "joined_at").is_empty();
    let mut steps = Vec::new();
    if !joined && visit.may("members", "create") {
        steps.push(Step::new("New join link", format!("/members/{id}/link"), "key", &frame));
    }
    if visit.may("members", "delete") {
        steps.push(
            Step::new("Remove", format!("/members/{id}/remove"), "trash", &frame)
                .danger(format!(
                    "Remove {}? Their keys and sessions here end at once; what they did stays in the audit trail.",
                    json::text(&member, "full_name")
                )),
        );
    }
    let edit = (joined && visit.may("members", "update"))
        .then(|| Action::new("Change", format!("/members/{id}/edit"), "edit"));
    Ok(page(&DetailPage {
        lede: json::text(&member, "email").to_owned(),
        badges: vec![state_of(&member)],
        actions: edit.into_iter().collect(),
        steps,
        facts: vec![
            (
                "Role".to_owned(),
                Html::text(
                    member.pointer("/role/name").and_then(Value::as_str).unwrap_or_default(),
                ),
            ),
            ("Joined".to_owned(), json::moment_cell(&member, "joined_at")),
            ("Added".to_owned(), json::moment_cell(&member, "created_at")),
        ],
        sections: Vec::new(),
        frame,
    }))
}

async fn edit(State(state): State<ConsoleState>, visit: Visit, Id(id): Id<MemberId>) -> Answer {
    visit.scope.require("members", "update")?;
    let member = found(&state, &visit, id).await?;
    form(&state, &visit, Some(&member), None).await
}

async fn change(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<MemberId>,
    Form(values): Form<Sent>,
) -> Answer {
    let input = ChangeMember {
        role_id: sent(&values, "role_id").and_then(|id| id.parse().ok()),
        role: None,
        is_active: Some(sent(&values, "is_active").is_some()),
    };
    let version = sent(&values, "version").and_then(|version| version.parse().ok());
    match state.identity.member_change(&visit.scope, id, version, &input).await {
        Ok(_) => Ok(Redirect::to(&format!("/members/{id}?done=saved")).into_response()),
        Err(problem) => {
            let member = found(&state, &visit, id).await?;
            form(&state, &visit, Some(&member), Some((&values, &problem))).await
        }
    }
}

async fn link(State(state): State<ConsoleState>, visit: Visit, Id(id): Id<MemberId>) -> Answer {
    let link = state.identity.member_link(&visit.scope, id).await?;
    let member = found(&state, &visit, id).await?;
    let until = link.expires_at.format("%Y-%m-%d %H:%M UTC").to_string();
    Ok(secret_link(&visit, json::text(&member, "full_name"), &link.path, &until))
}

async fn remove(State(state): State<ConsoleState>, visit: Visit, Id(id): Id<MemberId>) -> Answer {
    state.identity.member_remove(&visit.scope, id).await?;
    Ok(Redirect::to("/members?done=removed").into_response())
}
