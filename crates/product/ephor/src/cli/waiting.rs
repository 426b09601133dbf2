//! How far something is, for who waits at a terminal.

use std::{
    io::{IsTerminal as _, Write as _, stderr},
    time::{Duration, Instant},
};

/// What is done sooner than this is not told of.
const PATIENCE: Duration = Duration::from_millis(800);
const PACE: Duration = Duration::from_millis(200);

/// A line on standard error, where that is a terminal; it is taken away at the end.
pub struct Waiting {
    seen: bool,
    since: Instant,
    last: Option<Instant>,
}

impl Waiting {
    pub fn new() -> Self {
        Self { seen: stderr().is_terminal(), since: Instant::now(), last: None }
    }

    /// Says so, if it is time to.
    pub fn tell(&mut self, text: impl FnOnce() -> String) {
        let soon =
            self.since.elapsed() < PATIENCE || self.last.is_some_and(|last| last.elapsed() < PACE);
        if !self.seen || soon {
            return;
        }
        self.last = Some(Instant::now());
        // Who cannot be told waits without.
        let _ = write!(stderr().lock(), "\r{}\u{1b}[K", text());
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        if self.last.take().is_some() {
            let _ = write!(stderr().lock(), "\r\u{1b}[K");
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.clear();
    }
}
