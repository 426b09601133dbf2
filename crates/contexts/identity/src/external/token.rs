//! A provider's signed word (JWT): read, verified, and its claims checked.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::jwk::VerifyKey;

/// The most bytes of a token that are looked at.
const MOST_BYTES: usize = 16 * 1024;
/// How many seconds two clocks may differ.
const LEEWAY: i64 = 60;

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    crit: Option<Value>,
}

/// A token as it was sent: nothing of it is believed yet.
#[derive(Debug)]
pub(super) struct Token<'a> {
    header: Header,
    signed: &'a str,
    signature: Vec<u8>,
    claims: Claims,
}

/// Why a token is refused. It is for the log: the sender learns less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Unreadable,
    Signature,
    Issuer,
    Audience,
    Expired,
    TooEarly,
    Subject,
    Nonce,
}

impl<'a> Token<'a> {
    pub fn read(text: &'a str) -> Result<Self, Refused> {
        if text.len() > MOST_BYTES {
            return Err(Refused::Unreadable);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Refused::Unreadable)?;
        let (header, claims) = signed.split_once('.').ok_or(Refused::Unreadable)?;
        let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::Unreadable);
        let header: Header =
            serde_json::from_slice(&bytes(header)?).map_err(|_| Refused::Unreadable)?;
        // What must be understood is not; and a word that somebody logged out is no word on who they are.
        let logout = header.typ.as_deref().is_some_and(|typ| typ.to_lowercase().contains("logout"));
        if header.crit.is_some() || logout {
            return Err(Refused::Unreadable);
        }
        let claims = serde_json::from_slice(&bytes(claims)?).map_err(|_| Refused::Unreadable)?;
        Ok(Self { header, signed, signature: bytes(signature)?, claims: Claims(claims) })
    }

    /// Who it says it is from: to find the provider, and for nothing else before it is verified.
    pub fn claimed_issuer(&self) -> &str {
        self.claims.text("iss").unwrap_or_default()
    }

    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    pub fn alg(&self) -> &str {
        &self.header.alg
    }

    /// Its claims, if the key signed them.
    pub fn verified(self, key: &VerifyKey) -> Result<Claims, Refused> {
        if key.verifies(&self.header.alg, self.signed.as_bytes(), &self.signature) {
            Ok(self.claims)
        } else {
            Err(Refused::Signature)
        }
    }
}

/// What a provider says of somebody.
#[derive(Debug)]
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A claim by its path, such as `org.slug`; a name with dots in it comes first.
    pub fn at(&self, path: &str) -> Option<&str> {
        if let Some(text) = self.text(path) {
            return Some(text);
        }
        let mut parts = path.split('.');
        let first = self.0.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))?.as_str()
    }

    /// Adds what it lacks.
    pub fn or(&mut self, more: Map<String, Value>) {
        for (name, value) in more {
            self.0.entry(name).or_insert(value);
        }
    }

    pub fn subject(&self) -> &str {
        self.text("sub").unwrap_or_default()
    }

    /// Some providers write a truth as text.
    pub fn verified_email(&self) -> Option<&str> {
        let verified = match self.0.get("email_verified") {
            Some(Value::Bool(verified)) => *verified,
            Some(Value::String(text)) => text == "true",
            _ => false,
        };
        self.text("email").filter(|_| verified)
    }

    /// A name to call the person by.
    pub fn name(&self) -> Option<&str> {
        ["name", "preferred_username", "nickname"].iter().find_map(|name| self.text(name))
    }

    fn moment(&self, name: &str) -> Option<i64> {
        let value = self.0.get(name)?;
        // A cast of a float saturates.
        value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
    }

    fn audiences(&self) -> Vec<&str> {
        match self.0.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// From the right issuer, for one of these audiences, at the right time, of somebody.
    pub fn check(
        &self,
        issuer: &str,
        audiences: &[&str],
        now: DateTime<Utc>,
    ) -> Result<(), Refused> {
        let now = now.timestamp();
        if self.text("iss") != Some(issuer) {
            return Err(Refused::Issuer);
        }
        if !self.audiences().iter().any(|aud| audiences.contains(aud)) {
            return Err(Refused::Audience);
        }
        if self.moment("exp").is_none_or(|exp| exp.saturating_add(LEEWAY) <= now) {
            return Err(Refused::Expired);
        }
        let later = |name| self.moment(name).is_some_and(|at| at > now + LEEWAY);
        let unreadable = self.0.contains_key("nbf") && self.moment("nbf").is_none();
        if later("nbf") || later("iat") || unreadable {
            return Err(Refused::TooEarly);
        }
        if !(1..=255).contains(&self.subject().chars().count()) {
            return Err(Refused::Subject);
        }
        Ok(())
    }

    /// What an ID token must say beside (OpenID Connect Core, section 3.1.3.7).
    pub fn check_id_token(&self, client: &str, nonce: &str) -> Result<(), Refused> {
        let party = self.text("azp");
        if party.is_some_and(|party| party != client)
            || (self.audiences().len() > 1 && party.is_none())
        {
            return Err(Refused::Audience);
        }
        if self.text("nonce") != Some(nonce) {
            return Err(Refused::Nonce);
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(change: &[(&str, Value)]) -> Result<(), Refused> {
        let mut claims =
            json!({ "iss": "https://id", "aud": "ephor", "sub": "1", "exp": 1000, "iat": 900 });
        for (name, value) in change {
            claims[*name] = value.clone();
        }
        let claims = Claims(claims.as_object().unwrap().clone());
        claims.check("https://id", &["ephor"], DateTime::from_timestamp(950, 0).unwrap())
    }

    #[test]
    fn claims_are_checked_one_by_one() {
        assert_eq!(checked(&[]), Ok(()));
        assert_eq!(checked(&[("aud", json!(["x", "ephor"]))]), Ok(()));
        assert_eq!(checked(&[("iss", json!("https://id/"))]), Err(Refused::Issuer));
        assert_eq!(checked(&[("iss", json!(["https://id"]))]), Err(Refused::Issuer));
        assert_eq!(checked(&[("aud", json!("ephor2"))]), Err(Refused::Audience));
        assert_eq!(checked(&[("aud", json!(null))]), Err(Refused::Audience));
        assert_eq!(checked(&[("exp", json!(890))]), Err(Refused::Expired));
        assert_eq!(checked(&[("exp", json!("never"))]), Err(Refused::Expired));
        assert_eq!(checked(&[("exp", json!(null))]), Err(Refused::Expired));
        assert_eq!(checked(&[("nbf", json!(1011))]), Err(Refused::TooEarly));
        assert_eq!(checked(&[("nbf", json!("x"))]), Err(Refused::TooEarly));
        assert_eq!(checked(&[("sub", json!(""))]), Err(Refused::Subject));
    }

    #[test]
    fn an_id_token_is_for_this_client_and_this_log_in() {
        let id = |claims: Value| {
            Claims(claims.as_object().unwrap().clone()).check_id_token("ephor", "n")
        };
        assert_eq!(id(json!({ "aud": "ephor", "nonce": "n" })), Ok(()));
        assert_eq!(id(json!({ "aud": "ephor" })), Err(Refused::Nonce));
        assert_eq!(id(json!({ "aud": "ephor", "nonce": "m" })), Err(Refused::Nonce));
        assert_eq!(id(json!({ "aud": "ephor", "nonce": "n", "azp": "x" })), Err(Refused::Audience));
        assert_eq!(id(json!({ "aud": ["ephor", "x"], "nonce": "n" })), Err(Refused::Audience));
    }

    #[test]
    fn an_address_counts_when_it_is_verified() {
        let email = |verified: Value| {
            let claims = json!({ "email": "a@b", "email_verified": verified });
            Claims(claims.as_object().unwrap().clone()).verified_email().is_some()
        };
        assert!(email(json!(true)) && email(json!("true")));
        assert!(
            !email(json!(false)) && !email(json!("yes")) && !email(json!(1)) && !email(json!(null))
        );
    }

    #[test]
    fn rubbish_is_no_token() {
        for text in ["", "..", "a.b.c", "eyJhbGciOiJub25lIn0.e30", &"a".repeat(20_000)] {
            assert!(Token::read(text).is_err(), "{text}");
        }
        // {"alg":"RS256","crit":["x"]}
        assert!(Token::read("eyJhbGciOiJSUzI1NiIsImNyaXQiOlsieCJdfQ.e30.").is_err());
        // {"alg":"none"}: readable, but no key fits it.
        assert_eq!(Token::read("eyJhbGciOiJub25lIn0.e30.").unwrap().alg(), "none");
    }

    #[test]
    fn a_claim_is_found_by_its_path() {
        let claims = json!({ "org": { "slug": "acme" }, "a.b": "c" });
        let claims = Claims(claims.as_object().unwrap().clone());
        assert_eq!((claims.at("org.slug"), claims.at("a.b")), (Some("acme"), Some("c")));
        assert_eq!((claims.at("org"), claims.at("x.y")), (None, None));
    }
}
