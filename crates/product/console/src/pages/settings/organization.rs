//! The organization: its settings, switching to another, looking into a subsidiary, opening one.

use axum::{
    Router,
    extract::{Form, State},
    http::header,
    response::{AppendHeaders, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use ephor_identity::OpenSubsidiary;
use ephor_kernel::{OrganizationId, Problem};
use ephor_rest::ListRequest;

use crate::{
    ConsoleState,
    error::page,
    looking,
    pages::{
        resource::{
            Action, DetailPage, FormPage, browse_status,
            edit::{self, Sent, sent},
        },
        sign_in::onward,
    },
    view::{Badge, Field, Form as Fields, Html, json},
    visit::{Answer, Visit},
};

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/organization", get(show).post(update))
        .route("/organization/edit", get(change))
        .route("/organization/new", get(new).post(open))
        .route("/organization/switch", post(switch))
        .route("/organization/open", get(open_link))
}

async fn show(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    let row = found(&state, &visit).await?;
    let mut actions = Vec::new();
    if visit.may("subsidiaries", "create") && json::text(&row, "kind") != "subsidiary" {
        actions.push(Action::new("Open a subsidiary", "/organization/new", "plus"));
    }
    if visit.may("organizations", "update") {
        actions.push(Action::new("Edit", "/organization/edit", "edit"));
    }
    let limit = |name: &str| {
        json::number(&row, name).map_or_else(|| "no limit".to_owned(), crate::view::format::number)
    };
    Ok(page(&DetailPage {
        frame: visit.frame("Settings", "/organization"),
        lede: json::text(&row, "name").to_owned(),
        badges: vec![Badge::plain(json::text(&row, "kind"))],
        actions,
        steps: Vec::new(),
        facts: vec![
            ("Description".to_owned(), Html::text(json::text(&row, "description"))),
            ("In addresses".to_owned(), Html::text(json::text(&row, "slug"))),
            ("Id".to_owned(), Html::text(json::text(&row, "id"))),
            ("Most members".to_owned(), Html::text(&limit("max_users"))),
            ("Monthly cost limit".to_owned(), Html::text(&limit("monthly_cost_limit"))),
            (
                "Second factor".to_owned(),
                Html::text(if row["require_second_factor"] == true {
                    "required"
                } else {
                    "not required"
                }),
            ),
            ("Opened".to_owned(), json::moment_cell(&row, "created_at")),
        ],
        sections: Vec::new(),
    }))
}

async fn found(state: &ConsoleState, visit: &Visit) -> Result<serde_json::Value, Problem> {
    let mut tx = state.store.begin(&visit.scope).await?;
    let id = visit.scope.organization().uuid();
    let row = state.engine.get(&mut tx, "organizations", id, &ListRequest::new()).await?;
    tx.commit().await?;
    Ok(row)
}

async fn change(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    form(&state, &visit, None).await
}

async fn form(state: &ConsoleState, visit: &Visit, refused: Option<(&Sent, &Problem)>) -> Answer {
    visit.scope.require("organizations", "update")?;
    let row = found(state, visit).await?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let mut form = edit::form(state, &mut tx, "organizations", Some(&row)).await?;
    tx.commit().await?;
    if let Some((values, problem)) = refused {
        form.fill(|name| sent(values, name));
        form.refuse(problem);
    }
    let version = row.get("version").map(ToString::to_string);
    let answer = page(&FormPage {
        frame: visit
            .frame("Edit the organization", "/organization")
            .crumb("Settings", "/organization"),
        lede: String::new(),
        form,
        action: "/organization".to_owned(),
        hidden: edit::version(refused, version).into_iter().collect(),
        submit: "Save",
        cancel: "/organization".to_owned(),
    });
    Ok(match refused {
        Some((_, problem)) => (browse_status(problem), answer).into_response(),
        None => answer,
    })
}

async fn update(
    State(state): State<ConsoleState>,
    visit: Visit,
    Form(values): Form<Sent>,
) -> Answer {
    let id = visit.scope.organization().uuid();
    match edit::update(&state, &visit.scope, "organizations", id, &values).await {
        Ok(_) => Ok(Redirect::to("/organization?done=saved").into_response()),
        Err(problem) => form(&state, &visit, Some((&values, &problem))).await,
    }
}

async fn switch(
    State(state): State<ConsoleState>,
    visit: Visit,
    Form(values): Form<Sent>,
) -> Answer {
    let organization = parsed(sent(&values, "organization"))?;
    let next = onward(sent(&values, "next"));
    match place(&visit, organization) {
        Place::Here => Ok(looked(&state, None, &told(next, "switched"))),
        Place::Read => {
            let next = if looking::reaches(&state.engine, next) { next } else { "/" };
            Ok(looked(&state, Some(organization), &told(next, "looking")))
        }
        // Whoever is no member there may not know of it: that is refused in one place.
        Place::Member | Place::Nowhere => {
            let cookie =
                state.identity.session_switch(&visit.context, &visit.session, organization).await?;
            let secure = state.identity.config().secure_cookies;
            let cookies = [cookie.header(), looking::cookie(secure, None)];
            let cookies = AppendHeaders(cookies.map(|one| (header::SET_COOKIE, one)));
            Ok((cookies, Redirect::to(&told(next, "switched"))).into_response())
        }
    }
}

/// What an organization is to who asks for it.
enum Place {
    /// Their session's.
    Here,
    /// One of those that they are members of.
    Member,
    /// One that they may look into.
    Read,
    /// None that they may know of.
    Nowhere,
}

fn place(visit: &Visit, organization: OrganizationId) -> Place {
    // Whoever belongs to a subsidiary works there as what they are.
    if organization == visit.scope.organization() {
        Place::Here
    } else if visit.me.organizations.iter().any(|mine| mine.id == organization) {
        Place::Member
    } else if visit.scope.readable().contains(&organization) {
        Place::Read
    } else {
        Place::Nowhere
    }
}

fn parsed(id: Option<&str>) -> Result<OrganizationId, Problem> {
    id.and_then(|id| id.parse().ok()).ok_or_else(|| Problem::not_found("organization"))
}

/// The address, saying there what was done.
fn told(next: &str, done: &str) -> String {
    format!("{next}{}done={done}", if next.contains('?') { '&' } else { '?' })
}

/// Goes on, looking into that subsidiary, or into none.
fn looked(state: &ConsoleState, organization: Option<OrganizationId>, next: &str) -> Response {
    let cookie = looking::cookie(state.identity.config().secure_cookies, organization);
    ([(header::SET_COOKIE, cookie)], Redirect::to(next)).into_response()
}

/// `GET /organization/open`: a link to a page of an organization. It leads there who may only read it; the session
/// goes to another organization when its person says so, never by a link.
async fn open_link(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    let organization = parsed(visit.query.get("organization"))?;
    let next = onward(visit.query.get("next"));
    match place(&visit, organization) {
        Place::Here => Ok(looked(&state, None, next)),
        Place::Read => Ok(looked(&state, Some(organization), next)),
        Place::Nowhere => Err(Problem::not_found("organization").into()),
        Place::Member => {
            let there = visit.me.organizations.iter().find(|mine| mine.id == organization);
            let name = there.map_or("", |there| &there.name);
            Ok(page(&FormPage {
                frame: visit.frame(format!("Go to {name}"), ""),
                lede: format!(
                    "The link leads to a page of {name}. You work in {} at the moment.",
                    visit.organization()
                ),
                form: Fields::new(Vec::new()),
                action: "/organization/switch".to_owned(),
                hidden: vec![("organization", organization.to_string()), ("next", next.to_owned())],
                submit: "Go there",
                cancel: "/".to_owned(),
            }))
        }
    }
}

fn subsidiary(visit: &Visit, refused: Option<(&Sent, &Problem)>) -> Response {
    let mut form = Fields::new(vec![Field::new("name", "Name").required()]);
    if let Some((values, problem)) = refused {
        form.fill(|name| sent(values, name));
        form.refuse(problem);
    }
    let answer = page(&FormPage {
        frame: visit.frame("Open a subsidiary", "/organization").crumb("Settings", "/organization"),
        lede: format!(
            "An organization under {}: whose members see it according to their role here, while it sees nothing of yours. You will be its owner.",
            visit.organization()
        ),
        form,
        action: "/organization/new".to_owned(),
        hidden: Vec::new(),
        submit: "Open it",
        cancel: "/organization".to_owned(),
    });
    match refused {
        Some((_, problem)) => (browse_status(problem), answer).into_response(),
        None => answer,
    }
}

async fn new(visit: Visit) -> Answer {
    visit.scope.require("subsidiaries", "create")?;
    Ok(subsidiary(&visit, None))
}

async fn open(State(state): State<ConsoleState>, visit: Visit, Form(values): Form<Sent>) -> Answer {
    let input = OpenSubsidiary { name: sent(&values, "name").unwrap_or_default().to_owned() };
    match state.identity.subsidiary_open(&visit.scope, &input).await {
        Ok(opened) => {
            let cookie =
                state.identity.session_switch(&visit.context, &visit.session, opened.id).await?;
            Ok(([(header::SET_COOKIE, cookie.header())], Redirect::to("/?done=switched"))
                .into_response())
        }
        Err(problem) => Ok(subsidiary(&visit, Some((&values, &problem)))),
    }
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn what_was_done_is_said_where_it_leads() {
        assert_eq!(told("/", "switched"), "/?done=switched");
        assert_eq!(told("/models?q=a", "looking"), "/models?q=a&done=looking");
    }
}
