//! An API key as programs send it: `eph_<organization>_<id>_<secret>`.

use std::fmt;

use ephor_kernel::{ApiKeyId, OrganizationId};
use uuid::Uuid;

use super::{decode, encode, random, sha256};

/// A key that names its organization, so that it is found without searching across tenants.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeyToken {
    /// The organization that it works in.
    pub organization: OrganizationId,
    /// Which key it is.
    pub id: ApiKeyId,
    secret: [u8; 32],
}

impl ApiKeyToken {
    /// A new key.
    pub(crate) fn generate(organization: OrganizationId) -> Self {
        Self { organization, id: ApiKeyId::new(), secret: random() }
    }

    /// Reads a key; `None` for what is written differently.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("eph_")?.splitn(3, '_');
        let (organization, id, secret) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            organization: simple_uuid(organization)?.into(),
            id: simple_uuid(id)?.into(),
            secret: decode(secret)?,
        })
    }

    /// The whole key: shown once, when it is made.
    pub fn expose(&self) -> String {
        format!(
            "eph_{}_{}_{}",
            self.organization.uuid().simple(),
            self.id.uuid().simple(),
            encode(&self.secret)
        )
    }

    /// `eph_` and the secret's first six characters (36 of its 256 bits), to tell keys apart by.
    pub fn prefix(&self) -> String {
        format!("eph_{}", encode(&self.secret).chars().take(6).collect::<String>())
    }

    /// What the database knows the secret by.
    pub(crate) fn hash(&self) -> [u8; 32] {
        sha256(&self.secret)
    }
}

/// A UUID as 32 lower-case hex digits, and in no other spelling: a key has one text.
pub(super) fn simple_uuid(text: &str) -> Option<Uuid> {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    (text.len() == 32 && text.bytes().all(hex)).then(|| Uuid::parse_str(text).ok()).flatten()
}

impl fmt::Debug for ApiKeyToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeyToken")
            .field("organization", &self.organization)
            .field("id", &self.id)
            .field("secret", &"secret")
            .finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_reads_back() {
        // Often enough that a secret holds `_`, which also separates the parts.
        for _ in 0..200 {
            let key = ApiKeyToken::generate(OrganizationId::new());
            assert_eq!(ApiKeyToken::parse(&key.expose()).unwrap(), key);
        }
    }

    #[test]
    fn a_prefix_fits_its_column_and_begins_the_secret() {
        let key = ApiKeyToken::generate(OrganizationId::new());
        assert_eq!(key.prefix().len(), 10);
        assert!(key.expose().contains(&key.prefix()[4..]));
    }

    #[test]
    fn debugging_does_not_tell_it() {
        let key = ApiKeyToken::generate(OrganizationId::new());
        let secret = encode(&key.secret);
        assert!(!format!("{key:?} {key:#?}").contains(&secret));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fail(text in "(eph_)?[a-f0-9_]{0,120}|.{0,200}") {
            if let Some(key) = ApiKeyToken::parse(&text) {
                prop_assert_eq!(key.expose(), text);
            }
        }
    }
}
