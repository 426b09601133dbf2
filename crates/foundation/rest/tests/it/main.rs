//! The engine on a real PostgreSQL: every request goes through the router, as over HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod catalog;
mod hostile;
mod laws;
mod lists;
mod long_rows;
mod measure;
mod pages;
mod registry;
mod support;
mod writes;
