//! The door: sign in, open an organization, join one by a link, sign out.

mod code;
pub(crate) mod elsewhere;
pub(crate) mod gate;
mod invitation;
mod join;
mod reset;
mod sign_up;
mod verify;

use axum::{
    Router,
    extract::{Form, State},
    http::{HeaderValue, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use ephor_identity::{LogIn, LoggedIn, Password, SessionCookie};
use ephor_kernel::Problem;

use self::{elsewhere::SignInPage, gate::GatePage};
use super::resource::{
    browse_status,
    edit::{Sent, sent},
};
use crate::{
    ConsoleState,
    error::page,
    frame::Frame,
    looking,
    view::{Control, Field, Form as Fields},
    visit::{Answer, Caller, Visit},
};

pub(crate) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/sign-in", get(show).post(sign_in))
        .route("/sign-in/code", get(code::show).post(code::sign_in))
        .route("/sign-in/with/{provider}", get(elsewhere::begin))
        .route("/sign-in/with/{provider}/callback", get(elsewhere::finish))
        .route("/sign-up", get(sign_up::show).post(sign_up::sign_up))
        .route("/join", get(join::show).post(join::join))
        .route("/invitation", get(invitation::show).post(invitation::accept))
        .route("/forgot-password", get(reset::forgot).post(reset::send))
        .route("/reset-password", get(reset::show).post(reset::reset))
        .route("/verify-email", get(verify::show).post(verify::verify))
        .route("/sign-out", post(sign_out))
        .route("/sign-out-everywhere", post(sign_out_everywhere))
}

/// Where to go after the door: a page of ours, or the dashboard.
pub(crate) fn onward(next: Option<&str>) -> &str {
    next.filter(|next| {
        next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\n', '\r', '\t'])
    })
    .unwrap_or("/")
}

/// Goes on, signed in.
fn admitted(cookie: &SessionCookie, next: Option<&str>) -> Response {
    ([(header::SET_COOKIE, cookie.header())], Redirect::to(onward(next))).into_response()
}

fn gate(caller: &Caller, next: Option<&str>, refused: Option<(&Sent, &Problem)>) -> GatePage {
    let mut form = Fields::new(vec![
        Field::new("email", "E-mail")
            .control(Control::Line("email"))
            .required()
            .autocomplete("username"),
        Field::new("password", "Password")
            .control(Control::Line("password"))
            .required()
            .autocomplete("current-password"),
    ]);
    if let Some((values, problem)) = refused {
        form.fill(|name| sent(values, name));
        form.refuse(problem);
    }
    GatePage {
        frame: Frame::new("Sign in", caller.theme)
            .notice(caller.query.get("done").and_then(reset::done)),
        lede: String::new(),
        form,
        action: "/sign-in",
        hidden: vec![("next", onward(next).to_owned())],
        submit: "Sign in",
        other: Some(("New here?", "/sign-up".to_owned(), "Open an organization")),
    }
}

async fn show(State(state): State<ConsoleState>, caller: Caller) -> Response {
    let next = caller.query.get("next");
    if caller.signed_in {
        return Redirect::to(onward(next)).into_response();
    }
    page(&SignInPage::new(&state, gate(&caller, next, None), next))
}

async fn sign_in(
    State(state): State<ConsoleState>,
    caller: Caller,
    Form(form): Form<Sent>,
) -> Response {
    let input = LogIn {
        email: sent(&form, "email").unwrap_or_default().to_owned(),
        password: Password::new(sent(&form, "password").unwrap_or_default()),
        organization_id: None,
    };
    let next = sent(&form, "next");
    match state.identity.log_in(&caller.context, &input).await {
        Ok(LoggedIn::Session(cookie)) => admitted(&cookie, next),
        Ok(LoggedIn::SecondFactor(half)) => page(&code::gate(&caller, &half.token, next, None)),
        Err(problem) => {
            let gate = gate(&caller, next, Some((&form, &problem)));
            (browse_status(&problem), page(&SignInPage::new(&state, gate, next))).into_response()
        }
    }
}

async fn sign_out(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    leave(&state, &visit, false).await
}

async fn sign_out_everywhere(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    leave(&state, &visit, true).await
}

async fn leave(state: &ConsoleState, visit: &Visit, everywhere: bool) -> Answer {
    state.identity.log_out(&visit.context, &visit.session, everywhere).await?;
    let secure = state.identity.config().secure_cookies;
    let removal: HeaderValue = ephor_identity::removed_cookie(secure);
    let cookies = [removal, looking::cookie(secure, None)].map(|one| (header::SET_COOKIE, one));
    Ok((AppendHeaders(cookies), Redirect::to("/sign-in")).into_response())
}

#[cfg(test)]
mod tests {
    use super::onward;

    #[test]
    fn the_way_on_stays_on_this_site() {
        assert_eq!(onward(Some("/analyses?q=a")), "/analyses?q=a");
        for elsewhere in
            ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "", "/\n/evil"]
        {
            assert_eq!(onward(Some(elsewhere)), "/", "{elsewhere}");
        }
        assert_eq!(onward(None), "/");
    }
}
