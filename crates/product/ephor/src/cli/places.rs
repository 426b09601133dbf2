//! Whether what a command is to write can be written, found before its work begins.

use std::{
    io,
    path::{Path, PathBuf},
};

use nix::unistd::{AccessFlags, access};

use super::whole::{folder, is_open};
use crate::exit::UsageError;

/// A place that an option names.
pub enum Place<'a> {
    /// A file, new or in place of another.
    File(&'a Path),
    /// A folder that is made if it is not there.
    Folder(&'a Path),
}

impl<'a> Place<'a> {
    /// The file that `--out` names, if it does.
    pub fn out(path: Option<&'a PathBuf>) -> impl Iterator<Item = (&'static str, Self)> {
        path.into_iter().map(|path| ("--out", Self::File(path)))
    }
}

/// Refuses options that name places which can't be written: none of them is made or changed.
///
/// # Errors
/// `UsageError` with a line for each, by its option.
pub fn writable<'a>(
    places: impl IntoIterator<Item = (&'static str, Place<'a>)>,
) -> anyhow::Result<()> {
    let faults: Vec<String> = places
        .into_iter()
        .filter_map(|(option, place)| {
            let (path, fault) = match place {
                Place::File(path) => (path, file(path)),
                Place::Folder(path) => (path, to_be_filled(path)),
            };
            fault.map(|fault| format!("{option} {}: {fault}", path.display()))
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(UsageError(faults.join("\n")).into()) }
}

/// Why the file can't be written.
fn file(path: &Path) -> Option<String> {
    if is_open(path) {
        return None;
    }
    match path.metadata() {
        Ok(found) if found.is_dir() => Some("it is a folder".to_owned()),
        // A pipe is not opened, as somebody reads from it once.
        Ok(_) => may(path, AccessFlags::W_OK).err(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = folder(path);
            match folder.metadata() {
                Ok(_) => to_be_filled(folder),
                Err(_) => Some(format!("there is no folder {}", folder.display())),
            }
        }
        Err(error) => Some(error.to_string()),
    }
}

/// Why nothing can be put into the folder, or it can't be made.
fn to_be_filled(path: &Path) -> Option<String> {
    let there =
        path.ancestors().map(|one| if one.as_os_str().is_empty() { Path::new(".") } else { one });
    for folder in there {
        match folder.metadata() {
            Ok(found) if !found.is_dir() => {
                return Some(format!("{} is no folder", folder.display()));
            }
            Ok(_) => {
                let fault = may(folder, AccessFlags::W_OK | AccessFlags::X_OK).err()?;
                return Some(format!("nothing can be put into {}: {fault}", folder.display()));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Some(format!("{}: {error}", folder.display())),
        }
    }
    None
}

fn may(path: &Path, what: AccessFlags) -> Result<(), String> {
    access(path, what).map_err(|errno| io::Error::from(errno).to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_written_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        std::fs::write(&old, "before").unwrap();
        let made = folder.path().join("a/b");
        writable([
            ("--out", Place::File(&old)),
            ("--report", Place::File(&new)),
            ("--plots", Place::Folder(&made)),
            ("--also", Place::File(Path::new("/dev/stdout"))),
            ("--also", Place::File(Path::new("/dev/null"))),
            ("--also", Place::File(Path::new("a-file-beside-the-sources"))),
            ("--plots", Place::Folder(Path::new("a-folder-beside-the-sources"))),
        ])
        .unwrap();
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "before");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is made");
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let (nowhere, below, filled) =
            (folder.path().join("no/out.json"), file.join("out.html"), file.join("plots"));
        let told = writable([
            ("--out", Place::File(&nowhere)),
            ("--also", Place::File(folder.path())),
            ("--report", Place::File(&below)),
            ("--plots", Place::Folder(&filled)),
            ("--plots", Place::Folder(&file)),
        ])
        .unwrap_err();
        assert!(told.is::<UsageError>());
        let told = told.to_string();
        let lines: Vec<&str> = told.lines().collect();
        let parts = ["there is no folder", "it is a folder", "file", "file", "is no folder"];
        assert_eq!(lines.len(), parts.len(), "{told}");
        for (line, part) in lines.iter().zip(parts) {
            assert!(line.contains(part), "`{part}` is not in `{line}`");
        }
    }
}
