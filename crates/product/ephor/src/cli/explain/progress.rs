//! How far an explanation is, for who waits at a terminal.

use std::sync::{Mutex, PoisonError};

use ephor_explain::shap::Progress;

use super::super::waiting::Waiting;

/// The line of an explanation, whose threads all tell.
pub(super) struct Line(Option<Mutex<Waiting>>);

pub(super) fn shown() -> Line {
    Line(Some(Mutex::new(Waiting::new())))
}

/// A line that is never there: where the result is written to the terminal meanwhile.
pub(super) fn quiet() -> Line {
    Line(None)
}

impl Progress for Line {
    fn rows(&self, done: usize, all: usize) {
        let Some(line) = self.0.as_ref().filter(|_| all > 0) else { return };
        let text = || format!("{done} of {all} ({:.0} %)", 100.0 * done as f64 / all as f64);
        line.lock().unwrap_or_else(PoisonError::into_inner).tell(text);
    }
}

impl Line {
    /// Takes the line away.
    pub(super) fn over(&self) {
        if let Some(line) = &self.0 {
            line.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }
}
