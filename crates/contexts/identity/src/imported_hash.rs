//! Hashes of passwords that came from another system: bcrypt and scrypt. They are read, never made.
//!
//! The bounds on what they cost are kept by the database too, which refuses dearer ones where they are
//! imported (`identity.users_password_hash_check`): at log-in there is nobody left to tell.

use argon2::password_hash::{PasswordVerifier, phc::PasswordHash};

/// The dearest bcrypt that is computed: 2^14 rounds take about a second.
const MAX_BCRYPT_COST: u32 = 14;

/// How many bytes of a password bcrypt reads.
const BCRYPT_READS: usize = 72;

/// The most memory that scrypt may ask for, in bytes: the dearest that OWASP advises (N = 2^17, r = 8).
const MAX_SCRYPT_BYTES: u64 = 128 << 20;

/// The most work that it may ask for: bytes of memory times how often they are gone through. OWASP's
/// settings of less memory go through it more often, and all lie within it.
const MAX_SCRYPT_WORK: u64 = 128 << 20;

/// Whether a password fits a stored hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    Right,
    Wrong,
    /// The hash is broken, or asks for more than the bounds allow.
    Unreadable,
}

impl From<bool> for Fit {
    fn from(fits: bool) -> Self {
        if fits { Self::Right } else { Self::Wrong }
    }
}

/// Is the hash of a kind that is replaced once its password is known?
pub(crate) fn is_imported(stored: &str) -> bool {
    is_bcrypt(stored) || is_scrypt(stored)
}

/// May the password that fits an imported hash be hashed anew in its place?
///
/// Not if bcrypt did not read all of it: what was typed behind its 72nd byte was never checked, and
/// would be a part of the password from then on. Of 72 bytes nobody can tell whether the password goes
/// on. Hashing the first 72 bytes alone would need a mark that says so, for ever; so the hash of
/// bcrypt stays, and opens what it opened, until a new password is set.
pub(crate) fn replaceable(password: &[u8], stored: &str) -> bool {
    is_scrypt(stored) || (is_bcrypt(stored) && password.len() < BCRYPT_READS)
}

/// Does the password fit an imported hash?
pub(crate) fn verify(password: &[u8], stored: &str) -> Fit {
    if is_bcrypt(stored) { bcrypt(password, stored) } else { scrypt(password, stored) }
}

fn is_bcrypt(stored: &str) -> bool {
    ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|kind| stored.starts_with(kind))
}

fn is_scrypt(stored: &str) -> bool {
    stored.starts_with("$scrypt$")
}

/// Reads the first 72 bytes of a password, as every bcrypt does.
fn bcrypt(password: &[u8], stored: &str) -> Fit {
    let cost = stored.get(4..6).and_then(|cost| cost.parse::<u32>().ok());
    if cost.is_none_or(|cost| cost > MAX_BCRYPT_COST) {
        return Fit::Unreadable;
    }
    bcrypt::verify(password, stored).map_or(Fit::Unreadable, Fit::from)
}

fn scrypt(password: &[u8], stored: &str) -> Fit {
    let Ok(parsed) = PasswordHash::new(stored) else { return Fit::Unreadable };
    let [Some(log_n), Some(r), Some(p)] =
        ["ln", "r", "p"].map(|name| parsed.params.get_decimal(name))
    else {
        return Fit::Unreadable;
    };
    // RFC 7914, section 2: the large table is of 128 * r * N bytes, and is gone through p times.
    let bytes = 1_u64.checked_shl(log_n).and_then(|n| n.checked_mul(128 * u64::from(r)));
    let work = bytes.and_then(|bytes| bytes.checked_mul(p.into()));
    if bytes.is_none_or(|bytes| bytes > MAX_SCRYPT_BYTES)
        || work.is_none_or(|work| work > MAX_SCRYPT_WORK)
    {
        return Fit::Unreadable;
    }
    Fit::from(scrypt::Scrypt::new().verify_password(password, &parsed).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From `crypt_blowfish`'s own tests, and passlib's documentation.
    const VECTORS: [(&str, &str); 5] = [
        ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        ("U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
        ("U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
        ("U*U*U", "$2y$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
        (
            "password",
            "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
        ),
    ];

    #[test]
    fn published_vectors_fit_and_other_passwords_do_not() {
        for (password, stored) in VECTORS {
            assert!(is_imported(stored), "{stored}");
            assert_eq!(verify(password.as_bytes(), stored), Fit::Right, "{stored}");
            assert_eq!(verify(b"another", stored), Fit::Wrong, "{stored}");
        }
        assert!(!is_imported("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA"));
    }

    #[test]
    fn what_is_broken_or_too_dear_is_not_computed() {
        for stored in [
            "$2b$15$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$scrypt$ln=18,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
            "$scrypt$ln=17,r=8,p=2$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
            "$scrypt$ln=4,r=1,p=4000000000$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
            "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$",
            "$2b$05$short",
            "$2b$\u{e4}\u{f6}$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$scrypt$",
            "$scrypt$ln=30,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
            "$scrypt$ln=10,r=65536,p=65536$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
            "$scrypt$ln=16,r=4000000000,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
        ] {
            assert_eq!(verify(b"U*U", stored), Fit::Unreadable, "{stored}");
        }
    }

    #[test]
    fn what_bcrypt_did_not_read_is_not_taken_over() {
        let (bcrypt, scrypt) = (VECTORS[0].1, VECTORS[4].1);
        assert!(replaceable(&[b'a'; 71], bcrypt));
        for length in [72, 73, 1000] {
            assert!(!replaceable(&vec![b'a'; length], bcrypt), "{length}");
        }
        assert!(replaceable(&[b'a'; 1000], scrypt), "scrypt reads all of it");
        assert!(!replaceable(b"short", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA"));
    }
}
