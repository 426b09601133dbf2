//! The key that signs checkpoints, and what else is derived from it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use ephor_seal::SealKey;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use crate::config::Seal;

/// Where the key is kept when it is in a file.
pub fn key_file(seal: &Seal, data: &Path) -> PathBuf {
    if seal.key_file.is_empty() { data.join("seal.key") } else { PathBuf::from(&seal.key_file) }
}

/// The key: as given, else from its file, which is made at the first start.
pub fn load(seal: &Seal, data: &Path) -> anyhow::Result<SealKey> {
    let given = seal.key.expose_secret();
    if !given.is_empty() {
        return SealKey::parse(given).context("seal.key is not a key");
    }
    let file = key_file(seal, data);
    let (key, made) = SealKey::load_or_create(&file)
        .with_context(|| format!("the seal key in {} can't be used", file.display()))?;
    if made {
        tracing::info!(
            file = %file.display(),
            public_key = %key.public(),
            "made a key to seal the audit trail with: back it up, and give your auditors the public key"
        );
    }
    Ok(key)
}

/// The key that signs the cursors of lists: the same in every process of an installation.
pub fn cursor_key(key: &SealKey) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"ephor cursors 1\0");
    hash.update(key.to_text());
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_seal_key_has_a_cursor_key_of_its_own() {
        let (one, other) = (SealKey::from_seed(&[1; 32]), SealKey::from_seed(&[2; 32]));
        assert_eq!(cursor_key(&one), cursor_key(&SealKey::from_seed(&[1; 32])));
        assert_ne!(cursor_key(&one), cursor_key(&other));
    }
}
