//! The posts of an organization's trust centre: drafted, published, featured, archived, and shown
//! to anybody.
//!
//! The database keeps the state machine, stamps times, and makes an address for a post that is
//! published without one. [`public()`] are the pages and the feed that need no log-in: they read
//! through two functions of schema `door`, which tell what is not published, or another's, from what
//! never was in no way. docs/content.md tells the whole of it.

mod background;
mod content;
mod markdown;
mod operations;
mod public;
mod resources;
mod routes;

pub use content::Content;
pub use operations::operations;
pub use public::public;
pub use resources::RESOURCES;
pub use routes::routes;
