//! One process per data folder: a lock that the system takes back when its holder dies.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
};

use super::error::{EmbeddedError, Tried};

/// Held for as long as the data folder is in use.
#[derive(Debug)]
pub(super) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the lock at once, or says which process has it.
    pub(super) fn take(folder: &Path) -> Result<Self, EmbeddedError> {
        let path = lock_path(folder);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .tried(|| format!("could not open the lock file {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                let holder = match holder.trim() {
                    "" => "another process".to_owned(),
                    told => told.to_owned(),
                };
                return Err(EmbeddedError::InUse { folder: folder.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => {
                let what = format!("could not lock {}", path.display());
                return Err(EmbeddedError::Io { what, source });
            }
        }
        let program = std::env::current_exe()
            .ok()
            .and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
            .unwrap_or_else(|| "ephor".to_owned());
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "process {} ({program})", std::process::id()))
            .tried(|| format!("could not write the lock file {}", path.display()))?;
        Ok(Self { _file: file })
    }
}

fn lock_path(folder: &Path) -> PathBuf {
    folder.join("ephor.lock")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_second_taker_learns_who_was_first() {
        let folder = tempfile::tempdir().unwrap();
        let first = FolderLock::take(folder.path()).unwrap();
        let text = FolderLock::take(folder.path()).unwrap_err().to_string();
        assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
        drop(first);
        FolderLock::take(folder.path()).unwrap();
    }

    #[test]
    fn what_a_dead_holder_wrote_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(lock_path(folder.path()), "process 1 (init) and much more text").unwrap();
        let _lock = FolderLock::take(folder.path()).unwrap();
        let text = std::fs::read_to_string(lock_path(folder.path())).unwrap();
        assert!(
            text.starts_with(&format!("process {} (", std::process::id()))
                && !text.contains("much")
        );
    }
}
