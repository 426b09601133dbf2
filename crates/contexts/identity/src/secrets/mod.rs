//! Secrets: made from the operating system's chance, shown once, stored as hashes, never printed.

mod api_key;
mod csrf;
mod invitation;
mod join;
mod mail;
mod session;

pub use api_key::ApiKeyToken;
pub use csrf::{CsrfSecret, CsrfToken};
pub use invitation::InvitationToken;
pub(crate) use join::JoinSecret;
pub use join::JoinToken;
pub use mail::MailToken;
pub use session::SessionToken;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::{Rng, rand_core::UnwrapErr, rngs::SysRng};
use sha2::{Digest, Sha256};

/// How many bytes of chance a secret holds.
pub(crate) const SECRET_BYTES: usize = 32;

/// 32 bytes that nobody can guess.
pub fn random() -> [u8; SECRET_BYTES] {
    let mut bytes = [0; SECRET_BYTES];
    // Without chance there are no secrets: a system that has none to give must not go on.
    UnwrapErr(SysRng).fill_bytes(&mut bytes);
    bytes
}

/// SHA-256: enough for secrets of 256 bits, which need no slow hash.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Option<[u8; SECRET_BYTES]> {
    // The length first: what is sent may be long.
    (text.len() == 43).then(|| URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()).flatten()
}
