//! The pages before somebody is signed in: one form beside a few words.

use askama::Template;

use crate::{
    frame::Frame,
    view::{Form, Icon},
};

/// A form before the door.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/sign_in/gate.html")]
pub(crate) struct GatePage {
    pub frame: Frame,
    pub lede: String,
    pub form: Form,
    pub action: &'static str,
    pub hidden: Vec<(&'static str, String)>,
    pub submit: &'static str,
    /// The other way in: words, address, label.
    pub other: Option<(&'static str, String, &'static str)>,
}
