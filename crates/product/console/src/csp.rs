//! The content security policy of every page, and where browsers report what they refused.

use axum::{
    body::Bytes,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};

/// Where browsers report what the policy refused.
pub const REPORT_PATH: &str = "/csp-report";

/// Scripts, styles and data come from Ephor itself, and nothing is inline. Images may be `data:`.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; \
    report-uri /csp-report; report-to csp";

/// Middleware: adds the policy and its companions.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    add(response.headers_mut());
    response
}

/// Adds the policy and its companions, where a response has none of its own.
pub(crate) fn add(headers: &mut HeaderMap) {
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (HeaderName::from_static("reporting-endpoints"), "csp=\"/csp-report\""),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ];
    for (name, value) in fixed {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    // Pages hold what only their reader may see.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// `POST /csp-report`: written to the log, cut to what a log line should hold.
pub(crate) async fn report(body: Bytes) -> StatusCode {
    let text = String::from_utf8_lossy(&body[..body.len().min(2_000)]).replace(['\n', '\r'], " ");
    tracing::warn!(report = %text, "a browser refused something that a page of ours holds");
    StatusCode::NO_CONTENT
}
