//! Browser tests: the console as people see it, in a real Chromium.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod browser;
#[path = "../crates/product/ephor/tests/support/mod.rs"]
mod support;
