//! The audit trail's page.

use askama::Template;

use crate::{
    frame::Frame,
    pages::resource::{Action, Step},
    view::{Badge, Field, Html, Icon, Moment, Table},
};

/// How the trail is sealed, and what the last verification found.
#[derive(Debug, Clone)]
pub(crate) struct SealView {
    pub badge: Badge,
    pub sentence: String,
    /// What is wrong, each entry by name.
    pub findings: Vec<String>,
    pub facts: Vec<(&'static str, Html)>,
}

/// One entry.
#[derive(Debug, Clone)]
pub(crate) struct EntryView {
    pub moment: Moment,
    pub actor: String,
    /// What was done, as a verb: `created`, `signed in`.
    pub action: String,
    /// What it was done to.
    pub entity: String,
    /// In one line, which fields changed.
    pub summary: String,
    pub seal: Badge,
    /// Field, before, after.
    pub diff: Option<Table>,
    pub facts: Vec<(&'static str, String)>,
    /// Where more is told: the entry's own page, or each of several.
    pub more: String,
}

/// The trail.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/audit/audit.html")]
pub(crate) struct AuditPage {
    pub frame: Frame,
    pub seal: SealView,
    pub steps: Vec<Step>,
    pub actions: Vec<Action>,
    pub filters: Vec<Field>,
    pub filtered: bool,
    pub entries: Vec<EntryView>,
    pub first: Option<String>,
    pub next: Option<String>,
}
