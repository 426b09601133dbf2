//! What of an audit entry is hashed, and how.
//!
//! `leaf = SHA-256(0x00 || header || SHA-256(salt || body))`: an RFC 6962 leaf whose data is the
//! header and a commitment to the body. The header holds ids and times, nothing personal, so that
//! a body can be erased and its entry still be proven. PostgreSQL computes the same in
//! `audit.leaf_hash`; `tests/vectors/leaf.json` holds both to it.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::Hash;

/// The version of the header's layout.
pub const VERSION: u8 = 1;

/// Who did what to which thing, and when. Texts are at most 32767 bytes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// The tenant.
    pub organization: Uuid,
    /// The entry's id.
    pub entry: Uuid,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub micros: i64,
    /// 1 user, 2 assistant, 3 system, 4 platform.
    pub actor_type: u8,
    /// Who.
    pub actor: Uuid,
    /// What was done.
    pub action: &'a str,
    /// The kind of thing that it was done to.
    pub entity_type: &'a str,
    /// Which one, when it is a particular one.
    pub entity: Option<Uuid>,
}

/// What an entry tells beyond its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload<'a> {
    /// The body as it was written, and its salt.
    Kept {
        /// Random bytes hashed in front of the body.
        salt: &'a [u8],
        /// JSON text.
        body: &'a [u8],
    },
    /// The body was erased; its hash is kept.
    Erased {
        /// The entry that records the erasure.
        by: Uuid,
        /// `SHA-256(salt || body)`.
        body_hash: Hash,
    },
    /// Neither body nor the trace of an erasure: no sealed entry may be so.
    Void,
}

/// One entry of the trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// What is hashed as it is.
    pub header: Header<'a>,
    /// What is hashed by its commitment.
    pub payload: Payload<'a>,
}

impl Header<'_> {
    /// The leaf's data: the header's bytes and the body's hash, as RFC 6962 prefixes them with
    /// 0x00 and hashes them. A receipt carries these bytes.
    pub fn leaf_data(&self, body_hash: &Hash) -> Vec<u8> {
        let mut data = Vec::with_capacity(160);
        self.write(body_hash, |bytes| data.extend_from_slice(bytes));
        data
    }

    /// The leaf's hash.
    pub fn leaf_hash(&self, body_hash: &Hash) -> Hash {
        let mut hasher = Sha256::new_with_prefix([0x00]);
        self.write(body_hash, |bytes| hasher.update(bytes));
        hasher.finalize().into()
    }

    fn write(&self, body_hash: &Hash, mut put: impl FnMut(&[u8])) {
        put(&[VERSION]);
        put(self.organization.as_bytes());
        put(self.entry.as_bytes());
        put(&self.micros.to_be_bytes());
        put(&[self.actor_type]);
        put(self.actor.as_bytes());
        for text in [self.action, self.entity_type] {
            put(&(text.len() as u16).to_be_bytes());
            put(text.as_bytes());
        }
        put(self.entity.unwrap_or(Uuid::nil()).as_bytes());
        put(body_hash);
    }
}

/// `SHA-256(salt || body)`.
pub fn body_hash(salt: &[u8], body: &[u8]) -> Hash {
    Sha256::new_with_prefix(salt).chain_update(body).finalize().into()
}

impl Entry<'_> {
    /// The hash of salt and body, or what was kept of it.
    pub fn body_hash(&self) -> Option<Hash> {
        match self.payload {
            Payload::Kept { salt, body } => Some(body_hash(salt, body)),
            Payload::Erased { body_hash, .. } => Some(body_hash),
            Payload::Void => None,
        }
    }

    /// The leaf's hash, computed from what the entry holds; none when it holds no body and no
    /// trace of one.
    pub fn leaf_hash(&self) -> Option<Hash> {
        Some(self.header.leaf_hash(&self.body_hash()?))
    }
}

/// The word of an actor type's byte.
pub fn actor_word(code: u8) -> Option<&'static str> {
    match code {
        1 => Some("user"),
        2 => Some("assistant"),
        3 => Some("system"),
        4 => Some("platform"),
        _ => None,
    }
}

/// The byte of an actor type's word; 0, which is no actor's, for any other.
pub fn actor_code(word: &str) -> u8 {
    match word {
        "user" => 1,
        "assistant" => 2,
        "system" => 3,
        "platform" => 4,
        _ => 0,
    }
}
