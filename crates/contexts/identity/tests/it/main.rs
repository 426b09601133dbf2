//! Identity on a real PostgreSQL, through its functions and over HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod api_keys;
mod door;
mod holding;
mod http;
mod in_flight;
mod log_in;
mod me;
mod members;
mod privacy;
mod sessions;
mod sign_up;
mod support;
