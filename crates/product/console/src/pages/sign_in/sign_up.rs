//! Opening an organization.

use axum::{
    extract::{Form, State},
    response::{IntoResponse, Redirect, Response},
};
use ephor_identity::{Password, SignUp};
use ephor_kernel::Problem;

use super::{GatePage, admitted};
use crate::{
    ConsoleState,
    error::page,
    frame::Frame,
    pages::resource::{
        browse_status,
        edit::{Sent, sent},
    },
    view::{Control, Field, Form as Fields},
    visit::Caller,
};

fn gate(caller: &Caller, refused: Option<(&Sent, &Problem)>) -> GatePage {
    let mut form = Fields::new(vec![
        Field::new("full_name", "Your name").required().autocomplete("name"),
        Field::new("organization_name", "Organization").required().autocomplete("organization"),
        Field::new("email", "E-mail")
            .control(Control::Line("email"))
            .required()
            .autocomplete("username"),
        Field::new("password", "Password")
            .control(Control::Line("password"))
            .required()
            .hint("At least 10 characters; a phrase is easier to keep than a riddle.")
            .autocomplete("new-password"),
        Field::new(
            "consent",
            "I agree that Ephor stores my name and e-mail address to run my account",
        )
        .control(Control::Check),
    ]);
    if let Some((values, problem)) = refused {
        form.fill(|name| sent(values, name));
        form.refuse(problem);
    }
    GatePage {
        frame: Frame::new("Open an organization", caller.theme),
        lede: "You will be its owner.".to_owned(),
        form,
        action: "/sign-up",
        hidden: Vec::new(),
        submit: "Open it",
        other: Some(("Have an account?", "/sign-in".to_owned(), "Sign in")),
    }
}

/// `GET /sign-up`.
pub(super) async fn show(caller: Caller) -> Response {
    if caller.signed_in {
        return Redirect::to("/").into_response();
    }
    page(&gate(&caller, None))
}

/// `POST /sign-up`.
pub(super) async fn sign_up(
    State(state): State<ConsoleState>,
    caller: Caller,
    Form(form): Form<Sent>,
) -> Response {
    let text = |name: &str| sent(&form, name).unwrap_or_default().to_owned();
    let input = SignUp {
        email: text("email"),
        password: Password::new(text("password")),
        full_name: text("full_name"),
        organization_name: text("organization_name"),
        kind: None,
        consent: sent(&form, "consent").is_some(),
    };
    match state.identity.sign_up(&caller.context, &input).await {
        Ok((_, cookie)) => admitted(&cookie, None),
        Err(problem) => {
            (browse_status(&problem), page(&gate(&caller, Some((&form, &problem))))).into_response()
        }
    }
}
