//! Background work, on a real database: at least once, whatever dies.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod builtins;
mod cancelling;
mod cleanup;
mod dying;
mod events;
mod parts;
mod running;
mod support;
