//! Roles: what members may do.

use axum::{
    Router,
    extract::{Form, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use ephor_identity::{CATALOGUE, ChangeRole, CreateRole, RoleSummary};
use ephor_kernel::{Problem, RoleId};
use ephor_rest::Id;

use super::permissions;
use crate::{
    ConsoleState,
    error::page,
    pages::resource::{
        Action, DetailPage, Empty, FormPage, ListPage, ListTools, Section, Step, browse_status,
        edit::{self, Sent, sent},
    },
    view::{Badge, Field, Form as Fields, Head, Html, Table},
    visit::{Answer, Visit},
};

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/roles", get(list).post(create))
        .route("/roles/new", get(new))
        .route("/roles/{id}", get(show).post(change))
        .route("/roles/{id}/edit", get(edit))
        .route("/roles/{id}/delete", post(delete))
}

async fn list(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    let roles = state.identity.role_list(&visit.scope).await?;
    let rows = roles
        .iter()
        .map(|role| {
            let kind = if role.builtin_code.is_some() { "built in" } else { "your own" };
            let permissions = match role.permissions.as_slice() {
                [all] if all == "*" => "everything".to_owned(),
                some => format!("{} permissions", some.len()),
            };
            vec![
                Html::link(&format!("/roles/{}", role.id), &role.name)
                    .sub(role.description.as_deref().unwrap_or_default()),
                Html::of(&Badge::plain(kind)),
                Html::text(&permissions),
            ]
        })
        .collect();
    let new =
        visit.may("roles", "create").then(|| Action::primary("New role", "/roles/new", "plus"));
    Ok(page(&ListPage {
        frame: visit.frame("Roles", "/roles"),
        lede: "What members may do. Nobody gives more than they have.".to_owned(),
        actions: new.into_iter().collect(),
        filters: Vec::new(),
        filtered: false,
        sort: None,
        table: Table {
            label: "Roles".to_owned(),
            heads: ["Role", "Kind", "May do"].map(Head::new).to_vec(),
            rows,
        },
        total: None,
        first: None,
        next: None,
        tools: ListTools::default(),
        here: "/roles".to_owned(),
        empty: Empty::new("role", "No roles", "Roles say what members may do."),
    }))
}

async fn found(state: &ConsoleState, visit: &Visit, id: RoleId) -> Result<RoleSummary, Problem> {
    let roles = state.identity.role_list(&visit.scope).await?;
    roles.into_iter().find(|role| role.id == id).ok_or_else(|| Problem::not_found("role"))
}

async fn show(State(state): State<ConsoleState>, visit: Visit, Id(id): Id<RoleId>) -> Answer {
    let role = found(&state, &visit, id).await?;
    let frame = visit.frame(&role.name, "/roles").crumb("Roles", "/roles");
    let own = role.builtin_code.is_none();
    let edit = (own && visit.may("roles", "update"))
        .then(|| Action::new("Edit", format!("/roles/{id}/edit"), "edit"));
    let copy = visit
        .may("roles", "create")
        .then(|| Action::new("New role like this", format!("/roles/new?like={id}"), "copy"));
    let delete = (own && visit.may("roles", "delete")).then(|| {
        Step::new("Delete", format!("/roles/{id}/delete"), "trash", &frame)
            .danger(format!("Delete the role {}? This cannot be undone.", role.name))
    });
    let set = ephor_kernel::PermissionSet::parse(role.permissions.iter().map(String::as_str))
        .unwrap_or_default();
    let rows = CATALOGUE
        .iter()
        .filter_map(|entry| {
            let may: Vec<&str> = entry
                .actions
                .iter()
                .copied()
                .filter(|action| set.allows(entry.resource, action))
                .collect();
            (!may.is_empty()).then(|| {
                vec![
                    Html::text(&crate::view::format::label(entry.resource)).sub(entry.about),
                    Html::text(&may.join(", ")),
                ]
            })
        })
        .collect();
    Ok(page(&DetailPage {
        lede: role.description.clone().unwrap_or_default(),
        badges: vec![Badge::plain(if own { "your own" } else { "built in" })],
        actions: edit.into_iter().chain(copy).collect(),
        steps: delete.into_iter().collect(),
        facts: Vec::new(),
        sections: vec![Section {
            id: "may",
            title: "What it may do".to_owned(),
            action: None,
            table: Table {
                label: "What the role may do".to_owned(),
                heads: ["What", "May"].map(Head::new).to_vec(),
                rows,
            },
            empty: "Nothing.",
        }],
        frame,
    }))
}

fn form(visit: &Visit, role: Option<&RoleSummary>, refused: Option<(&Sent, &Problem)>) -> Response {
    filled(visit, role, role, refused)
}

/// The form for a role, or for a new one that begins as `like`.
fn filled(
    visit: &Visit,
    role: Option<&RoleSummary>,
    like: Option<&RoleSummary>,
    refused: Option<(&Sent, &Problem)>,
) -> Response {
    let given = match refused {
        Some((values, _)) => permissions::sent(values),
        None => like.map(|role| role.permissions.clone()).unwrap_or_default(),
    };
    let mut fields = vec![
        Field::new("name", "Name").required().value(role.map_or("", |role| &role.name)),
        Field::new("description", "Description")
            .value(like.and_then(|role| role.description.as_deref()).unwrap_or_default()),
    ];
    fields.extend(permissions::fields(visit, &given));
    let mut form = Fields::new(fields);
    if let Some((values, problem)) = refused {
        form.fill(|name| if name.starts_with("permissions") { None } else { sent(values, name) });
        form.refuse(problem);
    }
    let action = role.map_or_else(|| "/roles".to_owned(), |role| format!("/roles/{}", role.id));
    let title = role.map_or_else(|| "New role".to_owned(), |role| format!("Edit {}", role.name));
    let answer = page(&FormPage {
        frame: visit.frame(title, "/roles").crumb("Roles", "/roles"),
        lede: String::new(),
        form,
        action: action.clone(),
        hidden: edit::version(refused, role.map(|role| role.version.to_string()))
            .into_iter()
            .collect(),
        submit: "Save",
        cancel: action,
    });
    match refused {
        Some((_, problem)) => (browse_status(problem), answer).into_response(),
        None => answer,
    }
}

async fn new(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    visit.scope.require("roles", "create")?;
    let like = match visit.query.get("like").and_then(|id| id.parse().ok()) {
        Some(id) => Some(found(&state, &visit, id).await?),
        None => None,
    };
    Ok(filled(&visit, None, like.as_ref(), None))
}

async fn edit(State(state): State<ConsoleState>, visit: Visit, Id(id): Id<RoleId>) -> Answer {
    visit.scope.require("roles", "update")?;
    Ok(form(&visit, Some(&found(&state, &visit, id).await?), None))
}

async fn create(
    State(state): State<ConsoleState>,
    visit: Visit,
    Form(values): Form<Sent>,
) -> Answer {
    let input = CreateRole {
        name: sent(&values, "name").unwrap_or_default().to_owned(),
        description: sent(&values, "description").map(str::to_owned),
        permissions: permissions::sent(&values),
    };
    match state.identity.role_create(&visit.scope, &input).await {
        Ok(role) => Ok(Redirect::to(&format!("/roles/{}?done=created", role.id)).into_response()),
        Err(problem) => Ok(form(&visit, None, Some((&values, &problem)))),
    }
}

async fn change(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<RoleId>,
    Form(values): Form<Sent>,
) -> Answer {
    let input = ChangeRole {
        name: sent(&values, "name").map(str::to_owned),
        description: sent(&values, "description").map(str::to_owned),
        permissions: Some(permissions::sent(&values)),
    };
    let version = sent(&values, "version").and_then(|version| version.parse().ok());
    match state.identity.role_change(&visit.scope, id, version, &input).await {
        Ok(_) => Ok(Redirect::to(&format!("/roles/{id}?done=saved")).into_response()),
        Err(problem) => {
            Ok(form(&visit, Some(&found(&state, &visit, id).await?), Some((&values, &problem))))
        }
    }
}

async fn delete(State(state): State<ConsoleState>, visit: Visit, Id(id): Id<RoleId>) -> Answer {
    state.identity.role_delete(&visit.scope, id).await?;
    Ok(Redirect::to("/roles?done=deleted").into_response())
}
