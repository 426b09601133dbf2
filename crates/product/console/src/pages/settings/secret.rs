//! A secret that is shown once.

use askama::Template;

use crate::{frame::Frame, view::Icon};

/// The page that shows a secret once.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/settings/secret.html")]
pub(crate) struct SecretPage {
    pub frame: Frame,
    pub lede: String,
    pub label: &'static str,
    pub secret: String,
    pub hint: String,
    pub back: &'static str,
}
