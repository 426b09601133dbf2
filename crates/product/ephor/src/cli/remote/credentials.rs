//! What `ephor login` keeps: one server and one API key, in a file that only its owner reads.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::super::variable;

/// A server and a key to it.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Its address, without a slash at the end.
    pub server: String,
    /// The key.
    pub api_key: Key,
    /// Keys to other organizations there, by the organization's id, for going back to them.
    pub others: Vec<(String, Key)>,
}

/// A key that is kept.
#[derive(Debug, Clone)]
pub struct Key {
    /// The whole of it.
    pub text: SecretString,
    /// A log-in made it, for nothing but these commands; else somebody brought it along.
    pub is_made: bool,
}

impl Key {
    /// One that a log-in made.
    pub fn made(text: SecretString) -> Self {
        Self { text, is_made: true }
    }

    /// One that somebody brought along.
    pub fn brought(text: SecretString) -> Self {
        Self { text, is_made: false }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    server: String,
    api_key: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    made: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    others: Vec<Other>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Other {
    organization_id: String,
    api_key: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    made: bool,
}

/// Where they are kept: `EPHOR_CREDENTIALS`, else the user's configuration folder.
pub fn file() -> anyhow::Result<PathBuf> {
    if let Some(file) = variable("EPHOR_CREDENTIALS") {
        return Ok(file.into());
    }
    let folder = match variable("XDG_CONFIG_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(
            &variable("HOME").context("HOME is not set; name a file in EPHOR_CREDENTIALS")?,
        )
        .join(".config"),
    };
    Ok(folder.join("ephor").join("credentials.json"))
}

impl Credentials {
    /// The kept ones, if there are any.
    pub fn load(file: &Path) -> anyhow::Result<Option<Self>> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("{} can't be read", file.display()));
            }
        };
        let stored: Stored = serde_json::from_str(&text).with_context(|| {
            format!("{} is damaged; `ephor login` makes it anew", file.display())
        })?;
        let key = |text: String, is_made| Key { text: text.into(), is_made };
        let others = stored.others.into_iter();
        Ok(Some(Self {
            server: stored.server,
            api_key: key(stored.api_key, stored.made),
            others: others.map(|one| (one.organization_id, key(one.api_key, one.made))).collect(),
        }))
    }

    /// Keeps them, in place of those before, whole or not at all.
    pub fn save(&self, file: &Path) -> anyhow::Result<()> {
        let folder =
            file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)
            .with_context(|| format!("{} can't be made", folder.display()))?;
        let stored = Stored {
            server: self.server.clone(),
            api_key: self.api_key.text.expose_secret().to_owned(),
            made: self.api_key.is_made,
            others: self
                .others
                .iter()
                .map(|(id, key)| Other {
                    organization_id: id.clone(),
                    api_key: key.text.expose_secret().to_owned(),
                    made: key.is_made,
                })
                .collect(),
        };
        // A temporary file is made readable by its owner alone.
        let mut kept = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut kept, &stored)?;
        writeln!(kept)?;
        kept.persist(file).with_context(|| format!("{} can't be written", file.display()))?;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn they_come_back_and_are_their_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/credentials.json");
        assert!(Credentials::load(&file).unwrap().is_none());
        let kept = Credentials {
            server: "http://127.0.0.1:1".into(),
            api_key: Key::brought("eph_x".to_owned().into()),
            others: vec![("0193".into(), Key::made("eph_y".to_owned().into()))],
        };
        kept.save(&file).unwrap();
        let back = Credentials::load(&file).unwrap().unwrap();
        assert_eq!(
            (back.server.as_str(), back.api_key.text.expose_secret(), back.api_key.is_made),
            ("http://127.0.0.1:1", "eph_x", false)
        );
        let others = back.others.iter();
        let others: Vec<_> =
            others.map(|(id, key)| (id.as_str(), key.text.expose_secret(), key.is_made)).collect();
        assert_eq!(others, [("0193", "eph_y", true)]);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        // As it was written before it was told who made a key: it is left alone.
        std::fs::write(&file, r#"{"server": "s", "api_key": "eph_x"}"#).unwrap();
        assert!(!Credentials::load(&file).unwrap().unwrap().api_key.is_made);
        std::fs::write(&file, "{").unwrap();
        assert!(Credentials::load(&file).unwrap_err().to_string().contains("ephor login"));
    }
}
