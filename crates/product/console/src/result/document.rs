//! A report in words and tables, as a part of a page.

use askama::{Template, filters::HtmlSafe};

use crate::report::figures::Document;

/// A report within a page, which leads to it by its id.
#[derive(Debug, Clone, Template)]
#[template(path = "result/document.html")]
pub(super) struct DocumentView {
    pub(super) id: String,
    pub(super) document: Document,
}

impl HtmlSafe for DocumentView {}

impl DocumentView {
    pub(super) fn new(id: impl Into<String>, document: Document) -> Self {
        Self { id: id.into(), document }
    }

    pub(super) const fn title(&self) -> &'static str {
        self.document.title
    }
}
