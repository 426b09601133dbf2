//! The audit trail: reading it, sealing it, proving it.
//!
//! Entries are written by triggers alone (migration `0002_audit.sql`). Here the [`Sealer`] drains
//! what they queued into a Merkle tree per organization, [`verify()`] holds entries, trees and
//! checkpoints against each other, [`export()`] writes them as a file that `ephor_seal` verifies
//! without a database, and [`receipt()`] proves one entry. The [`Publisher`] hands checkpoints to
//! somebody outside, and [`archive_due`] takes old months to the object store.

mod archive;
mod entry;
mod error;
mod export;
mod instance;
mod keys;
mod place;
mod publish;
mod reader;
mod receipt;
mod row;
mod sealer;
mod status;
mod tree;
mod verify;

pub use archive::{
    Archive, archive_check, archive_due, archive_list, archive_plan, archive_write,
    archived_receipt,
};
pub use entry::{
    AuditEntry, Change, EntryFilter, EntryPage, SEARCHED, entry_get, entry_list, erase, record,
};
pub use error::AuditError;
pub use export::export;
pub use instance::INSTANCE_LOG;
pub use keys::{rotate, trusted};
pub use place::{Covering, Place, places};
pub use publish::{Deliver, Publication, PublishConfig, Publisher, publication_list};
pub use receipt::{consistency, consistency_between, receipt, wait_sealed};
pub use sealer::{SealConfig, SealOutcome, Sealer, SealerHandle, seal_pending};
pub use status::{CheckpointStatus, InstanceStatus, SealStatus, instance_status, status};
pub use verify::{verify, verify_all, verify_instance};
