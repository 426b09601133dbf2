//! AI assistants that are governed like staff: what they are made from, what they do, who approves
//! of it, and whom they may write to.
//!
//! Rows are the resource engine's ([`RESOURCES`]). State machines and what follows from a step
//! (votes decide an approval, an approval releases its work) are in the database
//! (`migrations/0054_workforce.sql`), where nothing can go around them.

pub mod builtin;
mod resources;

pub use resources::RESOURCES;
