//! Passwords: what makes one acceptable, and how it is hashed (argon2id) and checked.

use std::{fmt, sync::Arc};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use ephor_kernel::{Fault, Problem};
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::{
    email::Email,
    imported_hash::{self, Fit},
};

/// The fewest characters of a password.
pub const MIN_CHARACTERS: usize = 10;
/// The most bytes of a password: hashing reads them all.
pub const MAX_BYTES: usize = 1000;

/// The most memory that a hash made elsewhere may ask for, in KiB, unless ours ask for more.
const MAX_ARGON2_KIB: u32 = 256 << 10;
/// The most work that it may ask for: KiB of memory times passes, likewise.
const MAX_ARGON2_WORK: u64 = 1 << 20;

/// Passwords that are tried first, of at least [`MIN_CHARACTERS`] characters, one a line.
const COMMON: &str = include_str!("common_passwords.txt");

/// A password as somebody typed it. It is never printed.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// Takes over what was typed.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(secret)")
    }
}

/// What is wrong with a new password: every fault at once, none if it will do.
///
/// Length counts more than variety (NIST SP 800-63B): there are no rules on digits and signs.
pub fn faults(password: &Password, email: &Email) -> Vec<Fault> {
    let text = password.0.as_str();
    let fault = |code: &'static str, message: &'static str| {
        Fault::new("/password", code, message).hint("four or five unrelated words make a good one")
    };
    let mut faults = Vec::new();
    if text.chars().count() < MIN_CHARACTERS {
        faults.push(fault("too_short", "A password needs at least 10 characters"));
    }
    if text.len() > MAX_BYTES {
        faults.push(fault("too_long", "A password has at most 1000 bytes"));
        return faults;
    }
    let lower = text.to_lowercase();
    let name = email.as_str().split('@').next().unwrap_or_default();
    if lower == email.as_str() || (name.chars().count() >= MIN_CHARACTERS && lower == name) {
        faults.push(fault("is_email", "A password must not be the e-mail address"));
    }
    let common = COMMON.lines().any(|line| line == lower);
    let distinct = lower.chars().collect::<std::collections::BTreeSet<_>>().len();
    if !lower.is_empty() && (common || distinct < 4) {
        faults.push(fault("common", "This password is among the first that anybody would try"));
    }
    faults
}

/// Hashes and checks passwords, so many at a time that memory and processors suffice.
#[derive(Clone)]
pub struct Hasher {
    argon2: Argon2<'static>,
    places: Arc<Semaphore>,
    /// Checked for addresses that have no account, so that the answer takes as long.
    decoy: Arc<str>,
}

impl Hasher {
    /// A hasher of the given cost: memory in KiB, passes, and how many hashes run at once.
    ///
    /// # Errors
    /// When argon2 does not allow the cost (below 8 KiB of memory, or no pass).
    pub fn new(memory_kib: u32, passes: u32, at_once: usize) -> Result<Self, Problem> {
        let params = Params::new(memory_kib, passes, 1, None).map_err(|error| {
            tracing::error!(%error, memory_kib, passes, "the password cost is not allowed");
            Problem::internal()
        })?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = hash(&argon2, &crate::secrets::random())?.into();
        Ok(Self { argon2, places: Arc::new(Semaphore::new(at_once.max(1))), decoy })
    }

    /// A hash that fits no password: for accounts that have none.
    pub fn unusable(&self) -> &str {
        &self.decoy
    }

    /// The hash of a new password, in PHC format.
    pub async fn hash(&self, password: &Password) -> Result<String, Problem> {
        let (argon2, password) = (self.argon2.clone(), password.clone());
        self.run(move || hash(&argon2, password.bytes())).await?
    }

    /// Does the password fit the hash? Without a hash the answer is no, after the same work; a no is
    /// never cheaper than one to a hash of our own.
    pub async fn verify(&self, password: &Password, stored: Option<&str>) -> Result<bool, Problem> {
        // Longer than any password that was ever accepted: not worth reading.
        let known = stored.is_some() && password.0.len() <= MAX_BYTES;
        let stored: Arc<str> =
            stored.filter(|_| known).map_or_else(|| self.decoy.clone(), Arc::from);
        let password = if known { password.clone() } else { Password::new("") };
        let (argon2, decoy) = (self.argon2.clone(), self.decoy.clone());
        let fits = self.run(move || fit(&argon2, password.bytes(), &stored, &decoy)).await?;
        if fits == Fit::Unreadable {
            tracing::error!("a stored password hash cannot be read");
        }
        Ok(fits == Fit::Right && known)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let Ok(place) = self.places.clone().acquire_owned().await else {
            return Err(Problem::internal());
        };
        // The place goes along: a caller that hangs up does not free what still computes.
        tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        })
        .await
        .map_err(|error| {
            tracing::error!(%error, "hashing a password was broken off");
            Problem::internal()
        })
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("params", self.argon2.params()).finish_non_exhaustive()
    }
}

fn fit(argon2: &Argon2<'_>, password: &[u8], stored: &str, decoy: &str) -> Fit {
    if !imported_hash::is_imported(stored) {
        let fits = fit_argon2(argon2, password, stored);
        if fits == Fit::Unreadable {
            spend(argon2, password, decoy);
        }
        return fits;
    }
    let fits = imported_hash::verify(password, stored);
    // A cheap hash must not be told by a quick refusal. Who is right is hashed anew in any case.
    if fits != Fit::Right {
        spend(argon2, password, decoy);
    }
    fits
}

fn fit_argon2(argon2: &Argon2<'_>, password: &[u8], stored: &str) -> Fit {
    match PasswordHash::new(stored) {
        Ok(parsed) if affordable(argon2.params(), &parsed) => {
            argon2.verify_password(password, &parsed).is_ok().into()
        }
        _ => Fit::Unreadable,
    }
}

/// The work of one hash of our own, for nothing but its time.
fn spend(argon2: &Argon2<'_>, password: &[u8], decoy: &str) {
    let _ = std::hint::black_box(fit_argon2(argon2, password, decoy));
}

/// May a hash be computed? One that was made elsewhere says itself how much it costs.
fn affordable(own: &Params, stored: &PasswordHash) -> bool {
    let work = |params: &Params| u64::from(params.m_cost()) * u64::from(params.t_cost());
    Params::try_from(stored).is_ok_and(|asked| {
        asked.m_cost() <= own.m_cost().max(MAX_ARGON2_KIB)
            && work(&asked) <= work(own).max(MAX_ARGON2_WORK)
    })
}

fn hash(argon2: &Argon2<'_>, password: &[u8]) -> Result<String, Problem> {
    argon2.hash_password(password).map(|hash| hash.to_string()).map_err(|error| {
        tracing::error!(%error, "a password could not be hashed");
        Problem::internal()
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn codes(password: &str) -> Vec<String> {
        let email = Email::parse("ada.lovelace@example.org").unwrap();
        faults(&Password::new(password), &email).into_iter().map(|f| f.code.into_owned()).collect()
    }

    #[test]
    fn passwords_that_anybody_would_try_are_refused() {
        assert_eq!(codes("short"), ["too_short"]);
        assert_eq!(codes("Password123"), ["common"]);
        assert_eq!(codes("ababababababab"), ["common"]);
        assert_eq!(codes("Ada.Lovelace@Example.org"), ["is_email"]);
        assert_eq!(codes("ada.lovelace"), ["is_email"]);
        assert_eq!(codes(&"long".repeat(300)), ["too_long"]);
        assert_eq!(codes("aaa"), ["too_short", "common"]);
    }

    #[test]
    fn passwords_of_enough_characters_will_do() {
        for password in ["correct horse battery", "zehnäöüß-ja", "пароль-очень-длинный"]
        {
            assert!(codes(password).is_empty(), "{password}");
        }
    }

    #[test]
    fn the_common_list_holds_what_could_otherwise_pass() {
        for line in COMMON.lines() {
            assert!(
                line.chars().count() >= MIN_CHARACTERS && line == line.to_lowercase(),
                "{line}"
            );
        }
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let hasher = Hasher::new(64, 1, 2).unwrap();
        let right = Password::new("correct horse battery");
        let stored = hasher.hash(&right).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{stored}");
        assert!(hasher.verify(&right, Some(&stored)).await.unwrap());
        assert!(!hasher.verify(&Password::new("wrong"), Some(&stored)).await.unwrap());
        assert!(!hasher.verify(&right, None).await.unwrap());
        assert!(!hasher.verify(&Password::new(""), None).await.unwrap());
        assert!(!hasher.verify(&right, Some("rubbish")).await.unwrap());
    }

    #[test]
    fn a_hash_that_asks_for_too_much_is_not_computed() {
        let argon2 = Hasher::new(64, 1, 1).unwrap().argon2;
        for cost in ["m=4194304,t=1,p=1", "m=65536,t=1000,p=1", "m=8,t=4294967295,p=1"] {
            let stored = format!("$argon2id$v=19${cost}$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA");
            assert_eq!(fit_argon2(&argon2, b"right", &stored), Fit::Unreadable, "{cost}");
        }
        let dear = Params::new(1 << 20, 4, 1, None).unwrap();
        let own = "$argon2id$v=19$m=1048576,t=4,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA";
        assert!(affordable(&dear, &PasswordHash::new(own).unwrap()), "what we ask for ourselves");
    }

    #[test]
    fn debugging_does_not_tell_it() {
        assert_eq!(format!("{:?}", Password::new("correct horse")), "Password(secret)");
    }
}
