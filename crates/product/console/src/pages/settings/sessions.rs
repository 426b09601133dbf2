//! One's own sessions and account.

use axum::{
    Router,
    extract::{Form, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use ephor_identity::{ChangePassword, Password};
use ephor_kernel::{Problem, SessionId};
use ephor_rest::Id;

use crate::{
    ConsoleState,
    error::page,
    pages::resource::{
        Action, DetailPage, FormPage, Section, Step, browse_status,
        edit::{Sent, sent},
    },
    view::{Badge, Control, Field, Form as Fields, Head, Html, Moment, Table},
    visit::{Answer, Visit},
};

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/sessions", get(show))
        .route("/sessions/{id}/revoke", post(revoke))
        .route("/sessions/verify-email", post(verify_email))
        .route("/password", get(password).post(change_password))
}

/// What a browser says of itself, cut to what tells it apart.
fn browser(agent: Option<&str>) -> String {
    let agent = agent.unwrap_or("unknown program");
    let known = ["Edg/", "OPR/", "Firefox/", "Chrome/", "Safari/", "curl/"];
    let name = known
        .iter()
        .find(|name| agent.contains(**name))
        .map_or(agent, |name| name.trim_end_matches('/'));
    let name = match name {
        "Edg" => "Edge",
        "OPR" => "Opera",
        other => other,
    };
    let system = ["Windows", "Android", "iPhone", "Mac OS", "Linux"]
        .iter()
        .find(|system| agent.contains(**system));
    system.map_or_else(|| name.chars().take(60).collect(), |system| format!("{name} on {system}"))
}

async fn show(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    let sessions = state.identity.session_list(&visit.scope, Some(visit.session.id)).await?;
    let frame = visit.frame("Your account", "");
    let rows = sessions
        .iter()
        .map(|session| {
            let mark = if session.current {
                Html::of(&Badge::new("active", "pass", "this one"))
            } else {
                let action = format!("/sessions/{}/revoke", session.id);
                Html::of(&Step::new("End", action, "out", &frame).danger("End this session?"))
            };
            vec![
                Html::text(&browser(session.user_agent.as_deref()))
                    .sub(session.ip_address.as_deref().unwrap_or_default()),
                Html::of(&Moment(session.created_at)),
                Html::of(&Moment(session.last_seen_at)),
                Html::of(&Moment(session.expires_at)),
                mark,
            ]
        })
        .collect();
    let heads = ["Where", "Signed in", "Last seen", "Ends", ""].map(Head::new).to_vec();
    let user = &visit.me.user;
    let proven = user.email_verified_at.map_or_else(
        || Html::of(&Badge::new("warning", "warning", "not proven")),
        |at| Html::of(&Moment(at)),
    );
    let mut facts = vec![
        ("E-mail".to_owned(), Html::text(&user.email)),
        ("Address proven".to_owned(), proven),
        ("Role here".to_owned(), Html::text(visit.role())),
        ("Account since".to_owned(), Html::of(&Moment(user.created_at))),
    ];
    facts.extend(super::account::facts(user));
    let mut steps = Vec::new();
    if user.email_verified_at.is_none() && state.identity.config().mail {
        let action = "/sessions/verify-email";
        steps.push(Step::new("Prove your address", action, "pass", &frame));
    }
    steps.push(
        Step::new("Sign out everywhere", "/sign-out-everywhere", "out", &frame)
            .danger("End all of your sessions, this one too?"),
    );
    Ok(page(&DetailPage {
        lede: user.full_name.clone(),
        badges: Vec::new(),
        actions: vec![
            Action::new("Edit", "/account", "edit"),
            Action::new("Change password", "/password", "key"),
            Action::new("My data", "/my-data", "download"),
        ],
        steps,
        facts,
        sections: vec![Section {
            id: "sessions",
            title: "Sessions".to_owned(),
            action: None,
            table: Table { label: "Your sessions".to_owned(), heads, rows },
            empty: "None.",
        }],
        frame,
    }))
}

async fn revoke(State(state): State<ConsoleState>, visit: Visit, Id(id): Id<SessionId>) -> Answer {
    state.identity.session_revoke(&visit.scope, id).await?;
    Ok(Redirect::to("/sessions?done=revoked").into_response())
}

async fn verify_email(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    state.identity.email_verification_send(&visit.context, &visit.scope).await?;
    Ok(Redirect::to("/sessions?done=mailed").into_response())
}

fn form(visit: &Visit, refused: Option<&Problem>) -> Response {
    let field = |name: &str, label: &str| {
        Field::new(name, label).control(Control::Line("password")).required()
    };
    let mut form = Fields::new(vec![
        field("current_password", "Present password").autocomplete("current-password"),
        field("password", "New password")
            .hint("At least 10 characters; a phrase is easier to keep than a riddle.")
            .autocomplete("new-password"),
    ]);
    if let Some(problem) = refused {
        form.refuse(problem);
    }
    let answer = page(&FormPage {
        frame: visit.frame("Change password", "").crumb("Your account", "/sessions"),
        lede: "All of your other sessions end.".to_owned(),
        form,
        action: "/password".to_owned(),
        hidden: Vec::new(),
        submit: "Change it",
        cancel: "/sessions".to_owned(),
    });
    match refused {
        Some(problem) => (browse_status(problem), answer).into_response(),
        None => answer,
    }
}

async fn password(visit: Visit) -> Answer {
    Ok(form(&visit, None))
}

async fn change_password(
    State(state): State<ConsoleState>,
    visit: Visit,
    Form(values): Form<Sent>,
) -> Answer {
    let input = ChangePassword {
        current_password: Password::new(sent(&values, "current_password").unwrap_or_default()),
        password: Password::new(sent(&values, "password").unwrap_or_default()),
    };
    match state.identity.password_change(&visit.context, &visit.scope, &visit.session, &input).await
    {
        Ok(()) => Ok(Redirect::to("/sessions?done=password").into_response()),
        Err(problem) => Ok(form(&visit, Some(&problem))),
    }
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn browsers_are_told_apart() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36";
        assert_eq!(browser(Some(chrome)), "Chrome on Linux");
        assert_eq!(browser(Some("curl/8.5.0")), "curl");
        assert_eq!(browser(None), "unknown program");
    }
}
