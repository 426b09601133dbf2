//! The second step of signing in.

use axum::{
    extract::{Form, State},
    response::{IntoResponse, Redirect, Response},
};
use ephor_identity::{LogInCode, SecondFactorCode};
use ephor_kernel::{Code, Problem};

use super::{GatePage, admitted, onward};
use crate::{
    ConsoleState,
    error::page,
    frame::Frame,
    pages::resource::{
        browse_status,
        edit::{Sent, sent},
    },
    view::{Field, Form as Fields},
    visit::Caller,
};

/// The form for the code of somebody whose first step succeeded.
pub(super) fn gate(
    caller: &Caller,
    token: &str,
    next: Option<&str>,
    refused: Option<&Problem>,
) -> GatePage {
    let mut form = Fields::new(vec![
        Field::new("code", "Code")
            .required()
            .hint("Six digits of your authenticator, or one of your recovery codes.")
            .autocomplete("one-time-code"),
    ]);
    if let Some(problem) = refused {
        form.refuse(problem);
    }
    GatePage {
        frame: Frame::new("Your second factor", caller.theme),
        lede: "One more step.".to_owned(),
        form,
        action: "/sign-in/code",
        hidden: vec![("token", token.to_owned()), ("next", onward(next).to_owned())],
        submit: "Sign in",
        other: Some(("Not you?", "/sign-in".to_owned(), "Begin again")),
    }
}

/// `GET /sign-in/code`: nothing to go on with.
pub(super) async fn show() -> Redirect {
    Redirect::to("/sign-in")
}

/// `POST /sign-in/code`.
pub(super) async fn sign_in(
    State(state): State<ConsoleState>,
    caller: Caller,
    Form(form): Form<Sent>,
) -> Response {
    let input = LogInCode {
        token: sent(&form, "token").unwrap_or_default().to_owned(),
        code: SecondFactorCode::new(sent(&form, "code").unwrap_or_default()),
    };
    let next = sent(&form, "next");
    match state.identity.log_in_code(&caller.context, &input).await {
        Ok(cookie) => admitted(&cookie, next),
        Err(problem) if problem.code == Code::Unauthenticated => {
            (browse_status(&problem), page(&super::gate(&caller, next, Some((&form, &problem)))))
                .into_response()
        }
        Err(problem) => {
            (browse_status(&problem), page(&gate(&caller, &input.token, next, Some(&problem))))
                .into_response()
        }
    }
}
