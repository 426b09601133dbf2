//! Accepting an invitation: as somebody new, or signed in, as oneself.

use axum::{
    extract::{Form, FromRequestParts, State},
    http::{header, request::Parts},
    response::{IntoResponse, Redirect},
};
use ephor_identity::{AcceptInvitation, CurrentSession, InvitationOffer, Password};
use ephor_kernel::{Problem, Scope};
use ephor_rest::{ApiError, ListRequest};

use super::{GatePage, admitted};
use crate::{
    ConsoleState,
    error::page,
    frame::Frame,
    pages::resource::{
        browse_status,
        edit::{Sent, sent},
    },
    problem_page::sign_in,
    view::{Control, Field, Form as Fields, Notice},
    visit::{Answer, Caller},
};

/// Who is signed in, if somebody is.
pub(super) struct Oneself(pub(super) Option<(Scope, CurrentSession)>);

impl<S: Send + Sync> FromRequestParts<S> for Oneself {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let scope = parts.extensions.get::<Scope>().cloned();
        Ok(Self(scope.zip(parts.extensions.get::<CurrentSession>().cloned())))
    }
}

fn gate(
    caller: &Caller,
    offer: &InvitationOffer,
    token: &str,
    refused: Option<(&Sent, &Problem)>,
) -> GatePage {
    let signed_in = caller.signed_in;
    let fields = if signed_in || offer.has_account {
        Vec::new()
    } else {
        vec![
            Field::new("full_name", "Your name").required().autocomplete("name"),
            Field::new("password", "Password")
                .control(Control::Line("password"))
                .required()
                .hint("The one that your account shall have: at least 10 characters.")
                .autocomplete("new-password"),
            Field::new(
                "consent",
                "I agree that Ephor stores my name and e-mail address to run my account",
            )
            .control(Control::Check),
        ]
    };
    let mut form = Fields::new(fields);
    if let Some((values, problem)) = refused {
        form.fill(|name| sent(values, name));
        form.refuse(problem);
    }
    let team = offer.team_name.as_ref().map(|team| format!(", in the team {team}"));
    let notice = (offer.has_account && !signed_in).then(|| {
        Notice::info("You have an account.").text("Sign in with it to accept the invitation.")
    });
    let (submit, other) = if offer.has_account && !signed_in {
        ("Sign in", None)
    } else if signed_in {
        ("Accept", Some(("Not you?", "/sessions".to_owned(), "See who is signed in")))
    } else {
        ("Join", None)
    };
    GatePage {
        frame: Frame::new(format!("Join {}", offer.organization_name), caller.theme).notice(notice),
        lede: format!("For {}, as {}{}.", offer.email, offer.role_name, team.unwrap_or_default()),
        form,
        action: "/invitation",
        hidden: caller.hidden(vec![("token", token.to_owned())]),
        submit,
        other,
    }
}

/// `GET /invitation?token=…`.
pub(super) async fn show(State(state): State<ConsoleState>, caller: Caller) -> Answer {
    let token = caller.query.get("token").unwrap_or_default().to_owned();
    let offer = state.identity.invitation_offer(&caller.context, &token).await?;
    Ok(page(&gate(&caller, &offer, &token, None)))
}

/// `POST /invitation`.
pub(super) async fn accept(
    State(state): State<ConsoleState>,
    caller: Caller,
    oneself: Oneself,
    Form(form): Form<Sent>,
) -> Answer {
    let text = |name: &str| sent(&form, name).unwrap_or_default().to_owned();
    let token = text("token");
    if let Oneself(Some((scope, session))) = &oneself {
        let identity = &state.identity;
        let accepted =
            identity.invitation_accept_as_oneself(&caller.context, scope, &token).await?;
        let organization = accepted.organization_id;
        let cookie = identity.session_switch(&caller.context, session, organization).await?;
        let onward = Redirect::to("/?done=switched");
        return Ok(([(header::SET_COOKIE, cookie.header())], onward).into_response());
    }
    let offer = state.identity.invitation_offer(&caller.context, &token).await?;
    if offer.has_account {
        let back = format!("/invitation?{}", ListRequest::new().with("token", &token).to_query());
        return Ok(Redirect::to(&sign_in(&back)).into_response());
    }
    let input = AcceptInvitation {
        token,
        password: Password::new(text("password")),
        full_name: text("full_name"),
        consent: sent(&form, "consent").is_some(),
    };
    match state.identity.invitation_accept(&caller.context, &input).await {
        Ok(cookie) => Ok(admitted(&cookie, None)),
        Err(problem) => {
            let gate = gate(&caller, &offer, &input.token, Some((&form, &problem)));
            Ok((browse_status(&problem), page(&gate)).into_response())
        }
    }
}
