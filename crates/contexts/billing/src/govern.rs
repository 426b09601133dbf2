//! The layer that holds requests against the organization's tier, and meters them.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use ephor_kernel::{Principal, Problem, Scope};
use ephor_rest::{ApiError, method_word};
use http::Method;

use crate::{
    Billing,
    feature::{feature_of, resource_of},
    meter::Kind,
};

/// What must work at the limit too: to see who one is and what is used, to come and to go.
const FREE: [&str; 4] = ["usage", "me", "auth", "session"];

/// Stands within authentication. Requests of the API count, and are limited, per minute and month;
/// what belongs to a feature that the tier lacks can be read and deleted, but neither made nor
/// changed, through the API or the console.
pub async fn govern(State(billing): State<Billing>, request: Request, next: Next) -> Response {
    let Some(scope) = request.extensions().get::<Scope>() else { return next.run(request).await };
    let organization = scope.organization();
    let user = match scope.principal() {
        Principal::User(id) => Some(id.uuid()),
        Principal::Assistant(_) | Principal::System(_) => None,
    };
    let path = request.uri().path();
    let api = counts(path);
    let feature = gated(request.method(), path);
    if let Some(feature) = feature
        && let Err(problem) = billing.require(organization, feature).await
    {
        return refuse(problem);
    }
    if !api {
        return next.run(request).await;
    }
    if let Err(problem) = billing.admit(organization).await {
        return refuse(problem);
    }
    let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str);
    let endpoint: Arc<str> = Arc::from(format!("{} {route}", method_word(request.method())));
    let kind = Kind { organization, endpoint, status: GONE, user };
    let mut metered = Metered { billing, kind, began: Instant::now() };
    let response = next.run(request).await;
    metered.kind.status = response.status().as_u16();
    response
}

/// The status of a request whose caller went away before it was answered.
const GONE: u16 = 499;

/// A request that was admitted. It is metered however it ends.
struct Metered {
    billing: Billing,
    kind: Kind,
    began: Instant,
}

impl Drop for Metered {
    fn drop(&mut self) {
        self.billing.meter(self.kind.clone(), self.began.elapsed().as_secs_f64() * 1e3);
    }
}

/// Is this a request of the API that counts?
fn counts(path: &str) -> bool {
    if path.starts_with("/in/") {
        return true;
    }
    let first = path.strip_prefix("/v1/").and_then(|rest| rest.split('/').next());
    first.is_some_and(|first| !FREE.contains(&first))
}

/// The feature that a request needs, if it makes or changes something of one.
fn gated(method: &Method, path: &str) -> Option<&'static str> {
    let writes = [Method::POST, Method::PUT, Method::PATCH].contains(method);
    // The console's forms delete with POST.
    if !writes || path.ends_with("/delete") {
        return None;
    }
    resource_of(path).and_then(|resource| feature_of(&resource))
}

fn refuse(problem: Problem) -> Response {
    ApiError(problem).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_free_by_its_whole_word() {
        assert!(
            ["/v1/me", "/v1/me/exports", "/v1/usage", "/", "/models"].iter().all(|p| !counts(p))
        );
        assert!(
            ["/v1/members", "/v1/messages", "/in/rows/x", "/v1/usage_records", "/v1/sessions"]
                .iter()
                .all(|p| counts(p))
        );
    }

    #[test]
    fn what_is_made_is_gated_and_what_is_read_or_deleted_is_not() {
        assert_eq!(gated(&Method::POST, "/v1/risk_items"), Some("risk"));
        assert_eq!(gated(&Method::PATCH, "/v1/risk_items/1"), Some("risk"));
        assert_eq!(gated(&Method::POST, "/resources/posts/1"), Some("trust_center"));
        assert_eq!(gated(&Method::POST, "/in/rows/x"), Some("bias_analyses"));
        assert_eq!(gated(&Method::GET, "/v1/risk_items"), None);
        assert_eq!(gated(&Method::DELETE, "/v1/risk_items/1"), None);
        assert_eq!(gated(&Method::POST, "/resources/risk_items/1/delete"), None);
    }
}
