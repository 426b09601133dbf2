//! What is held on a person: handed to them as one archive, and erased when they say so.
//!
//! Both are jobs, since both look at every table. They act for the person, so that the database
//! confines them to what is the person's: `identity.held()` and `identity.erase_actor()`.

mod archive;
mod erase;
mod export;
mod jobs;
mod retry;

pub use erase::EraseMe;
pub use export::{DataExport, DataExportContent};
pub(crate) use jobs::handlers;
