//! Routes around mailed links: a forgotten password, an address to be proven.

use axum::{
    Router,
    extract::{FromRef, State},
    response::{IntoResponse, Response},
    routing::post,
};
use ephor_rest::{ApiError, Authenticated, Body, Operation};
use http::StatusCode;
use serde_json::json;

use super::{
    extract::Context,
    invitations::Link,
    operations::{ACCOUNT, object},
};
use crate::{
    identity::Identity,
    password_reset::{ForgotPassword, ResetPassword},
    session::CurrentSession,
};

type Answer = Result<Response, ApiError>;

pub(super) fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Identity: FromRef<S>,
{
    Router::new()
        .route("/v1/auth/forgot-password", post(forgot_password))
        .route("/v1/auth/reset-password", post(reset_password))
        .route("/v1/auth/verify-email", post(verify_email))
        .route("/v1/me/verify-email", post(send_verification))
}

async fn forgot_password(
    State(identity): State<Identity>,
    Context(request): Context,
    Body(input): Body<ForgotPassword>,
) -> Answer {
    identity.password_forgotten(&request, &input).await?;
    Ok(StatusCode::ACCEPTED.into_response())
}

async fn reset_password(
    State(identity): State<Identity>,
    Context(request): Context,
    Body(input): Body<ResetPassword>,
) -> Answer {
    identity.password_reset(&request, &input).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn verify_email(
    State(identity): State<Identity>,
    Context(request): Context,
    Authenticated(scope): Authenticated,
    session: CurrentSession,
    Body(Link { token }): Body<Link>,
) -> Answer {
    identity.email_verify(&request, &scope, &session, &token).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn send_verification(
    State(identity): State<Identity>,
    Context(request): Context,
    Authenticated(scope): Authenticated,
    _: CurrentSession,
) -> Answer {
    identity.email_verification_send(&request, &scope).await?;
    Ok(StatusCode::ACCEPTED.into_response())
}

pub(super) fn operations() -> Vec<Operation> {
    let token = json!({ "type": "string" });
    vec![
        Operation::post("/v1/auth/forgot-password", "Ask for a new password")
            .tag(ACCOUNT)
            .about("Mails a link, which works once, for an hour, if the address has an account with a password. The answer is the same if not. 409 where mail is not set up; limited per account and per address.")
            .public()
            .request(object(
                &["email"],
                json!({ "email": { "type": "string", "format": "email", "maxLength": 254 } }),
            ))
            .empty(202),
        Operation::post("/v1/auth/reset-password", "Set a new password")
            .tag(ACCOUNT)
            .about("Uses up a mailed link. All sessions end, and a mail says so.")
            .public()
            .request(object(
                &["token", "password"],
                json!({
                    "token": token,
                    "password": { "type": "string", "format": "password", "minLength": 10, "maxLength": 1000 },
                }),
            ))
            .empty(204),
        Operation::post("/v1/auth/verify-email", "Prove an address")
            .tag(ACCOUNT)
            .about("Uses up a mailed link. It takes a log-in to the account whose address it is; 403 for that of another.")
            .request(object(&["token"], json!({ "token": token })))
            .empty(204),
        Operation::post("/v1/me/verify-email", "Ask for the link that proves one's address")
            .tag(ACCOUNT)
            .about("Mails it again. 409 where mail is not set up, and for an address that is proven.")
            .empty(202),
    ]
}
