//! A session's secret: what the cookie holds.

use std::fmt;

use super::{decode, encode, random, sha256};

/// The secret of a session. Its text goes to the browser, its hash to the database.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken([u8; 32]);

impl SessionToken {
    /// A new secret.
    pub(crate) fn generate() -> Self {
        Self(random())
    }

    /// Reads a cookie's value; `None` for what no session ever had.
    pub fn parse(text: &str) -> Option<Self> {
        decode(text).map(Self)
    }

    /// The cookie's value.
    pub fn expose(&self) -> String {
        encode(&self.0)
    }

    /// What the database knows it by.
    pub(crate) fn hash(&self) -> [u8; 32] {
        sha256(&self.0)
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(secret)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_reads_back_and_nothing_else_does() {
        let token = SessionToken::generate();
        assert_eq!(SessionToken::parse(&token.expose()).unwrap(), token);
        for text in ["", "x", &"é".repeat(30), &"A".repeat(44), &format!("{}=", token.expose())] {
            assert!(SessionToken::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn debugging_does_not_tell_it() {
        let token = SessionToken::generate();
        assert!(!format!("{token:?}").contains(&token.expose()));
    }
}
