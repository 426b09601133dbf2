//! A look at a page in every form that people see it, for what is wrong with it.

use crate::browser::{Browser, DESKTOP, PHONE};

/// Looks at pages and remembers what is wrong with them, so that one run tells all of it.
pub struct Looks<'a> {
    browser: &'a Browser,
    faults: Vec<String>,
}

impl<'a> Looks<'a> {
    pub fn new(browser: &'a Browser) -> Self {
        Self { browser, faults: Vec::new() }
    }

    /// A page that was answered with success.
    pub async fn at(&mut self, name: &str) {
        self.forms(name).await;
        self.complaints(name, |_| true).await;
    }

    /// A page that tells of a refusal: the browser notes its status, and nothing else.
    pub async fn at_refusal(&mut self, name: &str) {
        self.forms(name).await;
        self.complaints(name, |complaint| !complaint.contains("a status of 4")).await;
    }

    /// Nothing was wrong.
    pub fn end(self) {
        assert!(self.faults.is_empty(), "faults of the pages:\n{}", self.faults.join("\n"));
    }

    async fn forms(&mut self, name: &str) {
        for (width, size) in [("desktop", DESKTOP), ("phone", PHONE)] {
            self.browser.size(size).await;
            for (colours, dark) in [("light", false), ("dark", true)] {
                self.browser.dark(dark).await;
                self.browser.screenshot(&format!("{name}-{width}-{colours}")).await;
                // Both widths and both colours, each once: contrast does not depend on the width.
                if dark == (size == PHONE) {
                    let found = self.browser.accessibility_faults().await;
                    let told = found
                        .into_iter()
                        .map(|fault| format!("{name}, {width} {colours}: {fault}"));
                    self.faults.extend(told);
                }
            }
            let over = self
                .browser
                .run("return document.documentElement.scrollWidth - document.documentElement.clientWidth", vec![])
                .await;
            if over.as_i64() != Some(0) {
                self.faults.push(format!("{name} is wider than a {width}"));
            }
        }
        self.browser.dark(false).await;
        self.browser.size(DESKTOP).await;
    }

    async fn complaints(&mut self, name: &str, counts: impl Fn(&str) -> bool) {
        let complaints = self.browser.complaints().await;
        let told = complaints.iter().filter(|complaint| counts(complaint));
        self.faults.extend(told.map(|complaint| format!("{name}: the browser says {complaint}")));
    }
}
