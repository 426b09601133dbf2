//! The frame around every page: navigation, who is signed in, where one stands.

use ephor_kernel::PermissionSet;

use crate::{
    navigation::{self, Group, Link},
    view::{Notice, Sprite, format},
};

/// Light or dark, when somebody chose one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Dark ink on light paper.
    Light,
    /// Light ink on dark paper.
    Dark,
}

impl Theme {
    /// The choice that a `cookie` header holds.
    pub fn of_cookies(header: &str) -> Option<Self> {
        header.split(';').find_map(|cookie| match cookie.trim().split_once('=')? {
            ("ephor_theme", "dark") => Some(Self::Dark),
            ("ephor_theme", "light") => Some(Self::Light),
            _ => None,
        })
    }

    fn word(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// An organization that one may switch to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationChoice {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What one is there: a role, or somebody who only reads.
    pub note: String,
    /// It is the one that is looked at.
    pub current: bool,
}

/// What is said to who looks into a subsidiary from its holding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looking {
    /// The name of the organization that they look from.
    pub home: String,
    /// Its id.
    pub home_id: String,
    /// The link to what they look at, which says in which organization it is.
    pub link: String,
}

/// Who is signed in, where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The person's name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Their role's name in the present organization.
    pub role: String,
    /// The organizations that they are members of.
    pub organizations: Vec<OrganizationChoice>,
    /// The subsidiaries that they may look into from the session's organization.
    pub subsidiaries: Vec<OrganizationChoice>,
    /// They look into a subsidiary, where they only read.
    pub looking: Option<Looking>,
    /// Addresses of the navigation that are not there while they do.
    pub beyond: Vec<&'static str>,
    /// What they may do here.
    pub permissions: PermissionSet,
    /// The token that forms of this session carry.
    pub csrf: String,
}

impl Account {
    pub(crate) fn initials(&self) -> String {
        format::initials(&self.name)
    }

    pub(crate) fn organization(&self) -> &str {
        self.organizations
            .iter()
            .chain(&self.subsidiaries)
            .find(|choice| choice.current)
            .map_or("No organization", |choice| &choice.name)
    }

    /// Is there anything to choose, or to open?
    pub(crate) fn chooses(&self) -> bool {
        self.organizations.len() + self.subsidiaries.len() > 1 || self.opens()
    }

    /// May they open a subsidiary?
    pub(crate) fn opens(&self) -> bool {
        self.permissions.allows("subsidiaries", "create")
    }
}

/// A step of the way to the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crumb {
    /// Its words.
    pub label: String,
    /// Where it leads; the page itself leads nowhere.
    pub href: Option<String>,
}

/// The frame around a page.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The page's title.
    pub title: String,
    /// The theme, when one was chosen.
    pub theme: Option<Theme>,
    /// Who is signed in; nobody on the pages before.
    pub account: Option<Account>,
    /// The navigation's link that the page belongs to.
    pub section: String,
    /// The way to the page.
    pub crumbs: Vec<Crumb>,
    /// What happened, told at the top of the page.
    pub notice: Option<Notice>,
    /// The page holds plots.
    pub plots: bool,
    /// The page is kept up to date by events.
    pub live: bool,
    pub(crate) sprite: Sprite,
}

impl Frame {
    /// The frame of a page titled `title`, with nobody signed in.
    pub fn new(title: impl Into<String>, theme: Option<Theme>) -> Self {
        Self {
            title: title.into(),
            theme,
            account: None,
            section: String::new(),
            crumbs: Vec::new(),
            notice: None,
            plots: false,
            live: false,
            sprite: Sprite,
        }
    }

    /// For somebody who is signed in, in the navigation's `section`.
    #[must_use]
    pub fn within(mut self, account: Account, section: impl Into<String>) -> Self {
        self.account = Some(account);
        self.section = section.into();
        self
    }

    /// With a step of the way to the page; the title is its end.
    #[must_use]
    pub fn crumb(mut self, label: impl Into<String>, href: impl Into<String>) -> Self {
        self.crumbs.push(Crumb { label: label.into(), href: Some(href.into()) });
        self
    }

    /// With plots.
    #[must_use]
    pub fn plots(mut self) -> Self {
        self.plots = true;
        self
    }

    /// Kept up to date by events.
    #[must_use]
    pub fn live(mut self) -> Self {
        self.live = true;
        self
    }

    /// Telling what happened.
    #[must_use]
    pub fn notice(mut self, notice: Option<Notice>) -> Self {
        self.notice = notice;
        self
    }

    /// The token that forms carry; empty before somebody is signed in.
    pub fn csrf(&self) -> &str {
        self.account.as_ref().map_or("", |account| &account.csrf)
    }

    /// The same for what is done from any organization: going to another one, and signing out.
    pub(crate) fn session_csrf(&self) -> &str {
        self.csrf().split('.').next().unwrap_or_default()
    }

    pub(crate) fn theme_word(&self) -> &'static str {
        self.theme.map_or("", Theme::word)
    }

    /// What the account may see of the navigation.
    pub(crate) fn navigation(&self) -> Vec<Group<Vec<Link>>> {
        let Some(account) = &self.account else { return Vec::new() };
        navigation::allowed(&account.permissions, &account.beyond, &self.section)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_theme_is_read_from_its_cookie_alone() {
        assert_eq!(Theme::of_cookies("a=b; ephor_theme=dark"), Some(Theme::Dark));
        assert_eq!(Theme::of_cookies("ephor_theme=\"><script>"), None);
    }

    #[test]
    fn the_navigation_holds_what_one_may_read() {
        let account = Account {
            name: "Ada".into(),
            email: "ada@example.org".into(),
            role: "viewer".into(),
            organizations: vec![],
            subsidiaries: vec![],
            looking: None,
            beyond: vec![],
            permissions: PermissionSet::parse(["datasets:read"]).unwrap(),
            csrf: String::new(),
        };
        let links = |account: &Account| -> Vec<&'static str> {
            let frame = Frame::new("x", None).within(account.clone(), "/");
            frame.navigation().iter().flat_map(|group| &group.links).map(|link| link.href).collect()
        };
        // Catalogues are everybody's.
        let expected =
            ["/", "/datasets", "/resources/frontier_models", "/resources/subscription_tiers"];
        assert_eq!(links(&account), expected);
        let outside = Account { beyond: vec!["/datasets"], ..account };
        assert!(!links(&outside).contains(&"/datasets"));
    }
}
