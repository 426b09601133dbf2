//! The pages of data sets: upload, and one data set with its profile.

use askama::Template;

use crate::{
    frame::Frame,
    pages::resource::{Action, Step},
    view::{Bars, Form, Html, Icon, Spark, Table},
};

/// The form that takes a file.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/dataset/upload.html")]
pub(crate) struct UploadPage {
    pub frame: Frame,
    pub form: Form,
    pub action: &'static str,
}

/// One column's profile.
#[derive(Debug, Clone)]
pub(crate) struct ColumnCard {
    pub name: String,
    pub kind: String,
    /// Its histogram, when it is of numbers.
    pub spark: Option<Spark>,
    /// Its most frequent values, when it is not.
    pub bars: Option<Bars>,
    pub facts: Vec<(&'static str, String)>,
}

/// One data set.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/dataset/detail.html")]
pub(crate) struct DatasetPage {
    pub frame: Frame,
    pub lede: String,
    pub actions: Vec<Action>,
    pub steps: Vec<Step>,
    pub facts: Vec<(&'static str, Html)>,
    pub columns: Vec<ColumnCard>,
    pub preview: Table,
    /// `None` when the reader may not see analyses.
    pub analyses: Option<Table>,
}
