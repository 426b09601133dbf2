//! The secret of a link that is mailed to one person: to set a new password, to prove an address.

use std::fmt;

use super::{decode, encode, random, sha256};

/// What a mailed link holds. It goes into the mail and nowhere else; the database has its hash.
#[derive(Clone, PartialEq, Eq)]
pub struct MailToken([u8; 32]);

impl MailToken {
    pub(crate) fn generate() -> Self {
        Self(random())
    }

    /// Reads a link's token; `None` for what no link ever held.
    pub fn parse(text: &str) -> Option<Self> {
        decode(text).map(Self)
    }

    /// The token's text.
    pub fn expose(&self) -> String {
        encode(&self.0)
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        sha256(&self.0)
    }
}

impl fmt::Debug for MailToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailToken(secret)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_is_not_told_in_debugging() {
        let token = MailToken::generate();
        assert_eq!(MailToken::parse(&token.expose()).unwrap(), token);
        assert!(!format!("{token:?}").contains(&token.expose()));
        assert!(MailToken::parse("short").is_none());
    }
}
