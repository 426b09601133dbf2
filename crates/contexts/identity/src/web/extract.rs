//! What handlers take from a request.

use axum::extract::FromRequestParts;
use ephor_kernel::{Code, Problem, RequestContext, Scope};
use ephor_rest::ApiError;
use http::request::Parts;

use crate::session::CurrentSession;

/// Where the request came from, as [`crate::authenticate`] found it.
#[derive(Debug, Clone)]
pub struct Context(pub RequestContext);

impl<S: Send + Sync> FromRequestParts<S> for Context {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self(parts.extensions.get().cloned().unwrap_or_default()))
    }
}

/// Somebody logged in in a browser; API keys have no session.
impl<S: Send + Sync> FromRequestParts<S> for CurrentSession {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        if let Some(session) = parts.extensions.get::<Self>() {
            return Ok(session.clone());
        }
        Err(ApiError(if parts.extensions.get::<Scope>().is_some() {
            Problem::new(Code::Forbidden, "This needs a log-in; an API key will not do")
        } else {
            Problem::new(Code::Unauthenticated, "This needs a log-in: POST /v1/auth/log-in")
        }))
    }
}
