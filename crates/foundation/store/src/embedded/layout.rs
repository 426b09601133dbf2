//! Where things are in the data folder.

use std::{
    fs::{self, DirBuilder, Permissions},
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    },
    path::{Path, PathBuf},
};

use nix::unistd::geteuid;
use sha2::{Digest, Sha256};

use super::{
    account::Account,
    error::{EmbeddedError, Tried},
};

/// The port is part of the socket's name, nothing more: no network address is listened on.
pub(super) const PORT: u16 = 5432;
/// A socket's path must fit into about 104 bytes on macOS and 108 on Linux, with its lock's suffix.
const LONGEST_SOCKET_PATH: usize = 98;

/// The parts of a data folder.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// The data folder itself, without symbolic links.
    pub(super) root: PathBuf,
    /// The server's own files.
    pub(super) data: PathBuf,
    /// The same while they are being made.
    pub(super) unfinished: PathBuf,
    /// The folder of the socket.
    pub(super) socket: PathBuf,
    /// The passwords.
    pub(super) credentials: PathBuf,
}

impl Layout {
    /// Makes the data folder where it is missing, open enough for the server's user to pass.
    pub(super) fn prepare(root: &Path, account: Option<&Account>) -> Result<Self, EmbeddedError> {
        let mode = if account.is_some() { 0o711 } else { 0o700 };
        DirBuilder::new()
            .recursive(true)
            .mode(mode)
            .create(root)
            .tried(|| format!("could not make the data folder {}", root.display()))?;
        if account.is_some() {
            let bits = fs::metadata(root)
                .tried(|| format!("could not look at {}", root.display()))?
                .permissions()
                .mode();
            fs::set_permissions(root, Permissions::from_mode(bits & 0o7777 | 0o011))
                .tried(|| format!("could not open {} to the server's user", root.display()))?;
        }
        let layout = Self::of(root)?;
        if let Some(account) = account {
            account.check_reach(&layout.root)?;
        }
        Ok(layout)
    }

    /// The parts of a data folder that exists.
    pub(super) fn of(root: &Path) -> Result<Self, EmbeddedError> {
        let root =
            root.canonicalize().tried(|| format!("there is no data folder {}", root.display()))?;
        Ok(Self {
            data: root.join("postgres"),
            unfinished: root.join("postgres.new"),
            socket: socket_folder(&root),
            credentials: root.join("credentials.json"),
            root,
        })
    }

    /// Makes the socket's folder, open to its owner alone.
    pub(super) fn prepare_socket(&self, account: Option<&Account>) -> Result<(), EmbeddedError> {
        let folder = &self.socket;
        if let Err(error) = DirBuilder::new().mode(0o700).create(folder)
            && error.kind() != std::io::ErrorKind::AlreadyExists
        {
            let what = format!("could not make the socket folder {}", folder.display());
            return Err(EmbeddedError::Io { what, source: error });
        }
        // In a shared folder such as /tmp somebody else may have been there first.
        let about = fs::symlink_metadata(folder)
            .tried(|| format!("could not look at {}", folder.display()))?;
        let ours = about.uid() == geteuid().as_raw()
            || account.is_some_and(|account| account.uid.as_raw() == about.uid());
        if !about.is_dir() || !ours {
            return Err(EmbeddedError::SocketFolder { folder: folder.clone() });
        }
        if let Some(account) = account {
            account.give(folder)?;
        }
        fs::set_permissions(folder, Permissions::from_mode(0o700))
            .tried(|| format!("could not close {} to others", folder.display()))
    }
}

/// In the data folder when the path is short enough, else under /tmp by a name made from it.
fn socket_folder(root: &Path) -> PathBuf {
    let near = root.join("socket");
    let socket = near.join(format!(".s.PGSQL.{PORT}.lock"));
    if socket.as_os_str().len() <= LONGEST_SOCKET_PATH {
        return near;
    }
    let mut name = Sha256::new();
    name.update(geteuid().as_raw().to_be_bytes());
    name.update(root.as_os_str().as_bytes());
    Path::new("/tmp").join(format!("ephor-{}", hex::encode(&name.finalize()[..8])))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_stays_in_a_data_folder_with_a_short_path() {
        assert_eq!(socket_folder(Path::new("/var/lib/ephor")), Path::new("/var/lib/ephor/socket"));
    }

    #[test]
    fn a_long_path_gets_a_short_socket_of_its_own() {
        let long = PathBuf::from(format!("/home/{}", "deep/".repeat(30)));
        let folder = socket_folder(&long);
        assert!(folder.starts_with("/tmp") && folder.as_os_str().len() < 40, "{folder:?}");
        assert_eq!(folder, socket_folder(&long));
        assert_ne!(folder, socket_folder(&long.join("other")));
    }

    #[test]
    fn somebody_elses_socket_folder_is_not_used() {
        let root = tempfile::tempdir().unwrap();
        let mut layout = Layout::of(root.path()).unwrap();
        let target = root.path().join("target");
        fs::create_dir(&target).unwrap();
        layout.socket = root.path().join("link");
        std::os::unix::fs::symlink(&target, &layout.socket).unwrap();
        let error = layout.prepare_socket(None).unwrap_err();
        assert!(matches!(error, EmbeddedError::SocketFolder { .. }), "{error}");
    }

    #[test]
    fn the_socket_folder_is_closed_to_others() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::of(root.path()).unwrap();
        fs::create_dir(&layout.socket).unwrap();
        fs::set_permissions(&layout.socket, Permissions::from_mode(0o755)).unwrap();
        layout.prepare_socket(None).unwrap();
        assert_eq!(fs::metadata(&layout.socket).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
