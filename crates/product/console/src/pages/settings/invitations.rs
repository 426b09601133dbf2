//! Invitations: who is asked to join, by e-mail or by a link that is handed over.

use askama::{Template, filters::HtmlSafe};
use axum::{
    Router,
    extract::{Form, State},
    response::{IntoResponse, Redirect},
    routing::{get, post},
};
use ephor_identity::{Invite, Invited};
use ephor_kernel::{InvitationId, Problem};
use ephor_rest::{Id, ListRequest};
use serde_json::Value;

use super::{role_field::role_field, secret::SecretPage};
use crate::{
    ConsoleState,
    error::page,
    pages::resource::{
        Action, Column, Empty, FormPage, ListPage, Listing, Step, browse_status,
        edit::{Sent, sent},
        listing::choices,
    },
    view::{Badge, Choice, Control, Field, Form as Fields, Html, json},
    visit::{Answer, Visit},
};

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/invitations", get(list).post(invite))
        .route("/invitations/new", get(new))
        .route("/invitations/{id}/resend", post(resend))
        .route("/invitations/{id}/revoke", post(revoke))
}

const LISTING: Listing<'static> = Listing {
    path: "team_invitations",
    here: "/invitations",
    columns: &[
        Column::new("E-mail", "email"),
        Column::new("Role", ""),
        Column::new("State", "status"),
        Column::new("Mailed", "mailed_at"),
        Column::new("Until", "expires_at"),
        Column::new("", ""),
    ],
    filters: &["status"],
    search: true,
    include: &["role", "team"],
};

/// What may be done with an invitation, side by side.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<div class="row">{% for step in steps %}{{ step }}{% endfor %}</div>"#
)]
struct Steps {
    steps: Vec<Step>,
}

impl HtmlSafe for Steps {}

async fn list(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    let frame = visit.frame("Invitations", "/members").crumb("Members", "/members");
    let (may_send, may_revoke) =
        (visit.may("team_invitations", "create"), visit.may("team_invitations", "update"));
    let steps = |row: &Value| {
        let mut steps = Vec::new();
        if json::text(row, "status") == "pending" {
            let id = json::text(row, "id");
            let step = |label: &str, verb: &str, icon| {
                Step::new(label, format!("/invitations/{id}/{verb}"), icon, &frame)
            };
            if may_send {
                steps.push(step("Send again", "resend", "next"));
            }
            if may_revoke {
                steps.push(
                    step("Revoke", "revoke", "trash")
                        .danger("Revoke this invitation? Its link works no more."),
                );
            }
        }
        Steps { steps }
    };
    let listed = LISTING
        .read(&state, &visit, |row| {
            let name = |of: &str| row.pointer(of).and_then(Value::as_str).unwrap_or_default();
            let mailed = match (row.get("by_mail"), json::text(row, "mailed_at")) {
                (Some(Value::Bool(true)), "") => Html::text("not yet"),
                (Some(Value::Bool(true)), _) => json::moment_cell(row, "mailed_at"),
                _ => Html::text("handed over"),
            };
            vec![
                Html::text(json::text(row, "email")).sub(name("/team/name")),
                Html::text(name("/role/name")),
                Html::of(&Badge::state(json::text(row, "status"))),
                mailed,
                json::moment_cell(row, "expires_at"),
                Html::of(&steps(row)),
            ]
        })
        .await?;
    let invite = may_send.then(|| Action::primary("Invite somebody", "/invitations/new", "plus"));
    Ok(page(&ListPage {
        tools: listed.tools,
        lede: "Who is asked to join. A link works once, for seven days.".to_owned(),
        actions: invite.clone().into_iter().collect(),
        filters: listed.filters,
        filtered: listed.filtered,
        sort: listed.sort,
        table: listed.table,
        total: listed.total,
        first: listed.first,
        next: listed.next,
        here: "/invitations".to_owned(),
        empty: Empty::new(
            "members",
            "Nobody is invited",
            "Invite the people who work on your AI systems: they join by a link.",
        )
        .action(invite),
        frame,
    }))
}

async fn form(state: &ConsoleState, visit: &Visit, refused: Option<(&Sent, &Problem)>) -> Answer {
    let mut tx = state.store.begin(&visit.scope).await?;
    let role = role_field(state, &mut tx, None).await?;
    let request = ListRequest::new().filter("deleted_at", "is.null");
    let mut teams = vec![Choice::new("", "None")];
    teams.extend(choices(state, &mut tx, "teams", request).await?);
    tx.commit().await?;
    let mut form = Fields::new(vec![
        Field::new("email", "E-mail").control(Control::Line("email")).required(),
        role,
        Field::new("team_id", "Team").select(teams),
    ]);
    if let Some((values, problem)) = refused {
        form.fill(|name| sent(values, name));
        form.refuse(problem);
    }
    let lede = if state.identity.config().mail {
        "A link to join is sent to the address. It works once, for seven days."
    } else {
        "Mail is not set up in this Ephor: you get the link, to hand it over yourself."
    };
    let answer = page(&FormPage {
        frame: visit
            .frame("Invite somebody", "/members")
            .crumb("Members", "/members")
            .crumb("Invitations", "/invitations"),
        lede: lede.to_owned(),
        form,
        action: "/invitations".to_owned(),
        hidden: Vec::new(),
        submit: "Invite",
        cancel: "/invitations".to_owned(),
    });
    Ok(match refused {
        Some((_, problem)) => (browse_status(problem), answer).into_response(),
        None => answer,
    })
}

async fn new(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    visit.scope.require("team_invitations", "create")?;
    form(&state, &visit, None).await
}

async fn invite(
    State(state): State<ConsoleState>,
    visit: Visit,
    Form(values): Form<Sent>,
) -> Answer {
    let input = Invite {
        email: sent(&values, "email").unwrap_or_default().to_owned(),
        role_id: sent(&values, "role_id").and_then(|id| id.parse().ok()),
        role: None,
        team_id: sent(&values, "team_id").and_then(|id| id.parse().ok()),
        team_role: None,
    };
    match state.identity.invite(&visit.context, &visit.scope, &input).await {
        Ok(invited) => Ok(told(&visit, &invited)),
        Err(problem) => form(&state, &visit, Some((&values, &problem))).await,
    }
}

async fn resend(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<InvitationId>,
) -> Answer {
    let invited = state.identity.invitation_resend(&visit.context, &visit.scope, id).await?;
    Ok(told(&visit, &invited))
}

async fn revoke(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<InvitationId>,
) -> Answer {
    state.identity.invitation_revoke(&visit.scope, id).await?;
    Ok(Redirect::to("/invitations?done=revoked").into_response())
}

/// That the mail is on its way; where mail is not set up, the link, once.
fn told(visit: &Visit, invited: &Invited) -> axum::response::Response {
    let Some(link) = &invited.link else {
        return Redirect::to("/invitations?done=invited").into_response();
    };
    let until = invited.expires_at.format("%Y-%m-%d %H:%M UTC");
    page(&SecretPage {
        frame: visit
            .frame("Invitation", "/members")
            .crumb("Members", "/members")
            .crumb("Invitations", "/invitations"),
        lede: format!(
            "Mail is not set up here: hand this link to {}. It works once, until {until}, and is not shown again.",
            invited.email
        ),
        label: "Path below Ephor's address",
        secret: link.path.clone(),
        hint: "Put the address of this Ephor before it.".to_owned(),
        back: "/invitations",
    })
}
