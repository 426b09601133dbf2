//! The keys as text: in the file, and in the setting.
//!
//! Words of 64 hexadecimal digits between blanks. One stands alone: it encrypts. `next:` goes before the
//! one that will, `old:` before those that did; they only decrypt.

use std::fmt;

use anyhow::{Context as _, bail};
use ephor_identity::{KeyId, VaultKeys};

type Key = [u8; 32];

/// The keys of an installation. They are never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretsKeys {
    /// The one that encrypts.
    pub seals: Key,
    /// The one that will, once every process knows it.
    pub next: Option<Key>,
    /// Those that did, the latest first.
    pub old: Vec<Key>,
}

impl SecretsKeys {
    /// One key, and none besides.
    pub fn only(seals: Key) -> Self {
        Self { seals, next: None, old: Vec::new() }
    }

    /// Reads them.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let (mut seals, mut next, mut old) = (None, None, Vec::new());
        for word in text.split_whitespace() {
            let (place, digits) = word.split_once(':').unwrap_or(("", word));
            let key = key(digits).context("a key is 64 hexadecimal digits")?;
            let before = match place {
                "" => seals.replace(key),
                "next" => next.replace(key),
                "old" => {
                    old.push(key);
                    None
                }
                _ => bail!("before a key stands next: or old:, or nothing"),
            };
            if before.is_some() {
                bail!(
                    "there are two keys of one kind; write old: before the one that encrypted before"
                );
            }
        }
        let seals = seals.context("it holds no key that encrypts: 64 hexadecimal digits")?;
        Ok(Self { seals, next, old })
    }

    /// Writes them, each in a line.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", hex::encode(self.seals));
        if let Some(key) = &self.next {
            text.push_str(&format!("next:{}\n", hex::encode(key)));
        }
        for key in &self.old {
            text.push_str(&format!("old:{}\n", hex::encode(key)));
        }
        text
    }

    /// As the vault takes them.
    pub fn vault(&self) -> VaultKeys {
        VaultKeys { seals: self.seals, opens: self.next.iter().chain(&self.old).copied().collect() }
    }

    /// What a key is here, in a word; `None` for one that is not here.
    pub fn word(&self, id: KeyId) -> Option<&'static str> {
        let is = |key: &Key| KeyId::of(key) == id;
        if is(&self.seals) {
            Some("encrypts")
        } else if self.next.as_ref().is_some_and(is) {
            Some("next")
        } else {
            self.old.iter().any(is).then_some("old")
        }
    }

    /// The ids of all, with their words, the one that encrypts first.
    pub fn ids(&self) -> Vec<(KeyId, &'static str)> {
        let all = std::iter::once((&self.seals, "encrypts"))
            .chain(self.next.iter().map(|key| (key, "next")))
            .chain(self.old.iter().map(|key| (key, "old")));
        all.map(|(key, word)| (KeyId::of(key), word)).collect()
    }
}

impl fmt::Debug for SecretsKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretsKeys(secret)")
    }
}

fn key(digits: &str) -> anyhow::Result<Key> {
    let mut key = [0; 32];
    hex::decode_to_slice(digits, &mut key)?;
    Ok(key)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_were_written() {
        let keys = SecretsKeys { seals: [1; 32], next: Some([2; 32]), old: vec![[3; 32], [4; 32]] };
        assert_eq!(SecretsKeys::parse(&keys.text()).unwrap(), keys);
        assert_eq!(SecretsKeys::parse(&keys.text().replace('\n', " ")).unwrap(), keys);
        assert_eq!(keys.word(KeyId::of(&[4; 32])), Some("old"));
        assert_eq!(keys.word(KeyId::of(&[5; 32])), None);
        assert_eq!(keys.ids().len(), 4);
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_told() {
        let (one, two) = ("11".repeat(32), "22".repeat(32));
        for wrong in [
            String::new(),
            "12".into(),
            format!("{one} {two}"),
            format!("old:{one}"),
            format!("new:{one}"),
        ] {
            let told = format!("{:#}", SecretsKeys::parse(&wrong).unwrap_err());
            assert!(!told.contains(&one), "{told}");
        }
    }
}
