//! What must be read back, unlike a password, is kept encrypted: AES-256-GCM with the server's key.
//!
//! There may be more keys than one, while one follows another: the newest seals, all open. What is
//! sealed names its key.

mod key;
mod rotate;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ephor_kernel::Problem;
use serde::{Serialize, de::DeserializeOwned};

use self::key::Key;
pub use self::{
    key::KeyId,
    rotate::{Resealed, SealedCount},
};
use crate::secrets::random;

/// The forms of what is sealed. The first: form, nonce, ciphertext with its tag; it is opened still.
const WITHOUT_KEY: u8 = 1;
/// Form, key's id, nonce, ciphertext with its tag.
const WITH_KEY: u8 = 2;

/// Keys of 32 bytes: one seals, the others only open.
#[derive(Clone)]
pub struct VaultKeys {
    /// The one that seals.
    pub seals: [u8; 32],
    /// Those that open, too: the one to come, and the ones before.
    pub opens: Vec<[u8; 32]>,
}

impl fmt::Debug for VaultKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultKeys(secret)")
    }
}

/// Where keys come from that may change while the process runs: answers those that there are by now,
/// if they changed since it was last asked.
pub type Follow = Arc<dyn Fn() -> Option<VaultKeys> + Send + Sync>;

/// Seals and opens. Cheap to clone; its keys are never printed.
#[derive(Clone)]
pub struct Vault(Arc<Shared>);

struct Shared {
    ring: RwLock<Arc<Ring>>,
    follow: Option<Follow>,
    /// Held by whoever asks for keys that changed.
    turn: Mutex<()>,
}

/// The keys at a moment, the one that seals first.
struct Ring(Vec<Key>);

impl Ring {
    fn new(keys: &VaultKeys) -> Result<Self, Problem> {
        let all = std::iter::once(&keys.seals).chain(&keys.opens);
        Ok(Self(all.map(Key::new).collect::<Result<_, _>>()?))
    }

    fn find(&self, id: KeyId) -> Option<&Key> {
        self.0.iter().find(|key| key.id == id)
    }
}

impl Vault {
    /// With keys that stay.
    ///
    /// # Errors
    /// When the library does not take a key.
    pub fn new(keys: &VaultKeys) -> Result<Self, Problem> {
        Self::make(keys, None)
    }

    /// With keys that may change: they are asked for before anything is sealed, and when something
    /// names a key that is not known.
    ///
    /// # Errors
    /// As [`Vault::new`].
    pub fn following(keys: &VaultKeys, follow: Follow) -> Result<Self, Problem> {
        Self::make(keys, Some(follow))
    }

    fn make(keys: &VaultKeys, follow: Option<Follow>) -> Result<Self, Problem> {
        let ring = RwLock::new(Arc::new(Ring::new(keys)?));
        Ok(Self(Arc::new(Shared { ring, follow, turn: Mutex::new(()) })))
    }

    /// With a key of this process alone: what it sealed, nobody opens after it.
    ///
    /// # Errors
    /// As [`Vault::new`].
    pub fn passing() -> Result<Self, Problem> {
        Self::new(&VaultKeys { seals: random(), opens: Vec::new() })
    }

    /// Encrypts. Only who names the same purpose opens it.
    pub(crate) fn seal(&self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, Problem> {
        self.catch_up();
        let ring = self.ring();
        let key = ring.0.first().ok_or_else(failed)?;
        let mut sealed = vec![WITH_KEY];
        sealed.extend_from_slice(key.id.bytes());
        key.seal(purpose, plain, &mut sealed)?;
        Ok(sealed)
    }

    /// Decrypts; `None` for what none of these keys sealed for this purpose.
    pub(crate) fn open(&self, purpose: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (form, rest) = sealed.split_first()?;
        match *form {
            WITHOUT_KEY => self.ring().0.iter().find_map(|key| key.open(purpose, rest)),
            WITH_KEY => {
                let (id, rest) = rest.split_at_checked(key::LENGTH)?;
                let id = KeyId::from_bytes(id)?;
                if self.ring().find(id).is_none() {
                    self.catch_up();
                }
                self.ring().find(id)?.open(purpose, rest)
            }
            _ => None,
        }
    }

    /// The key that seals.
    ///
    /// # Errors
    /// As [`Vault::new`].
    pub(crate) fn sealing(&self) -> Result<KeyId, Problem> {
        self.catch_up();
        self.ring().0.first().map(|key| key.id).ok_or_else(failed)
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.0.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over keys that changed.
    fn catch_up(&self) {
        let Some(follow) = &self.0.follow else { return };
        // One at a time asks and writes, else keys that were read earlier could be written later; who opens waits for none.
        let _turn = self.0.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Ok(anew)) = follow().map(|keys| Ring::new(&keys)) {
            *self.0.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(anew);
        }
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
    use std::sync::Mutex;

    use super::*;

    fn keys(seals: u8, opens: &[u8]) -> VaultKeys {
        VaultKeys { seals: [seals; 32], opens: opens.iter().map(|byte| [*byte; 32]).collect() }
    }

    fn vault(seals: u8, opens: &[u8]) -> Vault {
        Vault::new(&keys(seals, opens)).unwrap()
    }

    #[test]
    fn only_the_same_key_and_purpose_open_it() {
        let vault = vault(7, &[]);
        let sealed = vault.seal("totp ada", b"secret").unwrap();
        assert_eq!(vault.open("totp ada", &sealed).unwrap(), b"secret");
        assert_eq!(vault.open("totp bob", &sealed), None);
        assert_eq!(Vault::passing().unwrap().open("totp ada", &sealed), None);
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(vault.open("totp ada", &changed), None, "byte {place}");
        }
        for length in 0..sealed.len() {
            assert_eq!(vault.open("totp ada", &sealed[..length]), None, "{length} bytes");
        }
        assert_ne!(sealed, vault.seal("totp ada", b"secret").unwrap());
    }

    #[test]
    fn a_key_that_gave_way_still_opens_what_it_sealed() {
        let before = vault(1, &[]).seal("x", b"secret").unwrap();
        let (during, after) = (vault(2, &[1]), vault(2, &[]));
        assert_eq!(during.open("x", &before).unwrap(), b"secret");
        let anew = during.seal("x", b"secret").unwrap();
        assert_eq!(&anew[1..9], KeyId::of(&[2; 32]).bytes());
        assert_eq!(after.open("x", &anew).unwrap(), b"secret");
        assert_eq!(after.open("x", &before), None);
    }

    #[test]
    fn what_names_no_key_is_opened_by_the_one_that_sealed_it() {
        let mut sealed = vec![WITHOUT_KEY];
        Key::new(&[1; 32]).unwrap().seal("x", b"secret", &mut sealed).unwrap();
        assert_eq!(vault(1, &[]).open("x", &sealed).unwrap(), b"secret");
        assert_eq!(vault(2, &[3, 1]).open("x", &sealed).unwrap(), b"secret");
        assert_eq!(vault(2, &[3]).open("x", &sealed), None);
    }

    #[test]
    fn keys_that_change_are_followed() {
        let news = Arc::new(Mutex::new(None));
        let told = Arc::clone(&news);
        let server =
            Vault::following(&keys(1, &[]), Arc::new(move || told.lock().unwrap().take())).unwrap();
        let old = server.seal("x", b"old").unwrap();
        let elsewhere = vault(2, &[1]).seal("x", b"new").unwrap();
        assert_eq!(server.open("x", &elsewhere), None);
        *news.lock().unwrap() = Some(keys(2, &[1]));
        assert_eq!(server.open("x", &elsewhere).unwrap(), b"new");
        assert_eq!(server.open("x", &old).unwrap(), b"old");
        *news.lock().unwrap() = Some(keys(3, &[2]));
        assert_eq!(server.sealing().unwrap(), KeyId::of(&[3; 32]));
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
