//! Where PostgreSQL's programs are: distributions hide them from `PATH`.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::error::EmbeddedError;

/// The oldest major version that Ephor runs on.
pub const OLDEST_MAJOR: u32 = 15;

/// The programs that a folder must hold to run a server.
const SERVER: [&str; 6] = ["postgres", "initdb", "pg_dump", "pg_dumpall", "pg_restore", "psql"];
/// The programs that a folder must hold for backups of a server elsewhere.
const CLIENT: [&str; 3] = ["pg_dump", "pg_restore", "psql"];

/// One installed PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    folder: PathBuf,
    major: u32,
    version: String,
}

impl Binaries {
    /// The major version, such as 15.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// The full version as the server says it, such as `15.18`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Where the programs are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of one of its programs.
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// One that is not there, for tests of decisions.
    #[cfg(test)]
    pub(super) fn pretend(folder: &Path, major: u32) -> Self {
        Self { folder: folder.to_owned(), major, version: major.to_string() }
    }

    /// What a folder holds, when that is a whole PostgreSQL of any age.
    pub fn in_folder(folder: &Path) -> Option<Self> {
        Self::with(folder, &SERVER)
    }

    /// What a folder holds; the first of the programs is asked for its version.
    fn with(folder: &Path, programs: &[&str]) -> Option<Self> {
        if !programs.iter().all(|name| folder.join(name).is_file()) {
            return None;
        }
        let output = Command::new(folder.join(programs.first()?))
            .arg("--version")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .output()
            .ok()?;
        let (major, version) = parse_version(&String::from_utf8_lossy(&output.stdout))?;
        Some(Self { folder: folder.to_owned(), major, version })
    }
}

/// Reads `postgres (PostgreSQL) 15.18 (Debian …)`, also `17beta2` and `19devel`.
fn parse_version(said: &str) -> Option<(u32, String)> {
    let (_, rest) = said.trim().split_once(" (PostgreSQL) ")?;
    let version = rest.split_whitespace().next()?;
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    Some((version[..digits].parse().ok()?, version.to_owned()))
}

/// The folders to look in, the most particular first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPlaces {
    folders: Vec<PathBuf>,
}

impl SearchPlaces {
    /// Just these.
    pub fn of(folders: Vec<PathBuf>) -> Self {
        Self { folders }
    }

    /// All that this machine's `PATH`, `pg_config`, distribution, Homebrew and Postgres.app offer.
    /// `EPHOR_POSTGRES_BIN` names one folder and ends the search.
    pub fn of_this_machine() -> Self {
        if let Some(only) = std::env::var_os("EPHOR_POSTGRES_BIN").filter(|it| !it.is_empty()) {
            return Self::of(vec![only.into()]);
        }
        let mut folders: Vec<PathBuf> = std::env::var_os("PATH")
            .map(|path| std::env::split_paths(&path).collect())
            .unwrap_or_default();
        folders.extend(said_path("pg_config", "--bindir"));
        folders.extend(children("/usr/lib/postgresql", "").map(|it| it.join("bin")));
        folders.extend(children("/usr", "pgsql-").map(|it| it.join("bin")));
        folders.extend(children("/usr/lib", "postgresql").map(|it| it.join("bin")));
        folders.extend(children("/usr/libexec", "postgresql"));
        if let Some(prefix) = said_path("brew", "--prefix") {
            folders.extend(children(prefix.join("opt"), "postgresql").map(|it| it.join("bin")));
        }
        folders.extend(
            children("/Applications/Postgres.app/Contents/Versions", "").map(|it| it.join("bin")),
        );
        Self::of(folders)
    }

    /// Every PostgreSQL that can run a server, the newest first; among equals the first found.
    pub fn find(&self) -> Result<Vec<Binaries>, EmbeddedError> {
        let (usable, old): (Vec<_>, Vec<_>) =
            self.all(&SERVER).into_iter().partition(|it| it.major >= OLDEST_MAJOR);
        if usable.is_empty() {
            let too_old = old.into_iter().map(|it| (it.folder, it.major)).collect();
            return Err(EmbeddedError::NoBinaries { advice: Platform::this().advice(), too_old });
        }
        Ok(usable)
    }

    /// Every set of client programs, the newest first: they serve any server that is not newer.
    pub fn find_clients(&self) -> Vec<Binaries> {
        self.all(&CLIENT)
    }

    fn all(&self, programs: &[&str]) -> Vec<Binaries> {
        let mut seen: Vec<PathBuf> = Vec::new();
        let mut all: Vec<Binaries> = Vec::new();
        for folder in &self.folders {
            let Ok(folder) = folder.canonicalize() else { continue };
            if !seen.contains(&folder) {
                all.extend(Binaries::with(&folder, programs));
                seen.push(folder);
            }
        }
        all.sort_by_key(|it| std::cmp::Reverse(it.major));
        all
    }
}

/// The one line that a program prints when asked for a path.
fn said_path(program: &str, argument: &str) -> Option<PathBuf> {
    let output = Command::new(program).arg(argument).stdin(Stdio::null()).output().ok()?;
    let line = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !line.trim().is_empty()).then(|| PathBuf::from(line.trim()))
}

/// The entries of a folder whose names begin so, in order; none when it cannot be read.
fn children(folder: impl AsRef<Path>, prefix: &'static str) -> impl Iterator<Item = PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            path.file_name().and_then(OsStr::to_str).is_some_and(|n| n.starts_with(prefix))
        })
        .collect();
    found.sort();
    found.into_iter()
}

/// How PostgreSQL is installed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Platform {
    Debian,
    RedHat,
    Arch,
    Alpine,
    Suse,
    MacOs,
    Other,
}

impl Platform {
    fn this() -> Self {
        if cfg!(target_os = "macos") {
            return Self::MacOs;
        }
        Self::of_release(&fs::read_to_string("/etc/os-release").unwrap_or_default())
    }

    /// From the text of `/etc/os-release`: `ID`, then what it says it is like.
    fn of_release(text: &str) -> Self {
        let value = |key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
                .map(|value| value.trim_matches(['"', '\'']).to_owned())
                .unwrap_or_default()
        };
        let words = format!("{} {}", value("ID"), value("ID_LIKE"));
        words
            .split_whitespace()
            .find_map(|word| match word {
                "debian" | "ubuntu" => Some(Self::Debian),
                "fedora" | "rhel" | "centos" => Some(Self::RedHat),
                "arch" => Some(Self::Arch),
                "alpine" => Some(Self::Alpine),
                "suse" | "opensuse" => Some(Self::Suse),
                _ => None,
            })
            .unwrap_or(Self::Other)
    }

    fn advice(self) -> &'static str {
        match self {
            Self::Debian => "Install it with `apt-get install postgresql`, or run `make setup`.",
            Self::RedHat => "Install it with `dnf install postgresql-server`.",
            Self::Arch => "Install it with `pacman -S postgresql`.",
            Self::Alpine => "Install it with `apk add postgresql17 postgresql17-client`.",
            Self::Suse => "Install it with `zypper install postgresql-server`.",
            Self::MacOs => "Install it with `brew install postgresql@17`, or run `make setup`.",
            Self::Other => "Install the PostgreSQL server with your system's package manager.",
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A folder whose programs say that they are of `version`.
    fn pretend(version: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in SERVER {
            let file = folder.path().join(name);
            fs::write(&file, format!("#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }

    #[test]
    fn versions_are_read_as_distributions_print_them() {
        let read = |text: &str| parse_version(text).map(|(major, _)| major);
        assert_eq!(read("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(read("postgres (PostgreSQL) 17beta2"), Some(17));
        assert_eq!(read("postgres (PostgreSQL) 19devel"), Some(19));
        assert_eq!(read("postgres (PostgreSQL) 9.6.24"), Some(9));
        assert_eq!(read("pg_dump (PostgreSQL) 15.1"), Some(15));
        assert_eq!(read("mysqld 8.0"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn the_newest_comes_first_and_a_folder_counts_once() {
        let (old, new) = (pretend("15.3"), pretend("18.1"));
        let places =
            SearchPlaces::of(vec![old.path().into(), new.path().into(), old.path().into()]);
        let majors: Vec<_> = places.find().unwrap().iter().map(Binaries::major).collect();
        assert_eq!(majors, [18, 15]);
    }

    #[test]
    fn nothing_installed_says_what_to_install() {
        let empty = tempfile::tempdir().unwrap();
        let error =
            SearchPlaces::of(vec![empty.path().into(), "/nowhere".into()]).find().unwrap_err();
        let text = error.to_string();
        assert!(text.contains("PostgreSQL 15 or newer is needed"), "{text}");
        assert!(text.contains(Platform::this().advice()), "{text}");
        assert!(text.contains("DATABASE_URL"), "{text}");
    }

    #[test]
    fn one_that_is_too_old_is_named() {
        let old = pretend("14.9");
        let text = SearchPlaces::of(vec![old.path().into()]).find().unwrap_err().to_string();
        assert!(text.contains("holds 14, which is too old"), "{text}");
    }

    #[test]
    fn a_folder_with_only_clients_is_passed_over() {
        let folder = pretend("16.1");
        fs::remove_file(folder.path().join("initdb")).unwrap();
        assert_eq!(Binaries::in_folder(folder.path()), None);
        let clients = SearchPlaces::of(vec![folder.path().into()]).find_clients();
        assert_eq!(clients.first().map(Binaries::major), Some(16), "they do for backups");
    }

    #[test]
    fn every_distribution_gets_its_own_advice() {
        let advice = |text| Platform::of_release(text).advice();
        assert!(advice("ID=debian\n").contains("apt-get"));
        assert!(advice("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n").contains("apt-get"));
        assert!(advice("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n").contains("dnf"));
        assert!(advice("ID=arch\n").contains("pacman"));
        assert!(advice("ID=alpine\n").contains("apk"));
        assert!(advice("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n").contains("zypper"));
        assert!(advice("").contains("package manager"));
    }
}
