//! The pages of bias analyses: the form that asks for one, and one with its result.

use askama::Template;

use crate::{
    frame::Frame,
    pages::{
        follow::Live,
        resource::{Action, Section, Step},
    },
    result::{ResultView, TaskView},
    view::{Badge, Choice, Field, Form, Icon, Notice},
};

/// A column that may say who belongs to which group.
#[derive(Debug, Clone)]
pub(crate) struct AttributeRow {
    pub name: String,
    pub chosen: bool,
    /// Its kind and how many values it has.
    pub note: String,
    /// Its values, when the profile knows them.
    pub groups: Vec<Choice>,
    pub reference: String,
}

/// What the form offers once a data set is chosen.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    pub dataset_id: String,
    pub attributes: Vec<AttributeRow>,
    /// What is wrong with the choice of attributes.
    pub faults: Vec<String>,
    /// The columns that may say who is like whom, and whether they do.
    pub features: Vec<(String, bool)>,
    /// What is wrong with the choice of these.
    pub feature_faults: Vec<String>,
    /// The columns that may give protected attributes away, and whether they are asked.
    pub data_features: Vec<(String, bool)>,
    /// What is wrong with the choice of these.
    pub data_faults: Vec<String>,
    /// The seldom used fields are shown.
    pub more_open: bool,
    /// Those of tasks other than yes or no are.
    pub tasks_open: bool,
    /// Those of individual fairness are.
    pub individual_open: bool,
    /// Those of the data alone are.
    pub data_open: bool,
    /// Those of reports of the law are.
    pub law_open: bool,
}

/// The form that asks for an analysis.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/analysis/new.html")]
pub(crate) struct NewAnalysisPage {
    pub frame: Frame,
    pub lede: &'static str,
    pub dataset: Field,
    /// `None` until a data set is chosen.
    pub columns: Option<Columns>,
    pub form: Form,
}

/// What the page shows of the analysis.
#[derive(Debug, Clone)]
pub(crate) enum State {
    /// It is queued or runs.
    Live(Live),
    /// It failed or was cancelled.
    Ended(Notice),
    /// It completed.
    Done(Box<ResultView>),
    /// It completed, and is of another task than yes or no.
    Task(Box<TaskView>),
}

/// One analysis.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/analysis/show.html")]
pub(crate) struct AnalysisPage {
    pub frame: Frame,
    pub lede: String,
    pub badge: Badge,
    pub actions: Vec<Action>,
    /// What can be kept of it.
    pub downloads: Vec<Action>,
    pub steps: Vec<Step>,
    pub state: State,
    /// The mitigations that were computed for it, once it is completed.
    pub mitigations: Option<Section>,
    /// The explanations beside it, once it is completed and where it names a model.
    pub explanations: Option<Section>,
}

impl AnalysisPage {
    /// What belongs to it.
    fn sections(&self) -> impl Iterator<Item = &Section> {
        self.mitigations.iter().chain(&self.explanations)
    }
}
