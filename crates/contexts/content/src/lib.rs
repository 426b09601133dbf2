//! The posts of an organization's trust centre: drafted, published, featured, archived.
//!
//! The database keeps the state machine, stamps times, and makes an address for a post that is
//! published without one.

mod resources;

pub use resources::RESOURCES;
