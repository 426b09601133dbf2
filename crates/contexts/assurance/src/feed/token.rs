//! The token of a row feed, as programs send it: `eph_<organization>_<row feed>_<secret>`.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ephor_kernel::{OrganizationId, RowFeedId};
use rand::{Rng as _, rand_core::UnwrapErr, rngs::SysRng};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// How many characters 32 bytes take.
const SECRET_CHARACTERS: usize = 43;

/// A token that names its organization and its row feed, so that these are found without searching
/// across tenants.
#[derive(Clone, PartialEq, Eq)]
pub struct RowFeedToken {
    /// The organization of the row feed.
    pub organization: OrganizationId,
    /// The row feed.
    pub feed: RowFeedId,
    secret: [u8; 32],
}

impl RowFeedToken {
    /// A new one.
    pub(crate) fn generate(organization: OrganizationId, feed: RowFeedId) -> Self {
        let mut secret = [0; 32];
        // Without chance there are no secrets: a system that has none to give must not go on.
        UnwrapErr(SysRng).fill_bytes(&mut secret);
        Self { organization, feed, secret }
    }

    /// Reads a token; `None` for what is written differently.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("eph_")?.splitn(3, '_');
        let (organization, feed, secret) = (parts.next()?, parts.next()?, parts.next()?);
        // The length first: what is sent may be long.
        let secret = (secret.len() == SECRET_CHARACTERS)
            .then(|| URL_SAFE_NO_PAD.decode(secret).ok()?.try_into().ok())
            .flatten()?;
        Some(Self {
            organization: simple_uuid(organization)?.into(),
            feed: simple_uuid(feed)?.into(),
            secret,
        })
    }

    /// The whole token: shown once, when it is made.
    pub fn expose(&self) -> String {
        format!(
            "eph_{}_{}_{}",
            self.organization.uuid().simple(),
            self.feed.uuid().simple(),
            URL_SAFE_NO_PAD.encode(self.secret)
        )
    }

    /// `eph_` and the secret's first six characters (36 of its 256 bits), to tell tokens apart by.
    pub fn prefix(&self) -> String {
        let secret = URL_SAFE_NO_PAD.encode(self.secret);
        format!("eph_{}", secret.chars().take(6).collect::<String>())
    }

    /// What the database knows the secret by. SHA-256 is enough for 256 bits of chance.
    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.secret).into()
    }
}

/// A UUID as 32 lower-case hex digits, and in no other spelling: a token has one text.
fn simple_uuid(text: &str) -> Option<Uuid> {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    (text.len() == 32 && text.bytes().all(hex)).then(|| Uuid::parse_str(text).ok()).flatten()
}

impl fmt::Debug for RowFeedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowFeedToken")
            .field("organization", &self.organization)
            .field("feed", &self.feed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_reads_back_and_debugging_does_not_tell_it() {
        // Often enough that a secret holds `_`, which also separates the parts.
        for _ in 0..200 {
            let token = RowFeedToken::generate(OrganizationId::new(), RowFeedId::new());
            assert_eq!(RowFeedToken::parse(&token.expose()).unwrap(), token);
            assert!(token.expose().contains(&token.prefix()[4..]));
            let secret = URL_SAFE_NO_PAD.encode(token.secret);
            assert!(!format!("{token:?} {token:#?}").contains(&secret));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fail(text in "(eph_)?[a-f0-9_]{0,120}|.{0,200}") {
            if let Some(token) = RowFeedToken::parse(&text) {
                prop_assert_eq!(token.expose(), text);
            }
        }
    }
}
