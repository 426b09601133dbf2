//! What somebody types as the second step: a code of the authenticator, or a recovery code.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{recovery, totp::TotpSecret};

/// A code as it was typed. It is never printed.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct SecondFactorCode(String);

/// What a code proves, for the door to use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Used {
    /// The step of a code of the authenticator.
    Step(i64),
    /// The hash of a recovery code, which the database knows or not.
    Recovery([u8; 32]),
}

impl Used {
    pub(crate) fn step(self) -> Option<i64> {
        if let Self::Step(step) = self { Some(step) } else { None }
    }

    pub(crate) fn recovery(self) -> Option<Vec<u8>> {
        if let Self::Recovery(hash) = self { Some(hash.to_vec()) } else { None }
    }
}

impl SecondFactorCode {
    /// Takes over what was typed.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Six digits, blanks aside.
    fn digits(&self) -> Option<u32> {
        let text: String = self.0.chars().filter(|c| !c.is_whitespace()).take(7).collect();
        (text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse().ok())
            .flatten()
    }

    /// What it proves; `None` for a code that is wrong in any case.
    pub(super) fn used(&self, secret: &TotpSecret, now: DateTime<Utc>) -> Option<Used> {
        match self.digits() {
            Some(code) => secret.step_of(code, now).map(Used::Step),
            None => recovery::hash(&self.0).map(Used::Recovery),
        }
    }
}

impl fmt::Debug for SecondFactorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecondFactorCode(secret)")
    }
}
