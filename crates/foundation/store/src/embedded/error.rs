//! Why the private PostgreSQL could not be had, and what to do about it.

use std::{io, path::PathBuf};

use super::binaries::OLDEST_MAJOR;

/// A failure of the embedded PostgreSQL. Every message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No PostgreSQL of a version that will do is installed.
    #[error(
        "PostgreSQL {OLDEST_MAJOR} or newer is needed and its programs are not installed{}. {advice} \
         Or set DATABASE_URL to a PostgreSQL that runs elsewhere", name_too_old(.too_old)
    )]
    NoBinaries {
        /// What to install on this platform.
        advice: &'static str,
        /// What was found but is too old: folder and major version.
        too_old: Vec<(PathBuf, u32)>,
    },
    /// The data folder was written by a PostgreSQL that is not installed.
    #[error(
        "the data in {} was written by PostgreSQL {written}, and only {installed} is installed; \
         install PostgreSQL {written} (beside the other) and start again{}", .folder.display(),
        if written < installed { ": the data is then moved to the newer version" } else { "" }
    )]
    MissingMajor {
        /// The database folder.
        folder: PathBuf,
        /// The major version that wrote it.
        written: u32,
        /// The newest that is installed.
        installed: u32,
    },
    /// Another process uses the data folder.
    #[error(
        "the data folder {} is in use by {holder}; stop that one first, or choose another folder with --data-dir",
        .folder.display()
    )]
    InUse {
        /// The data folder.
        folder: PathBuf,
        /// Which process holds it.
        holder: String,
    },
    /// PostgreSQL refuses a user that the system has no name for.
    #[error(
        "PostgreSQL cannot run as user id {uid}, which has no entry in the password file; \
         add one, run as a named user, or set DATABASE_URL to a PostgreSQL that runs elsewhere"
    )]
    NamelessUser {
        /// The user's number.
        uid: u32,
    },
    /// PostgreSQL refuses root, and there is nobody to step down to.
    #[error(
        "PostgreSQL refuses to run as root, and this machine has neither of the users {wanted}; \
         add one, run Ephor as an ordinary user, or set DATABASE_URL"
    )]
    NoAccount {
        /// The names that were tried.
        wanted: String,
    },
    /// The user that PostgreSQL runs as cannot reach the data folder.
    #[error(
        "PostgreSQL runs as the user `{account}`, and {} is closed to it, so {} cannot be reached; \
         choose a folder such as /var/lib/ephor with --data-dir", .closed.display(), .folder.display()
    )]
    Unreachable {
        /// The user.
        account: String,
        /// The folder that is closed.
        closed: PathBuf,
        /// The folder that was wanted.
        folder: PathBuf,
    },
    /// The folder for the socket belongs to somebody else.
    #[error(
        "the socket folder {} is there already and is not ours; remove it, or choose a data folder with a shorter path",
        .folder.display()
    )]
    SocketFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// The file with the passwords is gone or unreadable, but the database is there.
    #[error("the passwords of the database in {} cannot be read from {}: {reason}; restore that file from a backup of the data folder",
        .data.display(), .file.display())]
    Credentials {
        /// The file.
        file: PathBuf,
        /// The database folder.
        data: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// One of PostgreSQL's programs failed.
    #[error("{program} failed ({status}): {said}")]
    Program {
        /// The program's name.
        program: String,
        /// How it ended.
        status: String,
        /// The last of what it printed.
        said: String,
    },
    /// The server ended, again and again or before it was ready.
    #[error("PostgreSQL does not stay up: {said}")]
    Died {
        /// The last of what it printed.
        said: String,
    },
    /// The server did not answer in time.
    #[error("PostgreSQL did not answer within {seconds} s: {said}")]
    NotReady {
        /// How long was waited.
        seconds: u64,
        /// The last error.
        said: String,
    },
    /// The server answered, and refused.
    #[error("the embedded PostgreSQL refused a step of its set-up: {0}")]
    Database(#[from] sqlx::Error),
    /// A file or a process could not be used.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// The system's reason.
        source: io::Error,
    },
}

fn name_too_old(found: &[(PathBuf, u32)]) -> String {
    let mut text = String::new();
    for (folder, major) in found {
        text.push_str(&format!(" ({} holds {major}, which is too old)", folder.display()));
    }
    text
}

/// Says what was tried when the system refuses.
pub(super) trait Tried<T> {
    /// Names the attempt.
    fn tried(self, what: impl FnOnce() -> String) -> Result<T, EmbeddedError>;
}

impl<T> Tried<T> for io::Result<T> {
    fn tried(self, what: impl FnOnce() -> String) -> Result<T, EmbeddedError> {
        self.map_err(|source| EmbeddedError::Io { what: what(), source })
    }
}

impl<T> Tried<T> for nix::Result<T> {
    fn tried(self, what: impl FnOnce() -> String) -> Result<T, EmbeddedError> {
        self.map_err(|errno| EmbeddedError::Io { what: what(), source: errno.into() })
    }
}
