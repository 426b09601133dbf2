//! The board: AI personas work at a hard question through rounds, vote, and recommend.
//!
//! Rows are the resource engine's ([`RESOURCES`]); states and owners are kept in the database
//! (`migrations/0055_deliberation.sql`). A deliberation is seen by the person alone whose question it
//! is; what the board says is written by the board.

pub mod builtin;
mod resources;

pub use resources::RESOURCES;
