//! A forgotten password: asking for a link, and setting a new one with it.

use axum::{
    extract::{Form, State},
    response::{IntoResponse, Redirect, Response},
};
use ephor_identity::{ForgotPassword, Password, ResetPassword};
use ephor_kernel::Problem;

use super::GatePage;
use crate::{
    ConsoleState,
    error::page,
    frame::Frame,
    pages::resource::{
        browse_status,
        edit::{Sent, sent},
    },
    view::{Control, Field, Form as Fields, Notice},
    visit::{Answer, Caller},
};

/// What the sign-in page tells, by the word that a redirect left in the address.
pub(super) fn done(word: &str) -> Option<Notice> {
    match word {
        "reset-mailed" => Some(
            Notice::pass("Look into your mail.")
                .text("If the address has an account, a link to set a new password is on its way."),
        ),
        "reset" => Some(
            Notice::pass("Your password is replaced; all of your sessions have ended.")
                .text("Sign in with the new one."),
        ),
        "verified" => Some(Notice::pass("Your address is proven.")),
        _ => None,
    }
}

fn forgot_gate(
    state: &ConsoleState,
    caller: &Caller,
    refused: Option<(&Sent, &Problem)>,
) -> GatePage {
    let mut form = Fields::new(vec![
        Field::new("email", "E-mail")
            .control(Control::Line("email"))
            .required()
            .autocomplete("username"),
    ]);
    if let Some((values, problem)) = refused {
        form.fill(|name| sent(values, name));
        form.refuse(problem);
    }
    let notice = (!state.identity.config().mail).then(|| {
        Notice::warning("Mail is not set up in this Ephor.")
            .text("Ask whoever runs it for a link to set a new password.")
    });
    GatePage {
        frame: Frame::new("Forgot your password?", caller.theme).notice(notice),
        lede: "A link to set a new one is sent to your address.".to_owned(),
        form,
        action: "/forgot-password",
        hidden: caller.hidden(Vec::new()),
        submit: "Send the link",
        other: Some(("Remember it?", "/sign-in".to_owned(), "Sign in")),
    }
}

/// `GET /forgot-password`.
pub(super) async fn forgot(State(state): State<ConsoleState>, caller: Caller) -> Response {
    page(&forgot_gate(&state, &caller, None))
}

/// `POST /forgot-password`.
pub(super) async fn send(
    State(state): State<ConsoleState>,
    caller: Caller,
    Form(form): Form<Sent>,
) -> Response {
    let email = sent(&form, "email").unwrap_or_default().to_owned();
    match state.identity.password_forgotten(&caller.context, &ForgotPassword { email }).await {
        Ok(()) => Redirect::to("/sign-in?done=reset-mailed").into_response(),
        Err(problem) => {
            let gate = forgot_gate(&state, &caller, Some((&form, &problem)));
            (browse_status(&problem), page(&gate)).into_response()
        }
    }
}

fn reset_gate(caller: &Caller, email: &str, token: &str, refused: Option<&Problem>) -> GatePage {
    let mut form = Fields::new(vec![
        Field::new("password", "New password")
            .control(Control::Line("password"))
            .required()
            .hint("At least 10 characters; a phrase is easier to keep than a riddle.")
            .autocomplete("new-password"),
    ]);
    if let Some(problem) = refused {
        form.refuse(problem);
    }
    GatePage {
        frame: Frame::new("Set a new password", caller.theme),
        lede: format!("For {email}. All of your sessions end."),
        form,
        action: "/reset-password",
        hidden: caller.hidden(vec![("token", token.to_owned())]),
        submit: "Set it",
        other: None,
    }
}

/// `GET /reset-password?token=…`.
pub(super) async fn show(State(state): State<ConsoleState>, caller: Caller) -> Answer {
    let token = caller.query.get("token").unwrap_or_default();
    let email = state.identity.password_reset_offer(&caller.context, token).await?;
    Ok(page(&reset_gate(&caller, email.as_str(), token, None)))
}

/// `POST /reset-password`.
pub(super) async fn reset(
    State(state): State<ConsoleState>,
    caller: Caller,
    Form(form): Form<Sent>,
) -> Answer {
    let input = ResetPassword {
        token: sent(&form, "token").unwrap_or_default().to_owned(),
        password: Password::new(sent(&form, "password").unwrap_or_default()),
    };
    match state.identity.password_reset(&caller.context, &input).await {
        Ok(_) => Ok(Redirect::to("/sign-in?done=reset").into_response()),
        Err(problem) => {
            let token = &input.token;
            let email = state.identity.password_reset_offer(&caller.context, token).await?;
            let gate = reset_gate(&caller, email.as_str(), token, Some(&problem));
            Ok((browse_status(&problem), page(&gate)).into_response())
        }
    }
}
