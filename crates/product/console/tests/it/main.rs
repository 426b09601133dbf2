//! The pages as a browser sees them: on a real PostgreSQL, through every layer that the binary
//! puts around them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod account;
mod analysis;
mod beside;
mod door;
mod explanation;
mod looking;
mod mitigation;
mod pages;
mod reports;
mod support;
mod tasks;
