//! The rules that the database keeps: which state follows which, what a step stamps and sets going, who
//! may take it, and what of that was once walked around.
//!
//! `machines` names no table: a new trigger is covered by being there. The other modules name what they
//! are about.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod acting;
mod approvals;
#[path = "../isolation/catalog.rs"]
mod catalog;
mod delegations;
mod kept;
mod machines;
mod naming;
mod registering;
mod risks;
#[path = "../isolation/sample.rs"]
mod sample;
mod stamps;
mod standing;
mod used;
mod work;
