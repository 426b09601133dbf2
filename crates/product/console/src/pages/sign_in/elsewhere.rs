//! Signing in by a provider: the buttons, the way there, and the way back.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use ephor_identity::{Arrival, Callback, CurrentSession, LoggedIn, departure_cookie};
use ephor_kernel::Problem;
use ephor_rest::{ApiError, ListRequest};

use super::{GatePage, admitted, code, gate, onward};
use crate::{
    ConsoleState,
    error::page,
    frame::Frame,
    pages::resource::browse_status,
    view::{Form as Fields, Icon, Notice},
    visit::Caller,
};

/// A button that leads to a provider.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    pub href: String,
    pub label: String,
}

/// The sign-in form beside the buttons of providers.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/sign_in/sign_in.html")]
pub(crate) struct SignInPage {
    pub frame: Frame,
    pub lede: String,
    pub form: Fields,
    pub action: &'static str,
    pub hidden: Vec<(&'static str, String)>,
    pub submit: &'static str,
    pub other: Option<(&'static str, String, &'static str)>,
    pub providers: Vec<Way>,
}

impl SignInPage {
    /// The form with the buttons of the providers that there are; `next` is where to go on to.
    pub fn new(state: &ConsoleState, gate: GatePage, next: Option<&str>) -> Self {
        let GatePage { frame, lede, form, action, hidden, submit, other } = gate;
        let next = ListRequest::new().with("next", onward(next)).to_query();
        let providers = state
            .identity
            .provider_offers()
            .into_iter()
            .map(|offer| Way {
                href: format!("{}?{next}", offer.path),
                label: format!("Sign in with {}", offer.label),
            })
            .collect();
        Self { frame, lede, form, action, hidden, submit, other, providers }
    }
}

fn refused(state: &ConsoleState, caller: &Caller, problem: &Problem) -> Response {
    let mut gate = gate(caller, None, None);
    gate.frame.notice =
        Some(Notice::fail("You are not signed in").text(problem.detail.to_string()));
    let mut answer = page(&SignInPage::new(state, gate, None));
    *answer.status_mut() = browse_status(problem);
    answer
}

/// `GET /sign-in/with/{provider}?next=…`: to the provider.
pub(super) async fn begin(
    State(state): State<ConsoleState>,
    Path(provider): Path<String>,
    caller: Caller,
) -> Response {
    let next = onward(caller.query.get("next")).to_owned();
    match state.identity.external_begin(&provider, &next, None).await {
        Ok(departure) => {
            ([(header::SET_COOKIE, departure.cookie)], Redirect::to(&departure.location))
                .into_response()
        }
        Err(problem) => refused(&state, &caller, &problem),
    }
}

/// `GET /sign-in/with/{provider}/callback`: back from it.
pub(super) async fn finish(
    State(state): State<ConsoleState>,
    Path(provider): Path<String>,
    Query(callback): Query<Callback>,
    headers: HeaderMap,
    caller: Caller,
    session: Result<CurrentSession, ApiError>,
) -> Response {
    let arrived = state
        .identity
        .external_finish(&caller.context, &headers, &provider, &callback, session.as_ref().ok())
        .await;
    let mut answer = match arrived {
        Ok(Arrival::LoggedIn(LoggedIn::Session(cookie), next)) => admitted(&cookie, Some(&next)),
        Ok(Arrival::LoggedIn(LoggedIn::SecondFactor(half), next)) => {
            (StatusCode::OK, page(&code::gate(&caller, &half.token, Some(&next), None)))
                .into_response()
        }
        Ok(Arrival::Linked) => Redirect::to("/security?done=saved").into_response(),
        Err(problem) => refused(&state, &caller, &problem),
    };
    // An answer counts once.
    let secure = state.identity.config().secure_cookies;
    answer.headers_mut().append(header::SET_COOKIE, departure_cookie(secure, "", 0));
    answer
}
