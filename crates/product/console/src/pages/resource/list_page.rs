//! A list: filters, table, pages. Every list of the console is one.

use askama::Template;

use super::listing::ListTools;
use crate::{
    frame::Frame,
    view::{Field, Icon, Table},
};

/// A button that leads somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Action {
    pub label: String,
    pub href: String,
    pub icon: Icon,
    pub primary: bool,
}

impl Action {
    /// The page's main action.
    pub fn primary(label: impl Into<String>, href: impl Into<String>, icon: &'static str) -> Self {
        Self { primary: true, ..Self::new(label, href, icon) }
    }

    /// Another action.
    pub fn new(label: impl Into<String>, href: impl Into<String>, icon: &'static str) -> Self {
        Self { label: label.into(), href: href.into(), icon: Icon(icon), primary: false }
    }
}

/// What stands where nothing is yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Empty {
    pub icon: Icon,
    pub title: String,
    pub text: String,
    pub action: Option<Action>,
}

impl Empty {
    /// Says what would be here and how it gets here.
    pub fn new(icon: &'static str, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { icon: Icon(icon), title: title.into(), text: text.into(), action: None }
    }

    /// With the way to the first one.
    #[must_use]
    pub fn action(mut self, action: Option<Action>) -> Self {
        self.action = action;
        self
    }
}

/// A list.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/resource/list.html")]
pub(crate) struct ListPage {
    pub frame: Frame,
    /// What is listed and why one looks at it.
    pub lede: String,
    pub actions: Vec<Action>,
    pub filters: Vec<Field>,
    /// Some filter is set.
    pub filtered: bool,
    /// The order that was asked for, which filtering keeps.
    pub sort: Option<String>,
    pub table: Table,
    /// How many there are in all, in words.
    pub total: Option<String>,
    /// Where the first page is, when this is another.
    pub first: Option<String>,
    /// Where the next page is.
    pub next: Option<String>,
    /// The list's own address, without filters.
    pub here: String,
    pub empty: Empty,
    /// Saved views and the choice of columns.
    pub tools: ListTools,
}
