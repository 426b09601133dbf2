//! A file that is there whole or not at all.

use std::{
    fs::{File, Metadata},
    io::{self, Write},
    os::unix::fs::PermissionsExt as _,
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
        let folder =
            place.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // As any file that is made: what the user's mask leaves of it.
        let mut builder = tempfile::Builder::new();
        let mode = before.as_ref().map_or(0o666, mode);
        builder.permissions(std::fs::Permissions::from_mode(mode));
        let made = builder.tempfile_in(folder)?;
        // Who may read the forerunner, and nobody else, may read this: the mask has no say in it.
        if before.is_some() {
            made.as_file().set_permissions(std::fs::Permissions::from_mode(mode))?;
        }
        Ok(Self(Kind::Made(made, place)))
    }

    /// Puts it in its place, once all of it is on the disk.
    pub fn keep(self) -> io::Result<()> {
        match self.0 {
            Kind::Made(file, place) => {
                file.as_file().sync_all()?;
                file.persist(place)?;
                Ok(())
            }
            Kind::Passed(_) => Ok(()),
        }
    }
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
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
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
