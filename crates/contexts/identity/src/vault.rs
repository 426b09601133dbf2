//! What must be read back, unlike a password, is kept encrypted: AES-256-GCM with the server's key.

use std::{fmt, sync::Arc};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ephor_kernel::Problem;
use serde::{Serialize, de::DeserializeOwned};

use crate::secrets::random;

/// The form of what is sealed, so that another may follow: version, nonce, ciphertext with its tag.
const VERSION: u8 = 1;

/// A key that seals and opens. Cheap to clone; it is never printed.
#[derive(Clone)]
pub struct Vault(Arc<LessSafeKey>);

impl Vault {
    /// With a key of 32 bytes.
    ///
    /// # Errors
    /// When the library does not take the key.
    pub fn new(key: &[u8; 32]) -> Result<Self, Problem> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| failed())?;
        Ok(Self(Arc::new(LessSafeKey::new(key))))
    }

    /// With a key of this process alone: what it sealed, nobody opens after it.
    ///
    /// # Errors
    /// As [`Vault::new`].
    pub fn passing() -> Result<Self, Problem> {
        Self::new(&random())
    }

    /// Encrypts. Only who names the same purpose opens it.
    pub(crate) fn seal(&self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, Problem> {
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&random()[..NONCE_LEN]);
        let mut text = plain.to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.as_bytes()),
                &mut text,
            )
            .map_err(|_| failed())?;
        let mut sealed = vec![VERSION];
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut text);
        Ok(sealed)
    }

    /// Decrypts; `None` for what this key did not seal for this purpose.
    pub(crate) fn open(&self, purpose: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (version, rest) = sealed.split_first()?;
        let (nonce, text) = rest.split_at_checked(NONCE_LEN)?;
        if *version != VERSION {
            return None;
        }
        let mut text = text.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self.0.open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut text).ok()?;
        Some(plain.to_vec())
    }

    /// Encrypts a value as text that addresses, forms and cookies carry.
    pub(crate) fn seal_text(
        &self,
        purpose: &str,
        value: &impl Serialize,
    ) -> Result<String, Problem> {
        let plain = serde_json::to_vec(value).map_err(|_| failed())?;
        Ok(URL_SAFE_NO_PAD.encode(self.seal(purpose, &plain)?))
    }

    /// Decrypts such a text.
    pub(crate) fn open_text<T: DeserializeOwned>(&self, purpose: &str, text: &str) -> Option<T> {
        // The length first: what is sent may be long.
        let sealed = (text.len() <= 4000).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten()?;
        serde_json::from_slice(&self.open(purpose, &sealed)?).ok()
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(secret)")
    }
}

fn failed() -> Problem {
    tracing::error!("a secret could not be sealed");
    Problem::internal()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_and_purpose_open_it() {
        let vault = Vault::new(&[7; 32]).unwrap();
        let sealed = vault.seal("totp ada", b"secret").unwrap();
        assert_eq!(vault.open("totp ada", &sealed).unwrap(), b"secret");
        assert_eq!(vault.open("totp bob", &sealed), None);
        assert_eq!(Vault::passing().unwrap().open("totp ada", &sealed), None);
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(vault.open("totp ada", &changed), None, "byte {place}");
        }
        assert_eq!(vault.open("totp ada", &[]), None);
        assert_ne!(sealed, vault.seal("totp ada", b"secret").unwrap());
    }

    #[test]
    fn values_travel_as_text() {
        let vault = Vault::passing().unwrap();
        let text = vault.seal_text("x", &vec![1, 2]).unwrap();
        assert_eq!(vault.open_text::<Vec<u8>>("x", &text), Some(vec![1, 2]));
        assert_eq!(vault.open_text::<Vec<u8>>("y", &text), None);
        assert_eq!(vault.open_text::<Vec<u8>>("x", "not base 64!"), None);
    }
}
