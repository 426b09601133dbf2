//! Merkle trees, proofs and signed checkpoints that make an audit trail tamper-evident, and its
//! offline verifier.
//!
//! - [`leaf`]: what of an entry is hashed, and how.
//! - [`merkle`], [`tile`], [`tree`]: RFC 6962 trees kept as C2SP tlog-tiles.
//! - [`note`], [`key`], [`checkpoint`], [`proof`]: C2SP signed notes, checkpoints, tlog-proofs; [`consistency`] beside.
//! - [`verify`]: finds and names what is not as it was sealed.
//! - [`export`], [`offline`]: the trail as one file, and its verification without a database.
//!
//! Nothing here knows of a database or of Ephor's other crates.

pub mod checkpoint;
pub mod consistency;
pub mod export;
pub mod key;
pub mod leaf;
pub mod merkle;
pub mod note;
pub mod offline;
pub mod proof;
pub mod tile;
pub mod tree;
pub mod verify;

pub use checkpoint::{Checkpoint, organization_origin};
pub use consistency::ConsistencyProof;
pub use key::{KEY_NAME, KeyError, KeyRing, PublicKey, RotationNote, SealKey};
pub use leaf::{Entry, Header, Payload};
pub use merkle::Hash;
pub use note::{Note, NoteError};
pub use offline::{Trust, verify_export};
pub use proof::TlogProof;
pub use tree::Tree;
pub use verify::{Finding, Verification};
