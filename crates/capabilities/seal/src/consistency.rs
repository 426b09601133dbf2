//! Proofs that one signed tree begins with another, as text: the hashes of RFC 6962's consistency proof, and the two
//! checkpoints.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{Checkpoint, Hash, KeyRing, merkle, proof::ProofError};

/// The first line.
const TITLE: &str = "ephor/consistency@v1";

/// Proves that one signed tree begins with another.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ConsistencyProof {
    /// The older tree's checkpoint, as a signed note.
    pub old: String,
    /// The newer tree's.
    pub new: String,
    /// The hashes of RFC 6962's consistency proof.
    pub path: Vec<Hash>,
}

impl ConsistencyProof {
    /// Reads a proof.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let malformed = || ProofError::Malformed("it is not laid out as a consistency proof");
        let rest = text.strip_prefix(TITLE);
        // Of a tree beside itself there are no hashes.
        let (head, notes) = rest.and_then(|rest| rest.split_once("\n\n")).unwrap_or_default();
        if !(head.is_empty() || head.starts_with('\n')) {
            return Err(malformed());
        }
        // A note has one empty line of its own, before its signatures.
        let (body, after) = notes.split_once("\n\n").ok_or_else(malformed)?;
        let (signatures, new) = after.split_once("\n\n").ok_or_else(malformed)?;
        let path = head
            .lines()
            .skip(1)
            .map(|line| STANDARD.decode(line).ok().and_then(|bytes| bytes.try_into().ok()))
            .collect::<Option<Vec<Hash>>>()
            .filter(|path| path.len() <= 128)
            .ok_or_else(malformed)?;
        Ok(Self { old: format!("{body}\n\n{signatures}\n"), new: new.to_owned(), path })
    }

    /// Checks that both trees were signed by trusted keys under this origin, and that the newer one
    /// begins with the older one; gives both.
    pub fn verify(
        &self,
        origin: &str,
        keys: &KeyRing,
    ) -> Result<(Checkpoint, Checkpoint), ProofError> {
        let old = keys.checkpoint(&self.old, origin)?;
        let new = keys.checkpoint(&self.new, origin)?;
        if merkle::verify_consistency(old.size, new.size, &self.path, &old.root, &new.root) {
            Ok((old, new))
        } else {
            Err(ProofError::Inconsistent { old: old.size, new: new.size })
        }
    }
}

impl fmt::Display for ConsistencyProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{TITLE}")?;
        for hash in &self.path {
            writeln!(f, "{}", STANDARD.encode(hash))?;
        }
        write!(f, "\n{}\n{}", self.old, self.new)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{SealKey, Tree};

    #[test]
    fn a_proof_reads_back_what_it_prints_and_proves_its_trees_alone() {
        let key = SealKey::from_seed(&[1; 32]);
        let leaves: Vec<Hash> = (0..40_u8).map(|n| merkle::leaf(&[n])).collect();
        let signed = |size: usize, key: &SealKey| {
            let mut tree = Tree::new();
            for leaf in &leaves[..size] {
                tree.append(*leaf, |_, _| {});
            }
            let origin = "ephor/instance/x".to_owned();
            Checkpoint { origin, size: size as u64, root: tree.root() }.sign(key).to_string()
        };
        let keys = KeyRing::new([key.public()]);
        for (old, new) in [(1, 2), (7, 40), (16, 33), (5, 5)] {
            let path = merkle::resolve(
                &leaves,
                &merkle::consistency_path(old as u64, new as u64).unwrap(),
            );
            let proof = ConsistencyProof { old: signed(old, &key), new: signed(new, &key), path };
            let again = ConsistencyProof::parse(&proof.to_string()).unwrap();
            assert_eq!(again, proof);
            again.verify("ephor/instance/x", &keys).unwrap();
            assert!(again.verify("ephor/instance/y", &keys).is_err());
            let forged = ConsistencyProof { path: vec![[0; 32]; 3], ..proof };
            assert!(forged.verify("ephor/instance/x", &keys).is_err());
        }
        for text in ["", "ephor/consistency@v1\n", "ephor/consistency@v1\nx\n\na\n\nb\n\nc"] {
            assert!(ConsistencyProof::parse(text).is_err(), "{text}");
        }
    }
}
