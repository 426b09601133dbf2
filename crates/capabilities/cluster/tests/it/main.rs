//! A cluster on this machine: a scheduler and executors, each with threads of its own, so that one can be killed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod failures;
mod lost;
mod results;
mod support;
mod tasks;
