//! The page of what is used.

use askama::Template;

use crate::{
    frame::Frame,
    view::{Badge, Icon, Table},
};

/// One limit, and how much of it is used.
#[derive(Debug, Clone)]
pub(crate) struct LimitBar {
    pub id: &'static str,
    pub label: &'static str,
    pub used: String,
    /// None for no limit.
    pub limit: Option<String>,
    pub percent: Option<u8>,
    pub note: &'static str,
}

/// The page.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/usage/usage.html")]
pub(crate) struct UsagePage {
    pub frame: Frame,
    pub lede: String,
    /// The day on which the month's counts begin anew.
    pub resets: String,
    pub limits: Vec<LimitBar>,
    pub features: Vec<(String, Badge)>,
    pub days: Table,
    pub endpoints: Table,
}
