//! Proving an address: looking at the link proves nothing (mail programs look too), the button does.

use axum::{
    extract::{Form, State},
    response::{IntoResponse, Redirect},
};

use super::GatePage;
use crate::{
    ConsoleState,
    error::page,
    frame::Frame,
    pages::resource::edit::{Sent, sent},
    view::Form as Fields,
    visit::{Answer, Caller},
};

/// `GET /verify-email?token=…`.
pub(super) async fn show(caller: Caller) -> Answer {
    let token = caller.query.get("token").unwrap_or_default().to_owned();
    Ok(page(&GatePage {
        frame: Frame::new("Is this your address?", caller.theme),
        lede: "You got here by a link that was mailed to it.".to_owned(),
        form: Fields::new(Vec::new()),
        action: "/verify-email",
        hidden: caller.hidden(vec![("token", token)]),
        submit: "Yes, it is mine",
        other: None,
    }))
}

/// `POST /verify-email`.
pub(super) async fn verify(
    State(state): State<ConsoleState>,
    caller: Caller,
    Form(form): Form<Sent>,
) -> Answer {
    let token = sent(&form, "token").unwrap_or_default();
    state.identity.email_verify(&caller.context, token).await?;
    let onward =
        if caller.signed_in { "/sessions?done=verified" } else { "/sign-in?done=verified" };
    Ok(Redirect::to(onward).into_response())
}
