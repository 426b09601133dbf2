//! Looking into a subsidiary: which one a holding's member chose, and what of the console is there then.
//!
//! A session works in one organization, of which its person is a member. A holding's members also read its
//! subsidiaries (docs/tenancy.md). Which one they look at is kept in a cookie of the browser's session. It is
//! a choice and no right: it counts only while the session's scope may read that organization. What is read is
//! then confined to it, by a scope that only reads.

use axum::http::{HeaderMap, HeaderValue, Method, header, request::Parts};
use ephor_identity::Me;
use ephor_kernel::{OrganizationId, Problem, Scope};
use ephor_rest::{ApiError, Engine, ListRequest};

use crate::{ConsoleState, view::json};

/// The cookie that keeps the choice.
const COOKIE: &str = "ephor_looks_at";

/// More subsidiaries than this are not offered in the menu; a link still leads to them.
const MOST: u32 = 200;

/// Pages of oneself and of the session: they are in the session's organization, whatever one looks at.
const PERSONAL: [&str; 10] = [
    "/account",
    "/my-data",
    "/organization/open",
    "/organization/switch",
    "/password",
    "/security",
    "/sessions",
    "/sign-out",
    "/sign-out-everywhere",
    "/verify-email",
];

/// Hand-made pages that show what a holding may read. The generic ones follow from specifications.
const READ: [&str; 9] = [
    "/analyses",
    "/audit",
    "/datasets",
    "/explanations",
    "/invitations",
    "/members",
    "/mitigations",
    "/models",
    "/organization",
];

/// A subsidiary that may be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subsidiary {
    pub id: OrganizationId,
    pub name: String,
}

fn under(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Files of single rows, which are given out in one's own organization alone.
const ROWS: [&str; 2] = ["/values.csv", "/values.parquet"];

/// Is there such a page for who looks in from outside? What an address asks of the page does not matter.
pub(crate) fn reaches(engine: &Engine, address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    // Forms change something, and nothing is changed from outside.
    if ["/new", "/edit", "/mitigate"].iter().chain(&ROWS).any(|end| path.ends_with(end)) {
        return false;
    }
    if let Some(rest) = path.strip_prefix("/resources/") {
        let resource = engine.resource(rest.split('/').next().unwrap_or_default());
        return resource.is_some_and(|known| known.spec().is_reached() || known.spec().is_global());
    }
    path == "/" || READ.iter().any(|root| under(path, root))
}

/// Refuses who looks in from outside what is not there for them.
///
/// # Errors
/// `forbidden` for a change, `not_found` for a page of the session's own organization.
pub(crate) fn admit(engine: &Engine, parts: &Parts) -> Result<(), ApiError> {
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        return Err(Problem::forbidden("organizations", "update").into());
    }
    if reaches(engine, parts.uri.path()) { Ok(()) } else { Err(Problem::not_found("page").into()) }
}

/// The scope in the subsidiary that the request's browser looks at, if the session's may read it and the page
/// is not one of oneself.
pub(crate) fn chosen(scope: &Scope, parts: &Parts) -> Option<Scope> {
    let path = parts.uri.path();
    if PERSONAL.iter().any(|root| under(path, root)) {
        return None;
    }
    scope.looking_into(of_cookies(&parts.headers)?)
}

fn of_cookies(headers: &HeaderMap) -> Option<OrganizationId> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .and_then(|(_, id)| id.parse().ok())
}

/// The `Set-Cookie` header that keeps the choice until the browser is closed, or takes it back.
pub(crate) fn cookie(secure: bool, looked: Option<OrganizationId>) -> HeaderValue {
    let (value, age) = match looked {
        Some(id) => (id.to_string(), ""),
        None => (String::new(), "; Max-Age=0"),
    };
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax{age}{secure}");
    // An id and words of ours: always a header.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// A link that opens the page in that organization, for whoever may read it from where they are.
pub(crate) fn link(organization: OrganizationId, here: &str) -> String {
    let query =
        ListRequest::new().with("organization", organization.to_string()).with("next", here);
    format!("/organization/open?{}", query.to_query())
}

/// The subsidiaries that the session's organization reads and the person is no member of, by name.
pub(crate) async fn subsidiaries(
    state: &ConsoleState,
    scope: &Scope,
    me: &Me,
) -> Result<Vec<Subsidiary>, Problem> {
    if scope.readable().len() < 2 || !scope.permissions().allows("organizations", "read") {
        return Ok(Vec::new());
    }
    let request = ListRequest::new().everywhere().fields(&["id", "name"]).sort("name").limit(MOST);
    let mut tx = state.engine.begin_read(&state.store, scope, "organizations", &request).await?;
    let page = state.engine.list(&mut tx, "organizations", &request).await?;
    tx.commit().await?;
    let is_member = |id: OrganizationId| me.organizations.iter().any(|mine| mine.id == id);
    Ok(page
        .data
        .iter()
        .filter_map(|row| {
            let id: OrganizationId = json::text(row, "id").parse().ok()?;
            let name = json::text(row, "name").to_owned();
            (!is_member(id)).then_some(Subsidiary { id, name })
        })
        .collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn parts(path: &str, cookie: &str) -> Parts {
        let request = Request::builder().uri(path).header(header::COOKIE, cookie).body(()).unwrap();
        request.into_parts().0
    }

    #[test]
    fn only_what_may_be_read_is_looked_at_and_oneself_never() {
        let (home, north) = (OrganizationId::new(), OrganizationId::new());
        let scope = Scope::platform(home, "test").reading([north]);
        let looks_at = |id: OrganizationId| format!("theme=dark; {COOKIE}={id}");
        let looked = chosen(&scope, &parts("/models", &looks_at(north))).unwrap();
        assert_eq!(looked.organization(), north);
        assert!(chosen(&scope, &parts("/models", &looks_at(home))).is_none());
        assert!(chosen(&scope, &parts("/models", &looks_at(OrganizationId::new()))).is_none());
        assert!(chosen(&scope, &parts("/models", "ephor_looks_at=north")).is_none());
        for personal in ["/account", "/sessions", "/security/second-factor", "/organization/switch"]
        {
            assert!(chosen(&scope, &parts(personal, &looks_at(north))).is_none(), "{personal}");
        }
        assert!(chosen(&scope, &parts("/organization", &looks_at(north))).is_some());
    }

    #[test]
    fn the_choice_ends_with_the_browser() {
        let id = OrganizationId::new();
        let kept = cookie(true, Some(id));
        let expected = format!("{COOKIE}={id}; Path=/; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(kept.to_str().unwrap(), expected);
        let taken = cookie(false, None);
        assert_eq!(
            taken.to_str().unwrap(),
            format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
        );
    }

    #[test]
    fn a_link_names_the_organization_and_the_page() {
        let id = OrganizationId::new();
        assert_eq!(
            link(id, "/models?q=a&sort=name"),
            format!("/organization/open?organization={id}&next=%2Fmodels%3Fq%3Da%26sort%3Dname")
        );
    }
}
