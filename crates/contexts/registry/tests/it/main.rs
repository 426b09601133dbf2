//! The registry on a real PostgreSQL and a folder of objects.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod artifacts;
mod datasets;
mod http;
mod models;
mod support;
