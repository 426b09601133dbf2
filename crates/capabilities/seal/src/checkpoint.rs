//! Checkpoints (<https://c2sp.org/tlog-checkpoint>): a signed note of a tree's size and root.

use base64::{Engine, engine::general_purpose::STANDARD};
use uuid::Uuid;

use crate::{Hash, Note, NoteError, SealKey};

/// The origin line of an organization's tree, and the name of the key that signs it.
pub fn organization_origin(organization: Uuid) -> String {
    format!("ephor/organization/{organization}")
}

/// The origin line of an installation's own log of roots.
pub fn instance_origin(instance: Uuid) -> String {
    format!("ephor/instance/{instance}")
}

/// What a tree held at a size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which tree.
    pub origin: String,
    /// How many leaves.
    pub size: u64,
    /// Their root.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// The signed note; the key goes by the origin's name.
    pub fn sign(&self, key: &SealKey) -> Note {
        key.sign(self.text(), &self.origin)
    }

    /// Reads a note's text. Extension lines are let pass, as the specification has it.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(NoteError::Malformed("a checkpoint has origin, size and root"));
        };
        if origin.is_empty() || lines.any(str::is_empty) {
            return Err(NoteError::Malformed("a checkpoint has no empty line"));
        }
        let number = size.parse().ok().filter(|number: &u64| number.to_string() == size);
        let number = number.ok_or(NoteError::Malformed("the tree size is not a number"))?;
        let root = STANDARD.decode(root).ok().and_then(|bytes| bytes.try_into().ok());
        let root = root.ok_or(NoteError::Malformed("the root is not a hash in base 64"))?;
        Ok(Self { origin: origin.to_owned(), size: number, root })
    }
}
