//! The page of an explanation.

use std::borrow::Cow;

use askama::Template;

use crate::{
    frame::Frame,
    pages::{
        follow::Live,
        resource::{Action, Step},
    },
    plot::explained::{Drawing, Figure},
    view::{Badge, Field, Icon, Notice, Table},
};

/// What the page shows of the explanation.
#[derive(Debug, Clone)]
pub(crate) enum State {
    /// It is queued or runs.
    Live(Live),
    /// It failed or was cancelled, or another system made it.
    Ended(Notice),
    /// It completed.
    Done(Box<Done>),
}

/// Plots of one of several: which one, the reader chooses.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    pub id: &'static str,
    pub title: &'static str,
    pub choice: Field,
    pub drawing: Option<Drawing>,
}

/// A table with its heading and what is said below it.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub heading: String,
    pub table: Table,
    pub facts: Vec<String>,
}

/// An explanation that is there.
#[derive(Debug, Clone)]
pub(crate) struct Done {
    /// The page's own address.
    pub here: String,
    pub facts: Vec<(String, String)>,
    /// Of all rows.
    pub drawings: Vec<Drawing>,
    /// A feature against what it adds, and a single row.
    pub chosen: Vec<Chosen>,
    pub tables: Vec<Told>,
    pub notes: Vec<Cow<'static, str>>,
}

/// One explanation.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/explanation/show.html")]
pub(crate) struct ExplanationPage {
    pub frame: Frame,
    pub lede: String,
    pub badge: Badge,
    pub actions: Vec<Action>,
    /// What can be kept of it.
    pub downloads: Vec<Action>,
    pub steps: Vec<Step>,
    pub state: State,
}
