//! Extractors that refuse with problems.

use std::{marker::PhantomData, str::FromStr};

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use ephor_kernel::{Code, Fault, ParseIdError, Problem, Scope};
use http::{HeaderMap, header, request::Parts};
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::ApiError;
use crate::body;

/// The largest JSON body, in bytes.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// Somebody is signed in: the scope that authentication put into the request's extensions.
#[derive(Debug, Clone)]
pub struct Authenticated(pub Scope);

impl<S: Send + Sync> FromRequestParts<S> for Authenticated {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Scope>().cloned().map(Self).ok_or_else(|| {
            ApiError(Problem::new(
                Code::Unauthenticated,
                "This needs a session or an API key, sent as `Authorization: Bearer eph_…`",
            ))
        })
    }
}

/// A permission that a handler needs, as a type; made by [`crate::permissions!`].
pub trait Needs: Send + Sync + 'static {
    /// The word before the colon.
    const RESOURCE: &'static str;
    /// The word after it.
    const ACTION: &'static str;
}

/// Names permissions as types, for [`Permitted`]:
/// `permissions! { /// Start one. pub AnalysesCreate = "bias_analyses", "create"; }`.
#[macro_export]
macro_rules! permissions {
    ($($(#[$doc:meta])* $visibility:vis $name:ident = $resource:literal, $action:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        $visibility struct $name;

        impl $crate::Needs for $name {
            const RESOURCE: &'static str = $resource;
            const ACTION: &'static str = $action;
        }
    )+};
}

/// Somebody is signed in who has the permission `P`.
#[derive(Debug, Clone)]
pub struct Permitted<P> {
    /// Who, where, with which permissions.
    pub scope: Scope,
    permission: PhantomData<P>,
}

impl<P: Needs, S: Send + Sync> FromRequestParts<S> for Permitted<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Authenticated(scope) = Authenticated::from_request_parts(parts, state).await?;
        scope.require(P::RESOURCE, P::ACTION)?;
        Ok(Self { scope, permission: PhantomData })
    }
}

/// The `{id}` of the path, as a typed id.
#[derive(Debug, Clone, Copy)]
pub struct Id<T>(pub T);

impl<T, S> FromRequestParts<S> for Id<T>
where
    T: FromStr<Err = ParseIdError>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(fields) = Path::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::not_found("address"))?;
        let named = fields.iter().find(|(name, _)| name == "id").or_else(|| fields.first());
        let text = named.map(|(_, value)| value.as_str()).unwrap_or_default();
        text.parse().map(Self).map_err(|error: ParseIdError| ApiError(bad_id(error)))
    }
}

pub(crate) fn bad_id(error: ParseIdError) -> Problem {
    let ParseIdError { kind, text } = error;
    let error = ParseIdError { kind, text: text[..text.floor_char_boundary(60)].to_owned() };
    Problem::invalid(vec![Fault::new("path:id", "type", error.to_string())])
}

/// A query string as a typed value.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        axum::extract::Query::try_from_uri(&parts.uri).map(|query| Self(query.0)).map_err(|error| {
            let why = std::error::Error::source(&error)
                .map_or_else(|| error.to_string(), ToString::to_string);
            ApiError(Problem::invalid(vec![Fault::new("query:*", "type", why)]))
        })
    }
}

/// A JSON body as a typed value, of bounded size and depth.
#[derive(Debug, Clone)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let mut value = json(request, MAX_BODY_BYTES).await?;
        // A list of the values alone would be read as well, by their places.
        if !value.is_object() {
            let what = "A JSON object is needed, with the fields by their names";
            return Err(ApiError(Problem::invalid(vec![Fault::new("", "type", what)])));
        }
        body::whole_numbers(&mut value);
        serde_json::from_value(value).map(Self).map_err(|error| {
            ApiError(Problem::invalid(vec![Fault::new("", "type", error.to_string())]))
        })
    }
}

/// Reads a JSON body of at most `limit` bytes.
pub(crate) async fn json(request: Request, limit: usize) -> Result<Value, Problem> {
    let (parts, body) = request.into_parts();
    check_type(&parts.headers)?;
    let bytes = axum::body::to_bytes(body, limit).await.map_err(|error| {
        let too_long = std::error::Error::source(&error)
            .is_some_and(|source| source.downcast_ref::<LengthLimitError>().is_some());
        if too_long {
            let kib = limit >> 10;
            Problem::new(Code::TooLarge, format!("The body is larger than {kib} KiB"))
        } else {
            Problem::new(Code::Malformed, "The body ended before it was complete")
        }
    })?;
    body::parse(&bytes)
}

/// `application/json`, or any type that ends in `+json`.
fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence =
        kind.map(|kind| kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    match essence.as_deref() {
        Some(kind) if kind == "application/json" || kind.ends_with("+json") => Ok(()),
        _ => Err(Problem::new(
            Code::UnsupportedMediaType,
            "The body has to be JSON, with the header `content-type: application/json`",
        )),
    }
}
