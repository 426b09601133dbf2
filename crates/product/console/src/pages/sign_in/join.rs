//! Joining an organization by the link that one was given.

use axum::{
    extract::{Form, State},
    response::IntoResponse,
};
use ephor_identity::{Join, JoinOffer, LoggedIn, Password};
use ephor_kernel::Problem;

use super::{GatePage, admitted, code};
use crate::{
    ConsoleState,
    error::page,
    frame::Frame,
    pages::resource::{
        browse_status,
        edit::{Sent, sent},
    },
    view::{Control, Field, Form as Fields},
    visit::{Answer, Caller},
};

fn gate(
    caller: &Caller,
    offer: &JoinOffer,
    token: &str,
    refused: Option<(&Sent, &Problem)>,
) -> GatePage {
    let password = Field::new("password", "Password").control(Control::Line("password")).required();
    let mut fields = if offer.has_account {
        vec![password.hint("The one of your account.").autocomplete("current-password")]
    } else {
        vec![
            Field::new("full_name", "Your name")
                .required()
                .value(&offer.full_name)
                .autocomplete("name"),
            password.hint("The one that your account shall have.").autocomplete("new-password"),
        ]
    };
    fields.push(
        Field::new(
            "consent",
            "I agree that Ephor stores my name and e-mail address to run my account",
        )
        .control(Control::Check),
    );
    let mut form = Fields::new(fields);
    if let Some((values, problem)) = refused {
        form.fill(|name| sent(values, name));
        form.refuse(problem);
    }
    GatePage {
        frame: Frame::new(format!("Join {}", offer.organization_name), caller.theme),
        lede: format!("As {}.", offer.email),
        form,
        action: "/join",
        hidden: vec![("token", token.to_owned())],
        submit: "Join",
        other: None,
    }
}

/// `GET /join?token=…`.
pub(super) async fn show(State(state): State<ConsoleState>, caller: Caller) -> Answer {
    let token = caller.query.get("token").unwrap_or_default().to_owned();
    let offer = state.identity.join_offer(&caller.context, &token).await?;
    Ok(page(&gate(&caller, &offer, &token, None)))
}

/// `POST /join`.
pub(super) async fn join(
    State(state): State<ConsoleState>,
    caller: Caller,
    Form(form): Form<Sent>,
) -> Answer {
    let text = |name: &str| sent(&form, name).unwrap_or_default().to_owned();
    let input = Join {
        token: text("token"),
        password: Password::new(text("password")),
        full_name: sent(&form, "full_name").map(str::to_owned),
        consent: sent(&form, "consent").is_some(),
    };
    match state.identity.join(&caller.context, &input).await {
        Ok(LoggedIn::Session(cookie)) => Ok(admitted(&cookie, None)),
        Ok(LoggedIn::SecondFactor(half)) => Ok(page(&code::gate(&caller, &half.token, None, None))),
        Err(problem) => {
            let offer = state.identity.join_offer(&caller.context, &input.token).await?;
            let gate = gate(&caller, &offer, &input.token, Some((&form, &problem)));
            Ok((browse_status(&problem), page(&gate)).into_response())
        }
    }
}
