//! Browser tests: the console as people see it, in a real Chromium.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests look again until their time is over")]

mod browser;
mod every_page;
mod keys;
mod live;
mod looks;
mod main_job;
mod saved_views;
#[path = "../crates/product/ephor/tests/support/mod.rs"]
mod support;
