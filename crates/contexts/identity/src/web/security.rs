//! Routes of the second factor and of log-ins elsewhere.

use axum::{
    Json, Router,
    extract::{FromRef, State},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use ephor_kernel::UserIdentityId;
use ephor_rest::{ApiError, Authenticated, Body, Id};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{
    account::{secret, with_cookie},
    extract::Context,
};
use crate::{
    identity::Identity,
    second_factor::{LogInCode, SecondFactorCode, SecondFactorOff},
    session::CurrentSession,
};

type Answer = Result<Response, ApiError>;

pub(super) fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Identity: FromRef<S>,
{
    Router::new()
        .route("/v1/auth/log-in/code", post(log_in_code))
        .route("/v1/auth/providers", get(providers))
        .route("/v1/me/second-factor", get(second_factor).post(begin))
        .route("/v1/me/second-factor/confirm", post(confirm))
        .route("/v1/me/second-factor/recovery-codes", post(recovery_codes))
        .route("/v1/me/second-factor/off", post(off))
        .route("/v1/me/identities", get(identities))
        .route("/v1/me/identities/{id}", delete(unlink))
}

async fn log_in_code(
    State(identity): State<Identity>,
    Context(request): Context,
    Body(input): Body<LogInCode>,
) -> Answer {
    let cookie = identity.log_in_code(&request, &input).await?;
    Ok(with_cookie(StatusCode::NO_CONTENT, &cookie))
}

async fn providers(State(identity): State<Identity>) -> Answer {
    Ok(Json(json!({ "data": identity.provider_offers(), "next": null })).into_response())
}

async fn second_factor(
    State(identity): State<Identity>,
    Authenticated(scope): Authenticated,
    _: CurrentSession,
) -> Answer {
    Ok(secret(Json(identity.second_factor(&scope).await?)))
}

async fn begin(
    State(identity): State<Identity>,
    Authenticated(scope): Authenticated,
    session: CurrentSession,
) -> Answer {
    let enrolment = identity.second_factor_begin(&scope, &session).await?;
    Ok(secret((StatusCode::CREATED, Json(enrolment))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    code: SecondFactorCode,
}

async fn confirm(
    State(identity): State<Identity>,
    Context(request): Context,
    Authenticated(scope): Authenticated,
    session: CurrentSession,
    Body(Code { code }): Body<Code>,
) -> Answer {
    let codes = identity.second_factor_confirm(&request, &scope, &session, &code).await?;
    Ok(secret(Json(codes)))
}

async fn recovery_codes(
    State(identity): State<Identity>,
    Context(request): Context,
    Authenticated(scope): Authenticated,
    session: CurrentSession,
    Body(Code { code }): Body<Code>,
) -> Answer {
    let codes = identity.recovery_codes_replace(&request, &scope, &session, &code).await?;
    Ok(secret(Json(codes)))
}

async fn off(
    State(identity): State<Identity>,
    Context(request): Context,
    Authenticated(scope): Authenticated,
    session: CurrentSession,
    Body(input): Body<SecondFactorOff>,
) -> Answer {
    identity.second_factor_off(&request, &scope, &session, &input).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn identities(
    State(identity): State<Identity>,
    Authenticated(scope): Authenticated,
    _: CurrentSession,
) -> Answer {
    let data = identity.linked_identities(&scope).await?;
    Ok(secret(Json(json!({ "data": data, "next": null }))))
}

async fn unlink(
    State(identity): State<Identity>,
    Authenticated(scope): Authenticated,
    _: CurrentSession,
    Id(id): Id<UserIdentityId>,
) -> Answer {
    identity.identity_unlink(&scope, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
