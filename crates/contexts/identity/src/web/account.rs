//! Routes of people: signing up, logging in and out, oneself, one's sessions.

use axum::{
    Json, Router,
    extract::{FromRef, State},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use ephor_kernel::{OrganizationId, Problem, Scope, SessionId};
use ephor_rest::{ApiError, Authenticated, Body, Id, IfMatch};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::json;

use super::extract::Context;
use crate::{
    account_details::IN_SESSIONS_ALONE,
    cookie::{self, SessionCookie},
    identity::Identity,
    log_in::LogIn,
    me::{ChangeMe, ChangePassword},
    member::Join,
    second_factor::LoggedIn,
    session::CurrentSession,
    sign_up::SignUp,
};

type Answer = Result<Response, ApiError>;

pub(super) fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Identity: FromRef<S>,
{
    Router::new()
        .route("/v1/auth/sign-up", post(sign_up))
        .route("/v1/auth/log-in", post(log_in))
        .route("/v1/auth/log-out", post(log_out))
        .route("/v1/auth/log-out-everywhere", post(log_out_everywhere))
        .route("/v1/auth/join-offer", post(join_offer))
        .route("/v1/auth/join", post(join))
        .route("/v1/me", get(me).patch(change_me))
        .route("/v1/me/password", post(change_password))
        .route("/v1/session/organization", post(switch))
        .route("/v1/sessions", get(sessions))
        .route("/v1/sessions/{id}", delete(revoke))
}

async fn sign_up(
    State(identity): State<Identity>,
    Context(request): Context,
    Body(input): Body<SignUp>,
) -> Answer {
    let (signed_up, cookie) = identity.sign_up(&request, &input).await?;
    Ok(with_cookie((StatusCode::CREATED, Json(signed_up)), &cookie))
}

async fn log_in(
    State(identity): State<Identity>,
    Context(request): Context,
    Body(input): Body<LogIn>,
) -> Answer {
    Ok(logged_in(identity.log_in(&request, &input).await?))
}

async fn log_out(
    State(identity): State<Identity>,
    Context(request): Context,
    session: CurrentSession,
) -> Answer {
    identity.log_out(&request, &session, false).await?;
    Ok(logged_out(&identity))
}

async fn log_out_everywhere(
    State(identity): State<Identity>,
    Context(request): Context,
    session: CurrentSession,
) -> Answer {
    identity.log_out(&request, &session, true).await?;
    Ok(logged_out(&identity))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    token: String,
}

async fn join_offer(
    State(identity): State<Identity>,
    Context(request): Context,
    Body(Link { token }): Body<Link>,
) -> Answer {
    Ok(secret(Json(identity.join_offer(&request, &token).await?)))
}

async fn join(
    State(identity): State<Identity>,
    Context(request): Context,
    Body(input): Body<Join>,
) -> Answer {
    Ok(logged_in(identity.join(&request, &input).await?))
}

async fn me(
    State(identity): State<Identity>,
    Authenticated(scope): Authenticated,
    session: Result<CurrentSession, ApiError>,
) -> Answer {
    let mut me = json!(identity.me(&scope).await?);
    if let Ok(session) = session {
        me["session_id"] = json!(session.id);
        me["csrf_token"] = json!(session.csrf.token().expose());
    } else if let Some(user) = me["user"].as_object_mut() {
        user.retain(|name, _| !IN_SESSIONS_ALONE.contains(&name.as_str()));
    }
    Ok(secret(Json(me)))
}

async fn change_me(
    State(identity): State<Identity>,
    Authenticated(scope): Authenticated,
    _: CurrentSession,
    headers: HeaderMap,
    Body(input): Body<ChangeMe>,
) -> Answer {
    // Who names none changes whatever is there, as what is left out stays.
    let version = IfMatch::of(&headers)?.for_update(false)?;
    Ok(secret(Json(identity.me_change(&scope, version, &input).await?)))
}

async fn change_password(
    State(identity): State<Identity>,
    Context(request): Context,
    Authenticated(scope): Authenticated,
    session: CurrentSession,
    Body(input): Body<ChangePassword>,
) -> Answer {
    identity.password_change(&request, &scope, &session, &input).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    organization_id: OrganizationId,
}

async fn switch(
    State(identity): State<Identity>,
    Context(request): Context,
    session: CurrentSession,
    Body(Switch { organization_id }): Body<Switch>,
) -> Answer {
    let cookie = identity.session_switch(&request, &session, organization_id).await?;
    Ok(with_cookie(StatusCode::NO_CONTENT, &cookie))
}

async fn sessions(
    State(identity): State<Identity>,
    Authenticated(scope): Authenticated,
    session: Result<CurrentSession, ApiError>,
) -> Answer {
    let current = of_the_owner(&scope, session.ok().as_ref(), "read")?;
    let data = identity.session_list(&scope, current).await?;
    Ok(secret(Json(json!({ "data": data, "next": null }))))
}

async fn revoke(
    State(identity): State<Identity>,
    Authenticated(scope): Authenticated,
    session: Result<CurrentSession, ApiError>,
    Id(id): Id<SessionId>,
) -> Answer {
    of_the_owner(&scope, session.ok().as_ref(), "delete")?;
    identity.session_revoke(&scope, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Whoever is signed in may see and end their own sessions, whatever their role: answers which one asks. A program
/// does so for its owner, if its key was given the permission: a key for something else must not log its owner out.
fn of_the_owner(
    scope: &Scope,
    session: Option<&CurrentSession>,
    action: &str,
) -> Result<Option<SessionId>, Problem> {
    if session.is_none() {
        scope.require("sessions", action)?;
    }
    Ok(session.map(|session| session.id))
}

/// What concerns one person is kept by no cache.
pub(super) fn secret(answer: impl IntoResponse) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], answer).into_response()
}

/// A session, or what the second step needs.
fn logged_in(outcome: LoggedIn) -> Response {
    match outcome {
        LoggedIn::Session(cookie) => with_cookie(StatusCode::NO_CONTENT, &cookie),
        LoggedIn::SecondFactor(half) => secret(Json(half)),
    }
}

pub(super) fn with_cookie(answer: impl IntoResponse, cookie: &SessionCookie) -> Response {
    ([(header::SET_COOKIE, cookie.header())], secret(answer)).into_response()
}

fn logged_out(identity: &Identity) -> Response {
    let removal = cookie::removal(identity.config().secure_cookies);
    ([(header::SET_COOKIE, removal)], secret(StatusCode::NO_CONTENT)).into_response()
}
