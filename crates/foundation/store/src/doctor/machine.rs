//! What can be seen without a database.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use nix::{sys::statvfs::statvfs, unistd::geteuid};

use super::{Check, Disk, Subject};

/// Below this, PostgreSQL may stop taking writes soon.
const LITTLE_SPACE: u64 = 512 * MIB;
const SOME_SPACE: u64 = 5 * 1024 * MIB;
const MIB: u64 = 1024 * 1024;

pub(super) fn programs(subject: &Subject) -> Check {
    const NAME: &str = "programs";
    match subject.places.find() {
        Ok(found) => {
            let list: Vec<String> = found
                .iter()
                .map(|it| format!("{} in {}", it.version(), it.folder().display()))
                .collect();
            Check::ok(NAME, format!("PostgreSQL {}", list.join(", ")))
        }
        Err(error) if subject.embedded => {
            Check::fail(NAME, "PostgreSQL's programs are not installed", error.to_string())
        }
        Err(_) => match subject.places.find_clients().first() {
            Some(clients) => {
                Check::ok(NAME, format!("client programs {} for backups", clients.version()))
            }
            None => Check::warn(
                NAME,
                "PostgreSQL's client programs are not installed",
                "`ephor db backup` and `restore` need pg_dump and pg_restore: install the client package of your system",
            ),
        },
    }
}

pub(super) fn data_folder(folder: &Path) -> Vec<Check> {
    const NAME: &str = "data_folder";
    if !folder.is_dir() {
        return vec![Check::warn(
            NAME,
            format!("there is no folder {} yet", folder.display()),
            "`ephor serve` makes it at its first start",
        )];
    }
    let mut checks = vec![Check::ok(NAME, folder.display().to_string()), disk_space(folder)];
    let credentials = folder.join("credentials.json");
    if credentials.exists() {
        checks.push(private_file("credentials", &credentials, "the database's passwords"));
    }
    checks
}

/// How much of the disk there is.
pub(super) fn disk(folder: &Path) -> Option<Disk> {
    let disk = statvfs(folder).ok()?;
    // The types differ by system; no disk has 2^64 bytes.
    #[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
    let bytes = |blocks: u64| blocks * disk.fragment_size() as u64;
    #[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
    Some(Disk { free: bytes(disk.blocks_available() as u64), total: bytes(disk.blocks() as u64) })
}

fn disk_space(folder: &Path) -> Check {
    const NAME: &str = "disk_space";
    let advice = "make room on that disk, or move the data folder to a larger one";
    match disk(folder) {
        Some(Disk { free, .. }) => {
            let found = format!("{:.1} GiB free", free as f64 / (1024.0 * MIB as f64));
            if free < LITTLE_SPACE {
                Check::fail(NAME, found, advice)
            } else if free < SOME_SPACE {
                Check::warn(NAME, found, advice)
            } else {
                Check::ok(NAME, found)
            }
        }
        None => Check::warn(NAME, "cannot be told", advice),
    }
}

/// A file that nobody but its owner may read.
pub(super) fn private_file(name: &'static str, path: &Path, what: &str) -> Check {
    let shown = path.display();
    match fs::metadata(path) {
        Ok(about) if about.mode() & 0o077 != 0 => Check::fail(
            name,
            format!("others may open {shown}, {what} (mode {:o})", about.mode() & 0o7777),
            format!("chmod 600 '{shown}', and replace what it holds if somebody may have read it"),
        ),
        Ok(about) if about.uid() != geteuid().as_raw() => Check::warn(
            name,
            format!("{shown}, {what}, belongs to another user (id {})", about.uid()),
            "run Ephor as the user that the file belongs to",
        ),
        Ok(_) => Check::ok(name, format!("{shown} is its owner's alone")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Check::warn(
            name,
            format!("there is no {shown}, {what}, yet"),
            "`ephor serve` makes it at its first start",
        ),
        Err(error) => Check::fail(
            name,
            format!("{shown}, {what}, cannot be looked at: {error}"),
            "run Ephor as the user that the file belongs to",
        ),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};

    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn a_secret_that_others_can_read_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("seal.key");
        let verdict = |file: &Path| private_file("seal_key", file, "a key").verdict;
        assert_eq!(verdict(&file), Verdict::Warn);
        fs::write(&file, "secret").unwrap();
        for (mode, expected) in
            [(0o600, Verdict::Ok), (0o640, Verdict::Fail), (0o604, Verdict::Fail)]
        {
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            assert_eq!(verdict(&file), expected, "{mode:o}");
        }
    }

    #[test]
    fn a_data_folder_is_looked_into() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("credentials.json"), "{}").unwrap();
        let names: Vec<_> = data_folder(folder.path()).iter().map(|check| check.name).collect();
        assert_eq!(names, ["data_folder", "disk_space", "credentials"]);
        assert_eq!(data_folder(&folder.path().join("none"))[0].verdict, Verdict::Warn);
    }
}
