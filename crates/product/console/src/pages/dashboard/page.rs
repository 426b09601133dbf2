//! The dashboard's page.

use askama::Template;

use crate::{
    frame::Frame,
    pages::resource::Action,
    view::{Badge, Icon, Table},
};

/// One number and what it counts.
#[derive(Debug, Clone)]
pub(crate) struct Count {
    pub label: &'static str,
    pub value: String,
    pub note: String,
    pub href: &'static str,
    pub tone: &'static str,
}

/// How the audit trail is.
#[derive(Debug, Clone)]
pub(crate) struct Trail {
    pub badge: Badge,
    pub sentence: String,
}

/// The dashboard.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/dashboard/dashboard.html")]
pub(crate) struct DashboardPage {
    pub frame: Frame,
    pub greeting: String,
    pub lede: String,
    pub actions: Vec<Action>,
    pub counts: Vec<Count>,
    pub latest: Table,
    pub trail: Option<Trail>,
    /// Name, address and detail of each.
    pub failing: Vec<(String, String, String)>,
}
