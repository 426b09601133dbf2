//! AI that is found in repositories: the sources that are scanned, what each scan found in each
//! repository, and how much of it.
//!
//! Rows are the resource engine's ([`RESOURCES`]). Scans write results and summaries; people say
//! what is scanned, and which result becomes a risk.

mod resources;

pub use resources::RESOURCES;
