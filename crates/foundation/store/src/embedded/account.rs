//! Whom the server runs as: PostgreSQL refuses root, and any user without a name.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use nix::unistd::{Gid, Uid, User, chown, geteuid};

use super::error::{EmbeddedError, Tried};

/// Tried in this order when Ephor runs as root.
const STEP_DOWN: [&str; 2] = ["postgres", "nobody"];

/// The user that root steps down to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub(super) name: String,
    pub(super) uid: Uid,
    pub(super) gid: Gid,
}

impl Account {
    /// Whom to run the server as from here: `None` for oneself, else whom root steps down to.
    /// `wanted` names one user to step down to instead of the usual ones.
    pub fn choose(wanted: Option<&str>) -> Result<Option<Self>, EmbeddedError> {
        choose(
            geteuid(),
            wanted,
            |uid| User::from_uid(uid).ok().flatten().is_some(),
            |name| {
                User::from_name(name).ok().flatten().map(|user| Self {
                    name: user.name,
                    uid: user.uid,
                    gid: user.gid,
                })
            },
        )
    }

    /// Hands a file or folder over.
    pub(super) fn give(&self, path: &Path) -> Result<(), EmbeddedError> {
        chown(path, Some(self.uid), Some(self.gid))
            .tried(|| format!("could not hand {} to the user {}", path.display(), self.name))
    }

    /// Errs when a folder on the way to `folder` is closed to the user.
    pub(super) fn check_reach(&self, folder: &Path) -> Result<(), EmbeddedError> {
        let full = folder
            .canonicalize()
            .tried(|| format!("could not find the folder {}", folder.display()))?;
        let mut way: Vec<&Path> = full.ancestors().collect();
        way.reverse();
        for step in way {
            let about = fs::metadata(step)
                .tried(|| format!("could not look at the folder {}", step.display()))?;
            let bits = about.permissions().mode();
            let search = if about.uid() == self.uid.as_raw() {
                bits & 0o100
            } else if about.gid() == self.gid.as_raw() {
                bits & 0o010
            } else {
                bits & 0o001
            };
            if search == 0 {
                return Err(EmbeddedError::Unreachable {
                    account: self.name.clone(),
                    closed: step.to_owned(),
                    folder: folder.to_owned(),
                });
            }
        }
        Ok(())
    }
}

fn choose(
    euid: Uid,
    wanted: Option<&str>,
    has_name: impl FnOnce(Uid) -> bool,
    named: impl Fn(&str) -> Option<Account>,
) -> Result<Option<Account>, EmbeddedError> {
    if !euid.is_root() {
        return if has_name(euid) {
            Ok(None)
        } else {
            Err(EmbeddedError::NamelessUser { uid: euid.as_raw() })
        };
    }
    let names: Vec<&str> = wanted.map_or_else(|| STEP_DOWN.to_vec(), |name| vec![name]);
    match names.iter().find_map(|name| named(name)) {
        Some(account) if !account.uid.is_root() => Ok(Some(account)),
        _ => Err(EmbeddedError::NoAccount { wanted: names.join(", ") }),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn account(name: &str, uid: u32) -> Account {
        Account { name: name.to_owned(), uid: Uid::from_raw(uid), gid: Gid::from_raw(uid) }
    }

    fn stepping_down(there: &[&str]) -> Result<Option<Account>, EmbeddedError> {
        choose(
            Uid::from_raw(0),
            None,
            |_| true,
            |name| there.contains(&name).then(|| account(name, 101)),
        )
    }

    #[test]
    fn root_steps_down_to_postgres_else_to_nobody() {
        assert_eq!(stepping_down(&["nobody", "postgres"]).unwrap().unwrap().name, "postgres");
        assert_eq!(stepping_down(&["nobody"]).unwrap().unwrap().name, "nobody");
        let error = stepping_down(&[]).unwrap_err();
        assert!(error.to_string().contains("postgres, nobody"), "{error}");
    }

    #[test]
    fn root_never_steps_down_to_root() {
        let error = choose(Uid::from_raw(0), Some("toor"), |_| true, |name| Some(account(name, 0)));
        assert!(matches!(error, Err(EmbeddedError::NoAccount { .. })));
    }

    #[test]
    fn an_ordinary_user_stays_who_they_are() {
        assert_eq!(choose(Uid::from_raw(1000), None, |_| true, |_| None).unwrap(), None);
    }

    #[test]
    fn a_user_without_a_name_is_told_so_before_initdb_is() {
        let error = choose(Uid::from_raw(4242), None, |_| false, |_| None).unwrap_err();
        assert!(error.to_string().contains("user id 4242, which has no entry"), "{error}");
    }

    #[test]
    fn a_closed_folder_on_the_way_is_named() {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let stranger = account("stranger", 4_000_000);
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let error = stranger.check_reach(&inner).unwrap_err();
        let EmbeddedError::Unreachable { closed, .. } = &error else { panic!("{error}") };
        assert_eq!(closed, &outer.path().canonicalize().unwrap());
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o711)).unwrap();
        stranger.check_reach(&inner).unwrap();
    }
}
