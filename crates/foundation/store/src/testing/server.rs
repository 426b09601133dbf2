//! The server that all test processes share.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use nix::{
    sys::statvfs::{Statvfs, statvfs},
    unistd::geteuid,
};
use sha2::{Digest, Sha256};

use crate::{
    bootstrap::BOOTSTRAP,
    embedded::{self, EmbeddedError, Urls},
};

/// What the test server may come to need in memory, in bytes.
const ROOM: u64 = 4 << 30;

/// Where the shared server's data is. Roles belong to a whole server, so each version of the
/// bootstrap that makes them has a server of its own.
pub(super) fn folder() -> PathBuf {
    static FOLDER: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    FOLDER
        .get_or_init(|| {
            let print = hex::encode(&Sha256::digest(BOOTSTRAP)[..4]);
            cache().join(format!("test-postgres-{print}"))
        })
        .clone()
}

/// A folder in memory when there is a roomy one: a clone is a thousand small files, which a disk that
/// others keep busy makes slow. Else the user's cache folder; root's home is closed to the user that the
/// server runs as.
fn cache() -> PathBuf {
    let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(|it| it.is_absolute());
    let mut places = Vec::new();
    if statvfs("/dev/shm").is_ok_and(|disk| room(&disk) >= ROOM) {
        places.push(PathBuf::from(format!("/dev/shm/ephor-{}", geteuid())));
    }
    if geteuid().is_root() {
        places.push(PathBuf::from("/var/cache/ephor"));
    } else {
        places.extend(variable("XDG_CACHE_HOME").map(|it| it.join("ephor")));
        places.extend(variable("HOME").map(|it| it.join(".cache/ephor")));
    }
    let usable = places.into_iter().find(|place| is_ours(place));
    usable.unwrap_or_else(|| std::env::temp_dir().join(format!("ephor-cache-{}", geteuid())))
}

#[allow(
    clippy::unnecessary_cast,
    clippy::useless_conversion,
    reason = "the types differ by system"
)]
fn room(disk: &Statvfs) -> u64 {
    disk.blocks_available() as u64 * disk.fragment_size() as u64
}

/// Can it be made, and does it belong to us? In a folder that all may write to, others may be first.
fn is_ours(folder: &Path) -> bool {
    fs::create_dir_all(folder).is_ok()
        && fs::symlink_metadata(folder)
            .is_ok_and(|about| about.is_dir() && about.uid() == geteuid().as_raw())
}

/// Held while one process starts the server or makes a template; the others wait for it.
pub(super) struct Turn {
    _file: fs::File,
}

impl Turn {
    /// Waits for its turn.
    pub(super) async fn take() -> std::io::Result<Self> {
        tokio::task::spawn_blocking(|| {
            let folder = folder();
            let parent = folder.parent().unwrap_or(Path::new("/tmp"));
            fs::create_dir_all(parent)?;
            let file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .open(folder.with_extension("lock"))?;
            file.lock()?;
            Ok(Self { _file: file })
        })
        .await
        .map_err(std::io::Error::other)?
    }
}

/// The server's URLs when its data is there; whether it runs is another question.
pub(super) fn known() -> Option<Urls> {
    Urls::of_folder(&folder()).ok()
}

/// Starts the server, or finds it running. Only with one's turn.
pub(super) async fn ensure(_turn: &Turn) -> Result<Urls, EmbeddedError> {
    embedded::shared(&folder()).await
}
