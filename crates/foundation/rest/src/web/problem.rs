//! Problems as responses: RFC 9457.

use axum::{
    body::Body,
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use ephor_kernel::{Code, Problem, RequestId};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

/// The media type of problems.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// A [`Problem`] that answers a request. `?` turns problems and the store's errors into it.
#[derive(Debug, Clone)]
pub struct ApiError(pub Problem);

impl<E: Into<Problem>> From<E> for ApiError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = render(&self.0, None);
        // For `name_request`, which knows the request's id.
        response.extensions_mut().insert(self.0);
        response
    }
}

fn render(problem: &Problem, request: Option<RequestId>) -> Response {
    let Problem { code, detail, faults, retry_after, quota } = problem;
    let mut body = json!({
        "type": format!("/docs#{}", code.as_str()),
        "title": code.title(),
        "status": code.status(),
        "code": code.as_str(),
        "detail": detail,
    });
    if let Some(fields) = body.as_object_mut() {
        if !faults.is_empty() {
            fields.insert("faults".into(), json!(faults));
        }
        if let Some(seconds) = retry_after {
            fields.insert("retry_after".into(), json!(seconds));
        }
        if let Some(quota) = quota {
            fields.insert("quota".into(), json!(quota));
        }
        if let Some(id) = request {
            fields.insert("request_id".into(), json!(id));
        }
    }
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, body.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
    }
    response
}

/// Middleware: gives the request an id, names it in `x-request-id` and in the body of problems,
/// and makes problems of what the router itself refuses below `/v1` and `/in`.
///
/// It stands outside of authentication, which finds the [`RequestId`] in the extensions.
pub async fn name_request(mut request: Request, next: Next) -> Response {
    let id = RequestId::new();
    request.extensions_mut().insert(id);
    let api = ["/v1", "/in/"].iter().any(|place| request.uri().path().starts_with(place));
    let mut response = next.run(request).await;
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => Some(problem),
        None if api => plain_refusal(&response),
        None => None,
    };
    if let Some(problem) = problem {
        let mut named = render(&problem, Some(id));
        // Cookies and `allow` stay; what describes the old body does not.
        for (name, value) in response.headers() {
            if !named.headers().contains_key(name) && name != header::CONTENT_LENGTH {
                named.headers_mut().append(name, value.clone());
            }
        }
        response = named;
    }
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// A refusal by axum or a layer: without a body, or in plain text.
fn plain_refusal(response: &Response<Body>) -> Option<Problem> {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| !kind.starts_with("text/plain")) {
        return None;
    }
    Some(match response.status() {
        StatusCode::NOT_FOUND => Problem::new(
            Code::NotFound,
            "There is nothing at this address; /openapi.json lists what there is",
        ),
        StatusCode::METHOD_NOT_ALLOWED => Problem::new(
            Code::MethodNotAllowed,
            "This address does not take this method; the header `allow` lists those that it takes",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(Code::TooLarge, "The body is larger than this address takes")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::new(
            Code::UnsupportedMediaType,
            "The body's media type is not one that this address takes",
        ),
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST => {
            Problem::new(Code::Malformed, "The request could not be read")
        }
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::GATEWAY_TIMEOUT
        | StatusCode::SERVICE_UNAVAILABLE => {
            Problem::new(Code::Unavailable, "It took too long; try again").retry_after(5)
        }
        status if status.is_server_error() => Problem::internal(),
        _ => return None,
    })
}
