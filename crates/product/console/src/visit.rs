//! Who looks at a page: taken from the request, it makes the page's frame.

use axum::{
    extract::{FromRequestParts, RawQuery},
    http::{HeaderMap, header, request::Parts},
};
use ephor_identity::{Context, CurrentSession, Me};
use ephor_kernel::{Code, OrganizationId, Problem, RequestContext, Scope};
use ephor_rest::{ApiError, ListRequest, ResourceSpec};

use crate::{
    ConsoleState,
    frame::{Account, Frame, Looking, OrganizationChoice, Theme},
    looking::{self, Subsidiary},
    navigation,
    view::Notice,
};

/// What a handler of a page answers.
pub(crate) type Answer = Result<axum::response::Response, ApiError>;

/// Somebody who is signed in in a browser, and what they ask for.
pub(crate) struct Visit {
    /// In the organization that they look at: their session's, or one of its subsidiaries.
    pub scope: Scope,
    pub session: CurrentSession,
    pub context: RequestContext,
    pub me: Me,
    pub query: ListRequest,
    /// The subsidiaries that may be looked at from the session's organization.
    pub subsidiaries: Vec<Subsidiary>,
    /// What of the navigation is not there for who looks in from outside.
    beyond: Vec<&'static str>,
    /// Where they are, as a link to it says it.
    here: String,
    theme: Option<Theme>,
}

impl FromRequestParts<ConsoleState> for Visit {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ConsoleState) -> Result<Self, ApiError> {
        let scope = parts
            .extensions
            .get::<Scope>()
            .cloned()
            .ok_or_else(|| Problem::new(Code::Unauthenticated, "Sign in first"))?;
        let session = CurrentSession::from_request_parts(parts, state).await?;
        let Context(context) = Context::from_request_parts(parts, state).await?;
        let me = state.identity.me(&scope).await?;
        let subsidiaries = looking::subsidiaries(state, &scope, &me).await?;
        let looked = looking::chosen(&scope, parts);
        let beyond = match looked {
            Some(_) => navigation::addresses()
                .filter(|address| !looking::reaches(&state.engine, address))
                .collect(),
            None => Vec::new(),
        };
        if looked.is_some() {
            looking::admit(&state.engine, parts)?;
        }
        Ok(Self {
            scope: looked.unwrap_or(scope),
            session,
            context,
            me,
            query: query(parts),
            subsidiaries,
            beyond,
            here: here(parts),
            theme: theme(&parts.headers),
        })
    }
}

/// Somebody before the door.
pub(crate) struct Caller {
    pub context: RequestContext,
    pub query: ListRequest,
    pub theme: Option<Theme>,
    /// They are signed in already.
    pub signed_in: bool,
    /// The token that forms of their session carry, if they are.
    csrf: Option<String>,
}

impl Caller {
    /// What goes with a form unseen, which may be sent signed in or not.
    pub fn hidden(&self, mut values: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
        values.extend(self.csrf.clone().map(|csrf| ("_csrf", csrf)));
        values
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Context(context) = Context::from_request_parts(parts, state).await?;
        Ok(Self {
            context,
            query: query(parts),
            theme: theme(&parts.headers),
            signed_in: parts.extensions.get::<CurrentSession>().is_some(),
            csrf: parts
                .extensions
                .get::<CurrentSession>()
                .map(|session| session.csrf.token().expose().to_owned()),
        })
    }
}

fn query(parts: &Parts) -> ListRequest {
    let RawQuery(query) = RawQuery(parts.uri.query().map(str::to_owned));
    ListRequest::from_query(query.as_deref().unwrap_or_default())
}

/// The page's address, without what was just done.
fn here(parts: &Parts) -> String {
    let (path, query) = (parts.uri.path(), query(parts).without("done").to_query());
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// The theme that the cookies choose.
pub(crate) fn theme(headers: &HeaderMap) -> Option<Theme> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .find_map(Theme::of_cookies)
}

impl Visit {
    /// The frame of a page titled `title` in the navigation's `section`. It tells what was just
    /// done, when the address says so.
    pub fn frame(&self, title: impl Into<String>, section: impl Into<String>) -> Frame {
        let due = self.me.user.second_factor_due.then(second_factor_due);
        Frame::new(title, self.theme)
            .within(self.account(), section)
            .notice(self.query.get("done").and_then(done).or(due))
    }

    /// May they do `action` to `resource`?
    pub fn may(&self, resource: &str, action: &str) -> bool {
        self.scope.permissions().allows(resource, action)
    }

    /// May they read the resource's rows?
    pub fn reads(&self, resource: &ResourceSpec) -> bool {
        resource.readable_in(&self.scope)
    }

    /// Do they look into a subsidiary of the session's organization, where they only read?
    pub fn looks(&self) -> bool {
        self.scope.only_reads()
    }

    /// The name of the organization that they look at.
    pub fn organization(&self) -> &str {
        if self.looks() {
            let looked = self.scope.organization();
            let found = self.subsidiaries.iter().find(|subsidiary| subsidiary.id == looked);
            return found.map_or("A subsidiary", |subsidiary| &subsidiary.name);
        }
        self.home()
    }

    /// The name of the session's organization.
    fn home(&self) -> &str {
        let current = self.me.organization_id;
        self.me
            .organizations
            .iter()
            .find(|organization| organization.id == current)
            .map_or("", |organization| &organization.name)
    }

    /// Their role's name in the session's organization.
    pub fn role(&self) -> &str {
        let current = self.me.organization_id;
        self.me
            .organizations
            .iter()
            .find(|organization| organization.id == current)
            .map_or("", |organization| &organization.role_name)
    }

    fn account(&self) -> Account {
        let present = self.scope.organization();
        let choice = |id: OrganizationId, name: &str, note: &str| OrganizationChoice {
            id: id.to_string(),
            name: name.to_owned(),
            note: note.to_owned(),
            current: id == present,
        };
        let looking = self.looks().then(|| Looking {
            home: self.home().to_owned(),
            home_id: self.me.organization_id.to_string(),
            link: looking::link(present, &self.here),
        });
        Account {
            name: self.me.user.full_name.clone(),
            email: self.me.user.email.clone(),
            role: self.role().to_owned(),
            organizations: self
                .me
                .organizations
                .iter()
                .map(|organization| {
                    choice(organization.id, &organization.name, &organization.role_name)
                })
                .collect(),
            subsidiaries: self
                .subsidiaries
                .iter()
                .map(|subsidiary| choice(subsidiary.id, &subsidiary.name, "read only"))
                .collect(),
            looking,
            beyond: self.beyond.clone(),
            permissions: self.scope.permissions().clone(),
            csrf: self.csrf(),
        }
    }

    /// The token that forms carry: of the session, and for its organization alone, so that a form which
    /// was left open writes nothing in another one.
    pub fn csrf(&self) -> String {
        format!("{}.{}", self.session.csrf.token().expose(), self.me.organization_id)
    }
}

fn second_factor_due() -> Notice {
    Notice::warning("This organization requires a second factor").text(
        "Set one up under Security, in the menu of your name; until then you may do nothing here.",
    )
}

/// What was just done, by the word that a redirect left in the address. Only these words say
/// anything: nobody can make a page tell something else.
fn done(word: &str) -> Option<Notice> {
    let title = match word {
        "created" => "Created.",
        "saved" => "Saved.",
        "deleted" => "Deleted.",
        "cancelled" => "It is being stopped.",
        "revoked" => "Revoked. It stops working at once.",
        "removed" => "Removed.",
        "switched" => "You now work in this organization.",
        "looking" => "You now look at this organization.",
        "rolled-back" => "Rolled back, as a new version.",
        "invited" => "Invited. The mail is on its way.",
        "mailed" => "A mail is on its way to you.",
        "verified" => "Your address is proven.",
        "asked" => "Asked for. It is ready within moments; look again.",
        "accepted" => "Accepted. It follows new versions again.",
        "declined" => "Declined. The version after it is offered again.",
        "published" => "Published. Anybody may read it.",
        "unpublished" => "Taken back. It is a draft again.",
        "view-saved" => "The view is saved.",
        "view-deleted" => "The view is deleted.",
        "password" => "Your password is changed; all other sessions have ended.",
        _ => return None,
    };
    Some(Notice::pass(title))
}
