//! Problems as pages, for people; as problem+json for scripts.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use ephor_kernel::{Code, Problem};
use ephor_rest::ApiError;

use crate::{
    frame::{Frame, Theme},
    view::Icon,
};

/// The page of a problem.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub(crate) struct ErrorPage {
    frame: Frame,
    status: u16,
    title: &'static str,
    text: String,
    advice: &'static str,
    request_id: Option<String>,
}

impl ErrorPage {
    pub(crate) fn new(problem: &Problem, request_id: Option<String>, theme: Option<Theme>) -> Self {
        // What one may not know of and what is not there look alike.
        let (code, text) = match problem.code {
            Code::Forbidden | Code::NotFound => {
                (Code::NotFound, "There is no such page, or you may not see it.".to_owned())
            }
            code => (code, problem.detail.to_string()),
        };
        let advice = match code {
            Code::NotFound => {
                "Check the address, or whether you are in the right organization. An owner or admin can give you the permission."
            }
            Code::Internal => {
                "What you entered was not stored unless a page said so. Try again; if it happens again, give your operator the request id below."
            }
            Code::Unavailable => "Try again in a moment.",
            Code::OrganizationSuspended => {
                "Ask whoever operates this Ephor. If you belong to another organization, sign in again to work there."
            }
            Code::RateLimited => "Wait a little, then try again.",
            _ => "Go back, change what is said above, and try again.",
        };
        Self {
            frame: Frame::new(code.title(), theme),
            status: code.status(),
            title: code.title(),
            text,
            advice,
            request_id,
        }
    }
}

impl IntoResponse for ErrorPage {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, page(&self)).into_response()
    }
}

/// A rendered page, or the bare words when even that fails.
pub(crate) fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            ApiError(Problem::internal()).into_response()
        }
    }
}
