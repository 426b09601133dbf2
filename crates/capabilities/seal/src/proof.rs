//! Receipts: proofs of inclusion as text (<https://c2sp.org/tlog-proof>).

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{Checkpoint, Hash, KeyRing, NoteError, merkle};

/// The first line.
const TITLE: &str = "c2sp.org/tlog-proof@v1";

/// Why a receipt proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The text is not laid out as a proof.
    #[error("not a tlog-proof: {0}")]
    Malformed(&'static str),
    /// The checkpoint in it can't be trusted.
    #[error("its checkpoint: {0}")]
    Checkpoint(#[from] NoteError),
    /// The hashes don't lead from the entry to the root.
    #[error("the entry is not leaf {index} of the tree of {size} entries that was signed")]
    NotIncluded {
        /// Where it is said to be.
        index: u64,
        /// The tree's size.
        size: u64,
    },
    /// The hashes don't lead from the older root to the newer one.
    #[error("the tree of {new} entries does not begin with that of {old}")]
    Inconsistent {
        /// The older tree's size.
        old: u64,
        /// The newer tree's.
        new: u64,
    },
}

/// Proves that an entry is in a tree that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// The leaf's data ([`crate::Header::leaf_data`]), so that the receipt stands alone. Whoever
    /// has the entry itself should hash that instead.
    pub extra: Option<Vec<u8>>,
    /// The leaf's index, from 0.
    pub index: u64,
    /// From the leaf's sibling up to the root's child.
    pub path: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

impl TlogProof {
    /// Reads a proof.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or(ProofError::Malformed("it has no checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(TITLE) {
            return Err(ProofError::Malformed("the first line is not c2sp.org/tlog-proof@v1"));
        }
        let extra = lines
            .next_if(|line| line.starts_with("extra "))
            .map(|line| STANDARD.decode(&line[6..]))
            .transpose()
            .map_err(|_| ProofError::Malformed("the extra data is not base 64"))?;
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(|text| text.parse().ok().filter(|number: &u64| number.to_string() == text))
            .ok_or(ProofError::Malformed("the line with the index is missing"))?;
        let path = lines
            .map(|line| STANDARD.decode(line).ok().and_then(|bytes| bytes.try_into().ok()))
            .collect::<Option<Vec<Hash>>>()
            .ok_or(ProofError::Malformed("a line of the path is not a hash in base 64"))?;
        if path.len() > 64 {
            return Err(ProofError::Malformed("the path has more than 64 hashes"));
        }
        Ok(Self { extra, index, path, checkpoint: checkpoint.to_owned() })
    }

    /// Checks that the entry with this leaf hash is in the tree with this origin, as a trusted
    /// key signed it; gives the checkpoint.
    pub fn verify(
        &self,
        leaf: &Hash,
        origin: &str,
        keys: &KeyRing,
    ) -> Result<Checkpoint, ProofError> {
        let checkpoint = keys.checkpoint(&self.checkpoint, origin)?;
        let size = checkpoint.size;
        if merkle::verify_inclusion(leaf, self.index, size, &self.path, &checkpoint.root) {
            Ok(checkpoint)
        } else {
            Err(ProofError::NotIncluded { index: self.index, size })
        }
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{TITLE}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.path {
            writeln!(f, "{}", STANDARD.encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}
