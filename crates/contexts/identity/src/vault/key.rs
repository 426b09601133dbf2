//! A key that encrypts, and the name by which what it encrypted calls it.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ephor_kernel::Problem;
use sha2::{Digest as _, Sha256};

use super::failed;
use crate::secrets::random;

/// How long an id is, in bytes.
pub(super) const LENGTH: usize = 8;

/// What a key is called: a part of its hash, which says nothing of the key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; LENGTH]);

impl KeyId {
    /// The id of a key of 32 bytes.
    pub fn of(key: &[u8; 32]) -> Self {
        let hash =
            Sha256::new().chain_update(b"ephor secrets key 1\0").chain_update(key).finalize();
        let mut id = [0; LENGTH];
        id.copy_from_slice(&hash[..LENGTH]);
        Self(id)
    }

    /// From its bytes, as encrypted values hold them; `None` for another length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// A key, ready to use.
pub(super) struct Key {
    pub(super) id: KeyId,
    key: LessSafeKey,
}

impl Key {
    pub(super) fn new(key: &[u8; 32]) -> Result<Self, Problem> {
        let id = KeyId::of(key);
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| failed())?;
        Ok(Self { id, key: LessSafeKey::new(key) })
    }

    /// Appends nonce and ciphertext with its tag.
    pub(super) fn seal(
        &self,
        purpose: &str,
        plain: &[u8],
        sealed: &mut Vec<u8>,
    ) -> Result<(), Problem> {
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&random()[..NONCE_LEN]);
        let mut text = plain.to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.as_bytes()),
                &mut text,
            )
            .map_err(|_| failed())?;
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut text);
        Ok(())
    }

    /// Decrypts nonce and ciphertext.
    pub(super) fn open(&self, purpose: &str, rest: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = rest.split_at_checked(NONCE_LEN)?;
        let mut text = text.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self.key.open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut text).ok()?;
        Some(plain.to_vec())
    }
}
