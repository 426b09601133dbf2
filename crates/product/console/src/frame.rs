//! The frame around every page: navigation, who is signed in, where one stands.

use ephor_kernel::PermissionSet;

use crate::view::{Icon, Notice, Sprite, format};

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
    /// It is the present one.
    pub current: bool,
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
            .find(|choice| choice.current)
            .map_or("No organization", |choice| &choice.name)
    }
}

/// A link of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) href: &'static str,
    pub(crate) label: &'static str,
    pub(crate) icon: Icon,
    /// `g` and then this letter leads there; empty for none.
    pub(crate) key: &'static str,
    /// The resource that one must be allowed to read.
    needs: Option<&'static str>,
}

/// A group of links, in the order of the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group<L> {
    pub(crate) title: &'static str,
    /// Its links are always in sight; those of the others when one of them is where one is.
    pub(crate) open: bool,
    pub(crate) links: L,
}

/// The navigation.
const NAVIGATION: [Group<&[Link]>; 12] = [
    group("", true, &[link("/", "Dashboard", "home", "d", None)]),
    group(
        "Registry",
        true,
        &[
            link("/resources/ai_systems", "AI systems", "resource", "", Some("ai_systems")),
            link("/datasets", "Data sets", "dataset", "s", Some("datasets")),
            link("/models", "Models", "model", "m", Some("models")),
        ],
    ),
    group(
        "Assurance",
        true,
        &[
            link("/analyses", "Bias analyses", "scale", "b", Some("bias_analyses")),
            link(
                "/resources/model_explanations",
                "Explanations",
                "info",
                "",
                Some("model_explanations"),
            ),
            link("/resources/monitors", "Monitors", "running", "", Some("monitors")),
            link(
                "/resources/monitoring_alerts",
                "Alerts",
                "warning",
                "",
                Some("monitoring_alerts"),
            ),
        ],
    ),
    group(
        "Discovery",
        false,
        &[
            link(
                "/resources/github_scan_configs",
                "Sources",
                "search",
                "",
                Some("github_scan_configs"),
            ),
            link(
                "/resources/github_scan_results",
                "Findings",
                "resource",
                "",
                Some("github_scan_results"),
            ),
            link(
                "/resources/github_scan_summaries",
                "Scans",
                "audit",
                "",
                Some("github_scan_summaries"),
            ),
        ],
    ),
    group(
        "Guard",
        false,
        &[
            link("/resources/policies", "Policies", "seal", "", Some("policies")),
            link("/resources/policy_decisions", "Decisions", "pass", "", Some("policy_decisions")),
            link(
                "/resources/policy_violations",
                "Violations",
                "fail",
                "",
                Some("policy_violations"),
            ),
            link(
                "/resources/guard_operations",
                "Operations",
                "running",
                "",
                Some("guard_operations"),
            ),
            link("/resources/guard_metrics", "Metrics", "scale", "", Some("guard_metrics")),
        ],
    ),
    group(
        "Gateway",
        false,
        &[
            link(
                "/resources/provider_credit_pools",
                "Credit pools",
                "organization",
                "",
                Some("provider_credit_pools"),
            ),
            link("/resources/cost_transactions", "Costs", "scale", "", Some("cost_transactions")),
            link(
                "/resources/conversation_logs",
                "Conversations",
                "session",
                "",
                Some("conversation_logs"),
            ),
            link(
                "/resources/hallucination_flags",
                "Hallucination flags",
                "warning",
                "",
                Some("hallucination_flags"),
            ),
        ],
    ),
    group(
        "Workforce",
        false,
        &[
            link("/resources/assistants", "Assistants", "user", "", Some("assistants")),
            link("/resources/work_items", "Work", "queued", "", Some("work_items")),
            link("/resources/approvals", "Approvals", "pass", "", Some("approvals")),
            link(
                "/resources/approval_delegations",
                "Delegations",
                "members",
                "",
                Some("approval_delegations"),
            ),
            link(
                "/resources/assistant_templates",
                "Templates",
                "copy",
                "",
                Some("assistant_templates"),
            ),
            link(
                "/resources/communication_policies",
                "Communication",
                "session",
                "",
                Some("communication_policies"),
            ),
            link("/resources/messages", "Messages", "info", "", Some("messages")),
        ],
    ),
    group(
        "Board",
        false,
        &[
            link("/resources/deliberations", "Deliberations", "members", "", Some("deliberations")),
            link("/resources/personas", "Personas", "user", "", Some("personas")),
        ],
    ),
    group(
        "Risk",
        false,
        &[
            link("/resources/risk_items", "Risks", "warning", "", Some("risk_items")),
            link(
                "/resources/risk_mitigations",
                "Mitigations",
                "pass",
                "",
                Some("risk_mitigations"),
            ),
            link("/resources/compliance_issues", "Issues", "fail", "", Some("compliance_issues")),
            link(
                "/resources/frontier_alerts",
                "Frontier news",
                "info",
                "",
                Some("frontier_alerts"),
            ),
        ],
    ),
    group(
        "Compliance",
        false,
        &[
            link("/resources/frameworks", "Frameworks", "organization", "", Some("frameworks")),
            link("/resources/controls", "Controls", "seal", "", Some("controls")),
            link("/resources/evidence", "Evidence", "audit", "", Some("evidence")),
            link("/resources/assessments", "Assessments", "scale", "", Some("assessments")),
            link(
                "/resources/compliance_reports",
                "Reports",
                "print",
                "",
                Some("compliance_reports"),
            ),
        ],
    ),
    group(
        "Business",
        false,
        &[
            link("/resources/subscriptions", "Subscriptions", "running", "", Some("subscriptions")),
            link("/resources/invoices", "Invoices", "print", "", Some("invoices")),
            link(
                "/resources/payment_methods",
                "Payment methods",
                "key",
                "",
                Some("payment_methods"),
            ),
            link("/resources/usage_records", "Usage", "scale", "", Some("usage_records")),
            link("/resources/posts", "Posts", "edit", "", Some("posts")),
        ],
    ),
    group(
        "Organization",
        true,
        &[
            link("/audit", "Audit trail", "audit", "a", Some("audit")),
            link("/members", "Members", "members", "e", Some("members")),
            link("/resources/teams", "Teams", "members", "", Some("teams")),
            link("/roles", "Roles", "role", "r", Some("roles")),
            link("/api-keys", "API keys", "key", "k", Some("api_keys")),
            link("/organization", "Settings", "organization", "o", Some("organizations")),
        ],
    ),
];

const fn group(title: &'static str, open: bool, links: &'static [Link]) -> Group<&'static [Link]> {
    Group { title, open, links }
}

/// Every address of the navigation, for those who visit them all.
pub fn addresses() -> impl Iterator<Item = &'static str> {
    NAVIGATION.iter().flat_map(|group| group.links.iter().map(|link| link.href))
}

const fn link(
    href: &'static str,
    label: &'static str,
    icon: &'static str,
    key: &'static str,
    needs: Option<&'static str>,
) -> Link {
    Link { href, label, icon: Icon(icon), key, needs }
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

    pub(crate) fn theme_word(&self) -> &'static str {
        self.theme.map_or("", Theme::word)
    }

    /// What the account may see of the navigation.
    pub(crate) fn navigation(&self) -> Vec<Group<Vec<Link>>> {
        let Some(account) = &self.account else { return Vec::new() };
        let may = |link: &&Link| {
            link.needs.is_none_or(|resource| account.permissions.allows(resource, "read"))
        };
        NAVIGATION
            .iter()
            .map(|group| {
                let links: Vec<Link> = group.links.iter().filter(may).copied().collect();
                let here = links.iter().any(|link| link.href == self.section);
                Group { title: group.title, open: group.open || here, links }
            })
            .filter(|group| !group.links.is_empty())
            .collect()
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
            permissions: PermissionSet::parse(["datasets:read"]).unwrap(),
            csrf: String::new(),
        };
        let frame = Frame::new("x", None).within(account, "/");
        let links: Vec<_> = frame
            .navigation()
            .into_iter()
            .flat_map(|group| group.links)
            .map(|link| link.href)
            .collect();
        assert_eq!(links, ["/", "/datasets"]);
    }

    #[test]
    fn no_two_links_share_a_key() {
        let mut keys: Vec<_> = NAVIGATION
            .iter()
            .flat_map(|group| group.links.iter().map(|link| link.key))
            .filter(|key| !key.is_empty())
            .collect();
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all);
    }
}
