//! What every request gets: an id, a span, and its caller's address.

use std::{
    borrow::Cow,
    net::{IpAddr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};
use ephor_kernel::{RequestContext, RequestId};
use tracing::Instrument as _;

use super::{App, proxies::client_address};

/// The header that carries a request's id.
pub const REQUEST_ID: &str = "x-request-id";

/// Gives the request its id, context and span; the response its id and the headers that protect a
/// browser whatever the route.
///
/// The id is always ours: one from outside could be any text, and would stand in the audit trail.
pub async fn context(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = RequestId::new();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let address: Option<IpAddr> =
        peer.map(|peer| client_address(peer, request.headers(), &app.trusted_proxies));
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let context = RequestContext::new(address, agent, id);
    request.extensions_mut().insert(context);
    // The path is logged without its query, which may hold what people search for, and without tokens.
    let span = tracing::info_span!(
        "request",
        id = %id,
        method = %request.method(),
        path = %without_tokens(request.uri().path()),
    );
    let mut response = async move {
        let began = std::time::Instant::now();
        let response = next.run(request).await;
        let milliseconds = began.elapsed().as_secs_f64() * 1e3;
        let status = response.status();
        if status.is_server_error() {
            tracing::warn!(status = status.as_u16(), milliseconds, "answered");
        } else {
            tracing::debug!(status = status.as_u16(), milliseconds, "answered");
        }
        response
    }
    .instrument(span)
    .await;
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(REQUEST_ID, value);
    }
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// The path as it may be logged: what follows the address for rows is a token, and so is what is written
/// like one anywhere else.
fn without_tokens(path: &str) -> Cow<'_, str> {
    let (before, secret) = match path.split_once("/in/rows/") {
        Some((before, _)) => (before, "/in/rows/\u{2026}"),
        None => match path.find("eph_") {
            Some(at) => (&path[..at], "\u{2026}"),
            None => return path.into(),
        },
    };
    format!("{before}{secret}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_logged_without_its_token() {
        assert_eq!(without_tokens("/v1/models/1"), "/v1/models/1");
        assert_eq!(without_tokens("/in/rows"), "/in/rows");
        assert_eq!(without_tokens("/in/rows/eph_a_b_c"), "/in/rows/\u{2026}");
        assert_eq!(without_tokens("/in/rows/eph%5fa_b_c"), "/in/rows/\u{2026}");
        assert_eq!(without_tokens("/v1/eph_a_b_c/x"), "/v1/\u{2026}");
    }
}
