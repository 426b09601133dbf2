//! What handlers take from a request.

use axum::extract::FromRequestParts;
use ephor_kernel::{Code, Fault, Problem, RequestContext, Scope};
use ephor_rest::ApiError;
use http::{HeaderMap, header, request::Parts};

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

/// The version that a change names in `if-match`, such as `"3"`; `*` is any.
pub(super) fn version(headers: &HeaderMap) -> Result<Option<i32>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Err(Problem::new(
            Code::PreconditionRequired,
            "An update says which version it changes: send the row's etag as `if-match`, or `if-match: *` to overwrite whatever is there",
        ));
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    text.trim_matches('"').parse().map(Some).map_err(|_| {
        Problem::invalid(vec![
            Fault::new("header:if-match", "type", "`if-match` is not the etag of a row")
                .hint("send the etag that the row came with, such as \"3\", or its version"),
        ])
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(value: &'static str) -> Result<Option<i32>, Problem> {
        version(&HeaderMap::from_iter([(header::IF_MATCH, value.parse().unwrap())]))
    }

    #[test]
    fn a_change_names_the_version_that_it_changes() {
        assert_eq!(read("\"3\"").unwrap(), Some(3));
        assert_eq!(read("3").unwrap(), Some(3));
        assert_eq!(read("*").unwrap(), None);
        assert_eq!(read("three").unwrap_err().code, Code::Invalid);
        assert_eq!(version(&HeaderMap::new()).unwrap_err().code, Code::PreconditionRequired);
    }
}
