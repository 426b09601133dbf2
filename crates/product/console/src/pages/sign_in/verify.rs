//! Proving an address: looking at the link proves nothing (mail programs look too), the button does,
//! and only for whoever is signed in to the account.

use axum::{
    extract::{Form, State},
    response::{IntoResponse, Redirect},
};
use ephor_rest::ListRequest;

use super::{GatePage, invitation::Oneself};
use crate::{
    ConsoleState,
    error::page,
    frame::Frame,
    pages::resource::edit::{Sent, sent},
    problem_page::sign_in,
    view::Form as Fields,
    visit::{Answer, Caller},
};

/// `GET /verify-email?token=…`.
pub(super) async fn show(caller: Caller) -> Answer {
    let token = caller.query.get("token").unwrap_or_default().to_owned();
    let (lede, submit, other) = if caller.signed_in {
        (
            "You got here by a link that was mailed to it.",
            "Yes, it is mine",
            Some(("Not you?", "/sessions".to_owned(), "See who is signed in")),
        )
    } else {
        (
            "You got here by a link that was mailed to it. Sign in to the account that you opened with it. If you opened none, somebody else did: then do nothing.",
            "Sign in",
            None,
        )
    };
    Ok(page(&GatePage {
        frame: Frame::new("Is this your address?", caller.theme),
        lede: lede.to_owned(),
        form: Fields::new(Vec::new()),
        action: "/verify-email",
        hidden: caller.hidden(vec![("token", token)]),
        submit,
        other,
    }))
}

/// `POST /verify-email`.
pub(super) async fn verify(
    State(state): State<ConsoleState>,
    caller: Caller,
    oneself: Oneself,
    Form(form): Form<Sent>,
) -> Answer {
    let token = sent(&form, "token").unwrap_or_default();
    let Oneself(Some((scope, session))) = &oneself else {
        let back = format!("/verify-email?{}", ListRequest::new().with("token", token).to_query());
        return Ok(Redirect::to(&sign_in(&back)).into_response());
    };
    state.identity.email_verify(&caller.context, scope, session, token).await?;
    Ok(Redirect::to("/sessions?done=verified").into_response())
}
