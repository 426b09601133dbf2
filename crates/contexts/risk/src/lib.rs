//! What can go wrong, how it is mitigated, and what already went wrong.
//!
//! Rows are the resource engine's ([`RESOURCES`]). Their state machines are the database's: so is
//! that a risk becomes mitigated when its last open mitigation is completed.

mod resources;

pub use resources::RESOURCES;
