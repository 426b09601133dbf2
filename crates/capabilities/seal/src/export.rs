//! The trail as one file, which can be written and read as a stream.
//!
//! The file begins with the line `ephor-audit-export 1`. Then come frames: one byte that says
//! which kind, four bytes of length (big-endian), the payload.
//!
//! | kind | payload |
//! |---|---|
//! | `J` | begins an organization's section: JSON of [`Section`] |
//! | `N` | a checkpoint, as a signed note; before the block that holds its last leaf |
//! | `B` | a block of leaves: index of the first (8), number n (4), n leaf hashes (32 each), n entry ids (16 each), then entries |
//! | `Q` | entries that wait to be sealed: number n (4), n times entry id (16) and queued hash (32), then entries |
//! | `Z` | ends the section: number of leaves (8), number of queued entries (8) |
//!
//! An entry: id (16), microseconds (8), actor type (1), actor (16), action and entity type (each
//! length (2) and text), flags (1), entity (16, with flag 1), then with flag 2: erased by (16) and
//! body hash (32); with flag 4: nothing; else salt (length (1) and bytes) and body (length (4) and
//! bytes). Numbers are big-endian.

mod block;
mod frame;

pub use block::{Block, BlockEncoder};
pub use frame::{ExportError, Frame, Frames, Section, begin, end, note};
