//! Recovery codes: for whoever lost the phone. Each works once; only hashes are kept.

use super::totp::base32;
use crate::secrets::{random, sha256};

/// How many are given at a time.
const CODES: usize = 10;
/// 80 bits each: no slow hash is needed.
const BYTES: usize = 10;

/// New codes, as they are shown once, and what is kept of them.
pub(super) fn generate() -> (Vec<String>, Vec<Vec<u8>>) {
    (0..CODES)
        .map(|_| {
            let text = base32(&random()[..BYTES]);
            let hash = sha256(text.as_bytes()).to_vec();
            (grouped(&text), hash)
        })
        .unzip()
}

/// The hash of what somebody typed, if it can be such a code: case, blanks and hyphens do not count.
pub(super) fn hash(typed: &str) -> Option<[u8; 32]> {
    let text: String = typed
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .map(|c| c.to_ascii_uppercase())
        .take(BYTES * 8 / 5 + 1)
        .collect();
    let known = |c: char| c.is_ascii_uppercase() || ('2'..='7').contains(&c);
    (text.len() == BYTES * 8 / 5 && text.chars().all(known)).then(|| sha256(text.as_bytes()))
}

fn grouped(text: &str) -> String {
    let groups: Vec<String> = text
        .as_bytes()
        .chunks(4)
        .map(|group| String::from_utf8_lossy(group).into_owned())
        .collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_known_however_it_is_typed() {
        let (shown, kept) = generate();
        assert_eq!((shown.len(), kept.len()), (10, 10));
        for (shown, kept) in shown.iter().zip(&kept) {
            assert_eq!(shown.len(), 19);
            assert_eq!(hash(shown).map(|hash| hash.to_vec()).as_ref(), Some(kept));
            let typed = shown.to_lowercase().replace('-', " ");
            assert_eq!(hash(&typed).map(|hash| hash.to_vec()).as_ref(), Some(kept));
        }
        for none in ["", "123456", "AAAA-AAAA-AAAA-AAA1", "AAAA-AAAA-AAAA-AAAAA"] {
            assert_eq!(hash(none), None, "{none}");
        }
    }
}
