//! The file of the keys: its owner's alone, and replaced as a whole.

use std::{
    io::Write as _,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown},
    path::Path,
};

use anyhow::{Context as _, bail};

use super::SecretsKeys;

/// By what one sees that a file is another one: its number, length, and when it was written or given to somebody.
pub type Stamp = (u64, u64, i64, i64);

/// What a file is seen by; `None` when it is not there.
pub fn stamp(file: &Path) -> Option<Stamp> {
    let meta = std::fs::metadata(file).ok()?;
    Some((meta.ino(), meta.len(), meta.ctime(), meta.ctime_nsec()))
}

/// A new file with the keys, whole and on the disk, but not in its place yet.
fn fresh(file: &Path, keys: &SecretsKeys) -> anyhow::Result<tempfile::NamedTempFile> {
    let folder =
        file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut fresh = tempfile::Builder::new()
        .permissions(std::fs::Permissions::from_mode(0o600))
        .tempfile_in(folder)?;
    fresh.write_all(keys.text().as_bytes())?;
    fresh.as_file().sync_all()?;
    Ok(fresh)
}

/// Puts the keys in the place of those before: whoever reads has the ones or the others. The file
/// stays its owner's, who may be another one than who runs this.
pub fn save(file: &Path, keys: &SecretsKeys) -> anyhow::Result<()> {
    let fresh = fresh(file, keys)?;
    if let Ok(before) = std::fs::metadata(file) {
        let now = fresh.as_file().metadata()?;
        if (before.uid(), before.gid()) != (now.uid(), now.gid()) {
            fchown(fresh.as_file(), Some(before.uid()), Some(before.gid()))
                .context("the new file can't be given to the owner of the one before")?;
        }
    }
    fresh.persist(file)?;
    // The name, too, is on the disk before anything is encrypted with a new key.
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Of several processes that start at once, one makes the file, and the others read it.
pub fn load_or_make(file: &Path) -> anyhow::Result<SecretsKeys> {
    if !file.try_exists()? {
        match fresh(file, &SecretsKeys::only(ephor_identity::random_key()))?.persist_noclobber(file)
        {
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
    SecretsKeys::parse(&std::fs::read_to_string(file)?)
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
        let mode = || std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        let keys = SecretsKeys { seals: [2; 32], next: None, old: vec![key.seals] };
        save(&file, &keys).unwrap();
        assert_eq!((load_or_make(&file).unwrap(), mode()), (keys, 0o600));
        if nix::unistd::geteuid().is_root() {
            std::os::unix::fs::chown(&file, Some(12_345), Some(12_345)).unwrap();
            save(&file, &SecretsKeys::only([3; 32])).unwrap();
            assert_eq!(std::fs::metadata(&file).unwrap().uid(), 12_345);
        }
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
