//! The page of a mitigation.

use askama::Template;

use super::view::ArtifactView;
use crate::{
    frame::Frame,
    pages::{
        follow::Live,
        resource::{Action, Section, Step},
    },
    view::{Badge, Form, Icon, Notice},
};

/// What the page shows of the mitigation.
#[derive(Debug, Clone)]
pub(crate) enum State {
    /// It is queued or runs.
    Live(Live),
    /// It failed.
    Ended(Notice),
    /// It completed.
    Done(Box<Done>),
}

/// A mitigation that is there.
#[derive(Debug, Clone)]
pub(crate) struct Done {
    pub artifact: ArtifactView,
    /// An application that waits or runs.
    pub applying: Option<Live>,
    /// What it was applied to.
    pub applications: Section,
    /// To apply it; for whoever may.
    pub apply: Option<ApplyForm>,
}

/// The form that applies it.
#[derive(Debug, Clone)]
pub(crate) struct ApplyForm {
    pub form: Form,
    pub action: String,
}

/// One mitigation.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/mitigation/show.html")]
pub(crate) struct MitigationPage {
    pub frame: Frame,
    pub lede: String,
    pub badge: Badge,
    pub actions: Vec<Action>,
    pub steps: Vec<Step>,
    pub state: State,
}
