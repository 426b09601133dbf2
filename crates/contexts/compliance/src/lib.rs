//! What is asked of the organization and what shows that it is done: frameworks with their
//! requirements, controls that serve them, evidence, assessments, and reports.
//!
//! Rows are the resource engine's ([`RESOURCES`]); their state machines are the database's.

pub mod builtin;
mod resources;

pub use resources::RESOURCES;
