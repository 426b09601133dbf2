//! One thing: what is known of it, what may be done with it, and what belongs to it.

use askama::{Template, filters::HtmlSafe};

use super::Action;
use crate::{
    frame::Frame,
    view::{Badge, Html, Icon, Table},
};

/// A step that changes something: a form of one button, with a question before it.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/resource/step.html")]
pub(crate) struct Step {
    pub label: String,
    pub action: String,
    pub icon: Icon,
    /// It takes something away.
    pub danger: bool,
    /// What is asked before; empty for nothing.
    pub confirm: String,
    /// What goes with it.
    pub hidden: Vec<(&'static str, String)>,
    pub csrf: String,
}

impl HtmlSafe for Step {}

impl Step {
    /// A step that is taken by `POST` to `action`.
    pub fn new(
        label: impl Into<String>,
        action: impl Into<String>,
        icon: &'static str,
        frame: &Frame,
    ) -> Self {
        Self {
            label: label.into(),
            action: action.into(),
            icon: Icon(icon),
            danger: false,
            confirm: String::new(),
            hidden: Vec::new(),
            csrf: frame.csrf().to_owned(),
        }
    }

    /// It takes something away, and asks before it does.
    #[must_use]
    pub fn danger(mut self, confirm: impl Into<String>) -> Self {
        self.danger = true;
        self.confirm = confirm.into();
        self
    }

    /// With a hidden value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.hidden.push((name, value.into()));
        self
    }
}

/// A table of what belongs to the thing.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    pub id: &'static str,
    pub title: String,
    pub action: Option<Action>,
    pub table: Table,
    /// What is said when there is nothing.
    pub empty: &'static str,
}

/// One thing.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/resource/detail.html")]
pub(crate) struct DetailPage {
    pub frame: Frame,
    pub lede: String,
    pub badges: Vec<Badge>,
    pub actions: Vec<Action>,
    pub steps: Vec<Step>,
    pub facts: Vec<(String, Html)>,
    pub sections: Vec<Section>,
}
