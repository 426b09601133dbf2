//! A file that is there whole or not at all.

use std::{
    fs::{File, Metadata, Permissions},
    io::{self, Write},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// A file while it is made. Until it is kept, its forerunner stays; given up, it leaves nothing behind. What is no file, such as
/// a pipe or a device, stays what it is, and has what came until then.
pub struct Whole(Kind);

enum Kind {
    /// Beside the place where it will be.
    Made(NamedTempFile, PathBuf),
    /// In no file.
    Passed(File),
}

impl Whole {
    /// Begins it.
    pub fn at(path: &Path) -> io::Result<Self> {
        if is_open(path) {
            return Ok(Self(Kind::Passed(File::options().append(true).open(path)?)));
        }
        // What a link leads to is written, not the link.
        let place = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        // Nothing is lost by opening it; and what may not be written is not replaced either.
        let before = match File::options().write(true).open(&place) {
            Ok(file) => Some((file.metadata()?, file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let before = match before {
            Some((found, file)) if !found.is_file() => return Ok(Self(Kind::Passed(file))),
            other => other.map(|(found, _)| found),
        };
        // As any file that is made: what the user's mask leaves of it.
        let mut builder = tempfile::Builder::new();
        let mode = before.as_ref().map_or(0o666, mode);
        builder.prefix(".ephor-").permissions(Permissions::from_mode(mode));
        let made = match builder.tempfile_in(folder(&place)) {
            // A file may be written where none may be made: then it is made elsewhere, and copied once it is whole.
            Err(error) if before.is_some() && is_fixed(&error) => builder.tempfile()?,
            made => made?,
        };
        if let Some(found) = before {
            // Whose it was, as far as the user may give it away.
            let _ = fchown(made.as_file(), None, Some(found.gid()));
            let _ = fchown(made.as_file(), Some(found.uid()), None);
            // Who may read the forerunner, and nobody else, may read this: the mask has no say in it.
            made.as_file().set_permissions(Permissions::from_mode(mode))?;
        }
        Ok(Self(Kind::Made(made, place)))
    }

    /// A handle of its own, for who writes on another thread. It writes from the beginning: nothing else does beside it.
    pub fn writer(&self) -> io::Result<File> {
        match &self.0 {
            Kind::Made(file, _) => file.reopen(),
            Kind::Passed(file) => file.try_clone(),
        }
    }

    /// Puts it in its place, once all of it is on the disk.
    pub fn keep(self) -> io::Result<()> {
        let Kind::Made(file, place) = self.0 else { return Ok(()) };
        file.as_file().sync_all()?;
        match file.persist(&place) {
            Ok(_) => Ok(()),
            // A file that is mounted by itself, say, gives its place to no other: it is written over, now that all is there.
            Err(refused) if is_fixed(&refused.error) && place.is_file() => {
                let mut over = File::options().write(true).truncate(true).open(&place)?;
                io::copy(&mut refused.file.reopen()?, &mut over)?;
                over.sync_all()
            }
            Err(refused) => Err(refused.error),
        }
    }
}

/// Whether this names a file that the process has open, whatever it is: it stays the same for who opened it.
pub fn is_open(path: &Path) -> bool {
    ["/dev/stdout", "/dev/stderr", "/dev/fd", "/proc"].iter().any(|known| path.starts_with(known))
}

/// The folder that a file lies in.
pub fn folder(path: &Path) -> &Path {
    path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether a place can only be written to, not taken.
fn is_fixed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::ResourceBusy
            | io::ErrorKind::CrossesDevices
    )
}

/// Who may do what with a file, without what makes programs run as others.
fn mode(of: &Metadata) -> u32 {
    of.permissions().mode() & 0o777
}

impl Write for Whole {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Made(file, _) => file.write(bytes),
            Kind::Passed(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Kind::Made(file, _) => file.flush(),
            Kind::Passed(file) => file.flush(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::{io::Seek as _, os::fd::AsRawFd as _};

    use super::*;

    fn written(path: &Path, text: &str) {
        let mut file = Whole::at(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.keep().unwrap();
    }

    #[test]
    fn who_could_not_read_it_before_cannot_read_it_now() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("private.csv");
        std::fs::write(&path, "before").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        written(&path, "after");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "after");
        assert_eq!(mode(&std::fs::metadata(&path).unwrap()), 0o600);
    }

    #[test]
    fn a_link_and_a_device_stay_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        std::fs::write(&file, "before").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        written(&link, "after");
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "after");

        written(Path::new("/dev/null"), "nothing");
        assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn what_the_process_has_open_is_written_behind_what_is_there() {
        let mut open = tempfile::tempfile().unwrap();
        open.write_all(b"before ").unwrap();
        let path = format!("/proc/self/fd/{}", open.as_raw_fd());
        written(Path::new(&path), "after");
        open.rewind().unwrap();
        assert_eq!(io::read_to_string(open).unwrap(), "before after");
    }

    #[test]
    fn a_file_is_written_where_none_may_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mounted");
        std::fs::write(&path, "before, and longer").unwrap();
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o500)).unwrap();
        written(&path, "after");
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "after");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside");
    }

    #[test]
    fn another_handle_writes_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let file = Whole::at(&path).unwrap();
        file.writer().unwrap().write_all(b"all of it").unwrap();
        assert!(!path.exists());
        file.keep().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "all of it");
    }

    #[test]
    fn what_is_given_up_leaves_its_forerunner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        written(&path, "first");
        let mut file = Whole::at(&path).unwrap();
        file.write_all(b"second").unwrap();
        drop(file);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside");
    }
}
