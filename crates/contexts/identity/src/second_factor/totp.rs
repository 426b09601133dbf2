//! Codes by time: RFC 6238 with SHA-1, six digits and steps of 30 seconds, as authenticators expect.

use std::fmt;

use aws_lc_rs::hmac;
use chrono::{DateTime, Utc};
use ephor_kernel::Problem;
use subtle::ConstantTimeEq;

use crate::secrets::random;

/// A step's length in seconds.
const STEP_SECONDS: i64 = 30;
/// How many steps a phone's clock may be off, either way.
const DRIFT: i64 = 1;
/// RFC 4226 recommends 160 bits.
const SECRET_BYTES: usize = 20;

/// What codes are computed from. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct TotpSecret(Vec<u8>);

impl TotpSecret {
    pub(crate) fn generate() -> Self {
        Self(random()[..SECRET_BYTES].to_vec())
    }

    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As people type it into an authenticator: base 32.
    pub(crate) fn text(&self) -> String {
        base32(&self.0)
    }

    /// What the QR code holds.
    pub(crate) fn url(&self, issuer: &str, account: &str) -> Result<String, Problem> {
        let mut url = reqwest::Url::parse("otpauth://totp/").map_err(|_| Problem::internal())?;
        url.set_path(&format!("/{issuer}:{account}"));
        url.query_pairs_mut()
            .append_pair("secret", &self.text())
            .append_pair("issuer", issuer)
            .append_pair("algorithm", "SHA1")
            .append_pair("digits", "6")
            .append_pair("period", "30");
        Ok(url.into())
    }

    /// The step that a code is of, if it is of the present one or a neighbour. All are compared, so
    /// that the time taken tells nothing.
    pub(crate) fn step_of(&self, code: u32, now: DateTime<Utc>) -> Option<i64> {
        let present = now.timestamp().div_euclid(STEP_SECONDS);
        let mut found = None;
        for step in (present - DRIFT)..=(present + DRIFT) {
            let Ok(counter) = u64::try_from(step) else { continue };
            if bool::from(self.code(counter).ct_eq(&code)) {
                found = Some(step);
            }
        }
        found
    }

    /// RFC 4226, section 5.3.
    fn code(&self, counter: u64) -> u32 {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = hmac::sign(&key, &counter.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag.last().copied().unwrap_or(0) & 0x0f);
        let word = tag.iter().skip(offset).take(4);
        let binary = word.fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) & 0x7fff_ffff;
        binary % 1_000_000
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(secret)")
    }
}

/// RFC 4648 base 32, without padding.
pub(super) fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    for chunk in bytes.chunks(5) {
        let mut word = [0; 5];
        word[..chunk.len()].copy_from_slice(chunk);
        let bits = word.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        for place in 0..(chunk.len() * 8).div_ceil(5) {
            let index = usize::try_from(bits >> (35 - 5 * place) & 31).unwrap_or(0);
            text.push(char::from(ALPHABET[index]));
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    /// RFC 6238, appendix B (its eight digits, of which six are the last six).
    #[test]
    fn the_vectors_of_rfc_6238_hold() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890".to_vec());
        for (seconds, code) in [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ] {
            let code = code % 1_000_000;
            assert_eq!(secret.step_of(code, at(seconds)), Some(seconds / 30), "{seconds}");
            assert_eq!(secret.step_of(code, at(seconds + 30)), Some(seconds / 30), "{seconds}");
            assert_eq!(secret.step_of(code, at(seconds + 90)), None, "{seconds}");
        }
    }

    /// RFC 4226, appendix D.
    #[test]
    fn the_vectors_of_rfc_4226_hold() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890".to_vec());
        let codes = [755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583];
        for (counter, code) in (0..).zip(codes) {
            assert_eq!(secret.code(counter), code, "{counter}");
        }
    }

    /// RFC 4648, section 10.
    #[test]
    fn the_vectors_of_rfc_4648_hold() {
        for (bytes, text) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn the_address_names_issuer_and_account() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890".to_vec());
        let url = secret.url("Ephor", "ada+x@example.org").unwrap();
        assert_eq!(
            url,
            "otpauth://totp/Ephor:ada+x@example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Ephor&algorithm=SHA1&digits=6&period=30"
        );
        assert!(!format!("{secret:?}").contains("1234"));
    }
}
