//! Monitors and row feeds on a real PostgreSQL: schedules, runs, alerts, flushes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests look again until their time is over")]

mod alerts;
mod explanations;
mod feeds;
mod isolation;
mod laws;
mod mitigations;
mod runs;
mod schedules;
mod support;
mod views;
