//! The audit trail: reading it, sealing it, proving it.
//!
//! Entries are written by triggers alone (migration `0002_audit.sql`). Here the [`Sealer`] drains
//! what they queued into a Merkle tree per organization, [`verify()`] holds entries, trees and
//! checkpoints against each other, [`export()`] writes them as a file that `ephor_seal` verifies
//! without a database, and [`receipt()`] proves one entry.

mod entry;
mod error;
mod export;
mod instance;
mod keys;
mod reader;
mod receipt;
mod row;
mod sealer;
mod status;
mod tree;
mod verify;

pub use entry::{AuditEntry, Change, EntryFilter, EntryPage, entry_list, erase, record};
pub use error::AuditError;
pub use export::export;
pub use instance::INSTANCE_LOG;
pub use keys::{rotate, trusted};
pub use receipt::{Consistency, consistency, receipt, wait_sealed};
pub use sealer::{SealConfig, SealOutcome, Sealer, SealerHandle, seal_pending};
pub use status::{CheckpointStatus, SealStatus, status};
pub use verify::{verify, verify_all, verify_instance};
