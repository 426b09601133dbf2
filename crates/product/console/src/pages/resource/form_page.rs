//! A form that makes or changes one thing.

use askama::Template;

use crate::{
    frame::Frame,
    view::{Form, Icon},
};

/// A form.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/resource/form.html")]
pub(crate) struct FormPage {
    pub frame: Frame,
    pub lede: String,
    pub form: Form,
    /// Where it is sent.
    pub action: String,
    /// What goes with it unseen.
    pub hidden: Vec<(&'static str, String)>,
    /// The words on its button.
    pub submit: &'static str,
    /// Where to go instead.
    pub cancel: String,
}
