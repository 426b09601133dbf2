//! The pages: server-rendered, live, usable by keyboard, on a phone and in the dark.

mod assets;
mod csp;
mod error;
mod frame;
mod pages;
mod plot;
pub mod report;
mod result;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod samples;
mod view;
