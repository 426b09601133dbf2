//! The keys of what is kept encrypted, and the providers that need secrets.

mod file;
mod keys;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context as _;
use ephor_identity::{Follow, Provider, ProviderConfig, Vault};
use secrecy::ExposeSecret as _;

pub use self::{
    file::{load_or_make, save, stamp},
    keys::SecretsKeys,
};
use crate::config::Secrets;

/// The vault: with the keys as given, else from their file, which is made at the first start and
/// followed when it changes.
pub fn vault(secrets: &Secrets, data: &Path) -> anyhow::Result<Vault> {
    if let Some(keys) = given(secrets)? {
        return Ok(Vault::new(&keys.vault())?);
    }
    let file = file(secrets, data);
    // Before it is read: what changes in between is read again.
    let seen = stamp(&file);
    let keys = load(&file)?;
    Ok(Vault::following(&keys.vault(), follow(file, seen))?)
}

/// The keys that are given as a setting, if they are.
pub fn given(secrets: &Secrets) -> anyhow::Result<Option<SecretsKeys>> {
    let given = secrets.key.expose_secret();
    if given.trim().is_empty() {
        return Ok(None);
    }
    SecretsKeys::parse(given).context("secrets.key is not a key: 64 hexadecimal digits").map(Some)
}

/// The keys in a file, which is made if it is not there.
pub fn load(file: &Path) -> anyhow::Result<SecretsKeys> {
    load_or_make(file)
        .with_context(|| format!("the secrets key in {} can't be used", file.display()))
}

/// Reads the file again whenever it is another one than was last read.
fn follow(file: PathBuf, seen: Option<file::Stamp>) -> Follow {
    let seen = Mutex::new(seen);
    Arc::new(move || {
        let now = stamp(&file);
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if now.is_none() || *seen == now {
            return None;
        }
        *seen = now;
        match load(&file) {
            Ok(keys) => {
                tracing::info!("the secrets keys changed and were read again");
                Some(keys.vault())
            }
            Err(error) => {
                tracing::error!(error = %format_args!("{error:#}"), "the secrets keys changed and can't be read; those before stay in use");
                None
            }
        }
    })
}

/// The providers as configured.
pub fn providers(configured: &[ProviderConfig]) -> anyhow::Result<Vec<Provider>> {
    configured
        .iter()
        .map(|config| {
            Provider::new(config.clone()).with_context(|| format!("the provider {}", config.name))
        })
        .collect()
}

/// Where the keys are kept when they are in a file.
pub fn file(secrets: &Secrets, data: &Path) -> PathBuf {
    if secrets.key_file.is_empty() {
        data.join("secrets.key")
    } else {
        PathBuf::from(&secrets.key_file)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_that_changes_is_read_again_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secrets.key");
        let keys = load(&file).unwrap();
        let news = follow(file.clone(), stamp(&file));
        assert!(news().is_none());
        let after = SecretsKeys { seals: [2; 32], next: None, old: vec![keys.seals] };
        save(&file, &after).unwrap();
        let followed = news().unwrap();
        assert_eq!((followed.seals, followed.opens), ([2; 32], vec![keys.seals]));
        assert!(news().is_none());
        // One that others could read is not taken, until that is put right.
        std::fs::write(&file, SecretsKeys::only([3; 32]).text()).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(news().is_none());
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(news().unwrap().seals, [3; 32]);
        // What cannot be read changes nothing.
        std::fs::remove_file(&file).unwrap();
        assert!(news().is_none());
    }
}
