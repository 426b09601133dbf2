//! Tokens that prove that a form came from one of Ephor's own pages.
//!
//! Each session has a secret in the database; a token is that secret under a one-time pad, so that
//! no two pages hold the same text and compression tells nothing of it (BREACH).

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;

use super::random;

/// A session's secret for forms.
#[derive(Clone, Copy)]
pub struct CsrfSecret([u8; 32]);

/// What a form carries in its field `_csrf`, or a script in the header `x-csrf-token`.
#[derive(Clone, PartialEq, Eq)]
pub struct CsrfToken(String);

impl CsrfSecret {
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// A token for one page.
    pub fn token(&self) -> CsrfToken {
        let pad = random();
        let hidden: Vec<u8> = pad.iter().zip(self.0).map(|(pad, byte)| pad ^ byte).collect();
        CsrfToken(URL_SAFE_NO_PAD.encode([&pad[..], &hidden].concat()))
    }

    /// Was the text made by [`CsrfSecret::token`] for this session? Takes the same time either way.
    pub fn verifies(&self, text: &str) -> bool {
        if text.len() != 86 {
            return false;
        }
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(text) else { return false };
        let Some((pad, hidden)) = bytes.split_at_checked(32) else { return false };
        let secret: Vec<u8> = pad.iter().zip(hidden).map(|(pad, byte)| pad ^ byte).collect();
        secret.ct_eq(&self.0).into()
    }
}

impl CsrfToken {
    /// The token's text, for a hidden field.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CsrfSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsrfSecret(secret)")
    }
}

impl fmt::Debug for CsrfToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsrfToken(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_verifies_for_its_session_only_and_differs_each_time() {
        let (mine, other) = (CsrfSecret(random()), CsrfSecret(random()));
        let (first, second) = (mine.token(), mine.token());
        assert_ne!(first, second);
        assert!(mine.verifies(first.expose()) && mine.verifies(second.expose()));
        assert!(!other.verifies(first.expose()));
    }

    #[test]
    fn what_is_no_token_does_not_verify() {
        let secret = CsrfSecret(random());
        for text in ["", "x", &"A".repeat(86), &"é".repeat(43)] {
            assert!(!secret.verifies(text), "{text}");
        }
    }
}
