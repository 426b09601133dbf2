//! Backups: one file with everything that the database holds, and the way back.
//!
//! Row-level security is forced on every tenant table, so that a plain `pg_dump` by the owner fails
//! or, told to obey the policies, would silently leave rows out. The backup login has a policy that
//! shows it all rows of every such table; that no table lacks one is checked before each backup.

mod connection;
mod error;
mod programs;
mod restore;
mod save;
#[cfg(test)]
mod tests;

pub use error::BackupError;
pub use restore::restore;
pub use save::{Backup, backup};
