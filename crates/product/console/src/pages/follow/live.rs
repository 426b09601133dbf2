//! Work on its way, as a page shows it.

use askama::{Template, filters::HtmlSafe};

/// How far work is: what events replace while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/follow/progress.html")]
pub(crate) struct Progress {
    pub message: String,
    /// 0 to 100.
    pub percent: u8,
}

impl HtmlSafe for Progress {}

impl Progress {
    /// Of work in this state, by what it tells of itself; `done` is a fraction.
    pub fn of(status: &str, message: &str, done: f64) -> Self {
        let message = match (status, message) {
            ("queued", _) => "Waiting for a worker",
            (_, "") => "Working",
            (_, message) => message,
        };
        Self { message: message.to_owned(), percent: (100.0 * done).clamp(0.0, 100.0) as u8 }
    }
}

/// Work that a page follows.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/follow/live.html")]
pub(crate) struct Live {
    /// Where its events come from.
    pub events: String,
    pub progress: Progress,
}

impl HtmlSafe for Live {}
