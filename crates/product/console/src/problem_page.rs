//! Problems, for people: what answers a browser's page request as problem+json becomes a page,
//! whichever layer refused.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use ephor_kernel::{Code, Problem};
use ephor_rest::PROBLEM_JSON;

use crate::{csp, error::ErrorPage, visit};

/// A problem's body is small; what is larger is none of ours.
const MOST_BYTES: usize = 256 * 1024;

/// Middleware for the outermost place: turns problems that answer page requests into pages, and
/// leads those who are not signed in to the door. The API (`/v1`) and scripts are left alone.
pub async fn problem_pages(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let wants_page = wants_page(&path, request.headers());
    let back = (request.method() == Method::GET)
        .then(|| request.uri().path_and_query().map(ToString::to_string))
        .flatten();
    let theme = visit::theme(request.headers());
    let response = next.run(request).await;
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(PROBLEM_JSON.as_bytes()));
    if !wants_page || !is_problem {
        return response;
    }
    let (parts, body) = response.into_parts();
    let problem = read(body).await;
    if problem.code == Code::Unauthenticated {
        let next = back.unwrap_or_else(|| "/".to_owned());
        return keep_cookies(&parts.headers, Redirect::to(&sign_in(&next)).into_response());
    }
    let request_id =
        parts.headers.get("x-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let mut page = ErrorPage::new(&problem, request_id, theme).into_response();
    csp::add(page.headers_mut());
    keep_cookies(&parts.headers, page)
}

/// Where to sign in before going on to `next`.
pub(crate) fn sign_in(next: &str) -> String {
    if next == "/" {
        return "/sign-in".to_owned();
    }
    format!("/sign-in?{}", ephor_rest::ListRequest::new().with("next", next).to_query())
}

fn wants_page(path: &str, headers: &HeaderMap) -> bool {
    let api = ["/v1", "/openapi.json", "/assets/", "/healthz", "/readyz", "/metrics"];
    let accepts = headers
        .get_all(header::ACCEPT)
        .iter()
        .any(|value| value.to_str().is_ok_and(|value| value.contains("text/html")));
    accepts
        && !headers.contains_key("hx-request")
        && !api.iter().any(|start| path.starts_with(start))
}

async fn read(body: Body) -> Problem {
    let problem = match to_bytes(body, MOST_BYTES).await {
        Ok(bytes) => serde_json::from_slice(&bytes).ok(),
        Err(_) => None,
    };
    problem.unwrap_or_else(Problem::internal)
}

/// Cookies and the request's id stay; what describes the old body does not.
fn keep_cookies(from: &HeaderMap, mut to: Response) -> Response {
    for name in
        [header::SET_COOKIE, header::RETRY_AFTER, header::HeaderName::from_static("x-request-id")]
    {
        for value in from.get_all(&name) {
            to.headers_mut().append(name.clone(), value.clone());
        }
    }
    if to.status() == StatusCode::OK {
        *to.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    }
    to
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn headers(accept: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())])
    }

    #[test]
    fn pages_are_for_people_and_problems_for_programs() {
        let browser = headers("text/html,application/xhtml+xml");
        assert!(wants_page("/models", &browser));
        assert!(!wants_page("/v1/models", &browser));
        assert!(!wants_page("/models", &headers("application/json")));
        let mut htmx = browser.clone();
        htmx.insert("hx-request", "true".parse().unwrap());
        assert!(!wants_page("/models", &htmx));
    }

    #[test]
    fn the_way_back_is_escaped() {
        assert_eq!(sign_in("/"), "/sign-in");
        assert_eq!(sign_in("/analyses?q=a&b=c"), "/sign-in?next=%2Fanalyses%3Fq%3Da%26b%3Dc");
    }
}
