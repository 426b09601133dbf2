//! How far an explanation is, for who waits at a terminal.

use std::{
    io::{IsTerminal as _, Write as _, stderr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use ephor_explain::shap::Progress;

/// What is done sooner than this is not told of.
const PATIENCE: Duration = Duration::from_millis(800);
const TOLD: Duration = Duration::from_millis(200);

/// A line on standard error, where that is a terminal.
pub(super) struct Line(Option<Mutex<Told>>);

struct Told {
    since: Instant,
    last: Option<Instant>,
}

pub(super) fn shown() -> Line {
    let told = || Mutex::new(Told { since: Instant::now(), last: None });
    Line(stderr().is_terminal().then(told))
}

/// A line that is never there: where the result is written to the terminal meanwhile.
pub(super) fn quiet() -> Line {
    Line(None)
}

impl Progress for Line {
    fn rows(&self, done: usize, all: usize) {
        let Some(told) = &self.0 else { return };
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        let soon =
            told.since.elapsed() < PATIENCE || told.last.is_some_and(|last| last.elapsed() < TOLD);
        if soon || all == 0 {
            return;
        }
        told.last = Some(Instant::now());
        let share = 100.0 * done as f64 / all as f64;
        // Who cannot be told waits without.
        let _ = write!(stderr().lock(), "\r{done} of {all} ({share:.0} %) ");
    }
}

impl Line {
    /// Takes the line away.
    pub(super) fn over(&self) {
        let Some(told) = &self.0 else { return };
        if told.lock().unwrap_or_else(PoisonError::into_inner).last.is_some() {
            let _ = write!(stderr().lock(), "\r\u{1b}[K");
        }
    }
}
