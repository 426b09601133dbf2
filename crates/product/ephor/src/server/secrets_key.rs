//! The key of what is kept encrypted, and the providers that need secrets.

use std::{
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use ephor_identity::{Provider, ProviderConfig, Vault};
use secrecy::ExposeSecret as _;

use crate::config::Secrets;

/// The vault: with the key as given, else from its file, which is made at the first start.
pub fn vault(secrets: &Secrets, data: &Path) -> anyhow::Result<Vault> {
    let given = secrets.key.expose_secret();
    let key = if given.is_empty() {
        let file = file(secrets, data);
        load_or_make(&file)
            .with_context(|| format!("the secrets key in {} can't be used", file.display()))?
    } else {
        parse(given).context("secrets.key is not a key: 64 hexadecimal digits")?
    };
    Ok(Vault::new(&key)?)
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

/// Where the key is kept when it is in a file.
pub fn file(secrets: &Secrets, data: &Path) -> PathBuf {
    if secrets.key_file.is_empty() {
        data.join("secrets.key")
    } else {
        PathBuf::from(&secrets.key_file)
    }
}

fn parse(text: &str) -> anyhow::Result<[u8; 32]> {
    let mut key = [0; 32];
    hex::decode_to_slice(text.trim(), &mut key)?;
    Ok(key)
}

/// Of several processes that start at once, one makes the file, and the others read it.
fn load_or_make(file: &Path) -> anyhow::Result<[u8; 32]> {
    if !file.try_exists()? {
        let folder =
            file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut fresh = tempfile::Builder::new()
            .permissions(std::fs::Permissions::from_mode(0o600))
            .tempfile_in(folder)?;
        writeln!(fresh, "{}", hex::encode(ephor_identity::random_key()))?;
        fresh.as_file().sync_all()?;
        match fresh.persist_noclobber(file) {
            Ok(_) => tracing::info!(
                file = %file.display(),
                "made a key to encrypt secrets with: back it up"
            ),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.error.into()),
        }
    }
    let mode = std::fs::metadata(file)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!("it has mode {mode:03o}, so others may read it; run: chmod 600 {}", file.display());
    }
    let text = std::fs::read_to_string(file)?;
    parse(&text).context("it holds no key: 64 hexadecimal digits")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::OpenOptionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/secrets.key");
        let key = load_or_make(&file).unwrap();
        assert_eq!(load_or_make(&file).unwrap(), key);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(load_or_make(&file).unwrap_err().to_string().contains("chmod 600"));
    }

    #[test]
    fn a_damaged_key_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secrets.key");
        let mut options = std::fs::OpenOptions::new();
        options.create(true).write(true).mode(0o600).open(&file).unwrap().write_all(b"x").unwrap();
        assert!(load_or_make(&file).is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "x");
    }
}
