//! Policies and their versions, what they decided, what was violated, and what the guards saw.
//!
//! Rows are the resource engine's ([`RESOURCES`]). Decisions, violations, operations and metrics
//! are Ephor's own: people read them, and say of violations how they ended. Some policies come with Ephor
//! ([`builtin`]).

pub mod builtin;
mod resources;

pub use resources::RESOURCES;
