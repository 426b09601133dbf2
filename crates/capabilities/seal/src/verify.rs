//! Finds what is not as it was sealed, and names it.
//!
//! Three records are held against each other: the entries, the tree (leaf hashes, and which entry
//! each belongs to), and the signed checkpoints. [`check`] recomputes the leaves of a chunk and
//! may run on many threads; [`Verifier`] takes the checked chunks in order, rebuilds the tree and
//! compares its root with every checkpoint. Where they differ it tries what an attacker may have
//! done (leaves altered, entries of one batch reordered) until the signed root comes out, so that
//! it can say which entry it was.

mod chunk;
mod finding;
mod verifier;

pub use chunk::{Checked, Chunk, check};
pub use finding::{Erased, Finding, Verification};
pub use verifier::{CheckpointRecord, Verifier};
