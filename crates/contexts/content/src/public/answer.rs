//! How the trust centre answers: cached for a minute, and not sent to who has it already.

use std::sync::LazyLock;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};

use super::page::STYLE;

/// Nothing runs, nothing is embedded or sent; the one style is named by its hash, pictures come
/// from elsewhere by https alone.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; img-src 'self' https:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    )
});

pub(super) fn html(body: String, changed_at: DateTime<Utc>, asked: &HeaderMap) -> Response {
    answer("text/html; charset=utf-8", body, changed_at, asked)
}

pub(super) fn atom(body: String, changed_at: DateTime<Utc>, asked: &HeaderMap) -> Response {
    answer("application/atom+xml; charset=utf-8", body, changed_at, asked)
}

fn answer(
    kind: &'static str,
    body: String,
    changed_at: DateTime<Utc>,
    asked: &HeaderMap,
) -> Response {
    let etag = format!("\"{}\"", hex::encode(&Sha256::digest(&body)[..12]));
    let modified = changed_at.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let mut response = if has_it(asked, &etag, &modified) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Body::from(body).into_response()
    };
    let headers = response.headers_mut();
    let fixed = [
        (header::CACHE_CONTROL, "public, max-age=60"),
        (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
        (header::CONTENT_TYPE, kind),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let made = [
        (header::ETAG, etag),
        (header::LAST_MODIFIED, modified),
        (header::CONTENT_SECURITY_POLICY, POLICY.clone()),
    ];
    for (name, value) in made {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}

/// A date counts only when there is no tag, and only the very same one: what was taken back may
/// make a page older.
fn has_it(asked: &HeaderMap, etag: &str, modified: &str) -> bool {
    let text = |name: HeaderName| asked.get(name).and_then(|value| value.to_str().ok());
    match text(header::IF_NONE_MATCH) {
        Some(tags) => tags
            .split(',')
            .map(|tag| tag.trim().trim_start_matches("W/"))
            .any(|tag| tag == etag || tag == "*"),
        None => text(header::IF_MODIFIED_SINCE) == Some(modified),
    }
}
