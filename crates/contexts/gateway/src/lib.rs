//! Calls of models: what they may cost and did cost, what was said, and what of it is doubtful.
//!
//! Rows are the resource engine's ([`RESOURCES`]); how they come about and what follows from a step
//! is in the database (`migrations/0053_gateway.sql`). Transactions and conversations are written by
//! the gateway alone.

mod resources;

pub use resources::RESOURCES;
