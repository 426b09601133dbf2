//! The bar of a list's saved views: picking one, keeping what is shown, changing and deleting one's own.

use askama::{Template, filters::HtmlSafe};
use ephor_rest::{ListRequest, Resource};
use serde_json::Value;

use super::{Looked, Saved, shown};
use crate::{
    view::{Icon, json},
    visit::Visit,
};

/// A view that may be picked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ViewLink {
    pub name: String,
    pub href: String,
    pub current: bool,
    /// Others see it, or somebody else made it.
    pub shared: bool,
    /// One's own list opens with it.
    pub default: bool,
}

/// One's own view that is picked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnView {
    pub id: String,
    pub name: String,
    pub shared: bool,
    pub default: bool,
    /// The list shows something else by now.
    pub changed: bool,
}

/// The bar.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/resource/views/bar.html")]
pub(crate) struct ViewBar {
    /// The resource's path.
    pub resource: String,
    /// The list's own address.
    pub here: String,
    pub views: Vec<ViewLink>,
    /// None of them is picked.
    pub none: bool,
    pub own: Option<OwnView>,
    /// What the list shows, as JSON, for a view to keep; empty when one may make none.
    pub state: String,
    pub csrf: String,
}

impl HtmlSafe for ViewBar {}

fn yes(view: &Value, name: &str) -> bool {
    view.get(name) == Some(&Value::Bool(true))
}

impl Saved {
    /// The bar over a list that shows `looked`; none where there would be nothing on it.
    pub(in super::super) fn bar(
        &self,
        resource: &Resource,
        visit: &Visit,
        here: &str,
        query: &ListRequest,
        looked: &Looked,
    ) -> Option<ViewBar> {
        if !self.allowed {
            return None;
        }
        let picked = query.get("view").unwrap_or_default();
        let may_make = visit.may("saved_views", "create");
        let views: Vec<ViewLink> = self
            .rows
            .iter()
            .map(|view| ViewLink {
                name: json::text(view, "name").to_owned(),
                href: shown(resource, here, view),
                current: json::text(view, "id") == picked,
                shared: yes(view, "is_shared"),
                default: self.is_own(view) && yes(view, "is_default"),
            })
            .collect();
        let own = self
            .rows
            .iter()
            .find(|view| json::text(view, "id") == picked && self.is_own(view))
            .filter(|_| visit.may("saved_views", "update"))
            .map(|view| OwnView {
                id: picked.to_owned(),
                name: json::text(view, "name").to_owned(),
                shared: yes(view, "is_shared"),
                default: yes(view, "is_default"),
                changed: !looked.is_kept_by(view),
            });
        // Nothing to keep, and nothing kept: no bar.
        if views.is_empty() && (looked.is_plain() || !may_make) {
            return None;
        }
        let state = if may_make { Value::Object(looked.body()).to_string() } else { String::new() };
        Some(ViewBar {
            resource: resource.spec().path().to_owned(),
            here: here.to_owned(),
            none: views.iter().all(|view| !view.current),
            views,
            own,
            state,
            csrf: visit.csrf(),
        })
    }
}
