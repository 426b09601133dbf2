//! What a provider publishes of itself (OpenID Connect Discovery), and its keys, remembered.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

use super::{
    config::is_address,
    http::Http,
    jwk::{JwkSet, VerifyKey, is_signature},
};

/// How long what was read is taken for current.
const FRESH: Duration = Duration::from_hours(1);
/// How long an unknown key's name is not asked for again.
const UNKNOWN: Duration = Duration::from_mins(1);
/// How long a provider that failed is left alone.
const FAILED: Duration = Duration::from_secs(10);

/// A provider's addresses.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Metadata {
    issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    pub userinfo_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Metadata {
    /// Does the client say its secret in a header? That is what providers do unless they say otherwise.
    pub fn takes_basic(&self) -> bool {
        self.token_endpoint_auth_methods_supported
            .as_ref()
            .is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"))
    }

    fn check(self, issuer: &str) -> Result<Self, String> {
        if self.issuer != issuer {
            return Err("it says that it is another issuer".to_owned());
        }
        let plain = |url: &str| url.starts_with("http://");
        let mut addresses =
            vec![&self.authorization_endpoint, &self.token_endpoint, &self.jwks_uri];
        addresses.extend(&self.userinfo_endpoint);
        for address in addresses {
            let bare = address.split('?').next().unwrap_or_default();
            if !is_address(bare) || (plain(address) && !plain(issuer)) {
                return Err(format!("its address {address} is not encrypted"));
            }
        }
        Ok(self)
    }
}

/// What is remembered of a provider.
#[derive(Debug, Clone)]
struct Known {
    at: Instant,
    metadata: Arc<Metadata>,
    keys: Arc<Vec<VerifyKey>>,
}

#[derive(Debug, Default)]
struct Asked {
    /// When a key's name was last unknown, and the keys were read for it.
    unknown: Option<Instant>,
    failed: Option<Instant>,
}

#[derive(Debug)]
pub(super) struct Discovery {
    http: Http,
    issuer: String,
    known: RwLock<Option<Known>>,
    /// Held while reading: one reads, the others wait for what it finds.
    asked: Mutex<Asked>,
}

impl Discovery {
    pub fn new(http: Http, issuer: &str) -> Self {
        Self { http, issuer: issuer.to_owned(), known: RwLock::default(), asked: Mutex::default() }
    }

    pub async fn metadata(&self) -> Result<Arc<Metadata>, String> {
        Ok(self.known().await?.metadata)
    }

    /// The key that a token says it is signed with; `None` when the provider has no such key. An
    /// unknown name makes the keys be read anew, once a minute at most.
    pub async fn key(
        &self,
        kid: Option<&str>,
        alg: &str,
    ) -> Result<Option<(Arc<Vec<VerifyKey>>, usize)>, String> {
        let known = self.known().await?;
        if let Some(place) = find(&known.keys, kid, alg) {
            return Ok(Some((known.keys, place)));
        }
        // Nothing that could be read would make these good.
        let named = kid.is_some() && known.keys.iter().any(|key| key.kid.as_deref() == kid);
        if named || kid.is_none() || !is_signature(alg) {
            return Ok(None);
        }
        let mut asked = self.asked.lock().await;
        let now = Instant::now();
        let lately = asked.unknown.is_some_and(|at| now.duration_since(at) < UNKNOWN);
        // Another may have read them while this one waited.
        let current = self.remembered();
        let newer = current.as_ref().is_some_and(|current| current.at > known.at);
        let known = if newer {
            current.unwrap_or(known)
        } else if lately {
            return Ok(None);
        } else {
            asked.unknown = Some(now);
            self.read(&mut asked).await?
        };
        Ok(find(&known.keys, kid, alg).map(|place| (known.keys, place)))
    }

    fn remembered(&self) -> Option<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn known(&self) -> Result<Known, String> {
        let fresh = |known: &Known| known.at.elapsed() < FRESH;
        if let Some(known) = self.remembered().filter(fresh) {
            return Ok(known);
        }
        let mut asked = self.asked.lock().await;
        let known = self.remembered();
        if let Some(known) = known.clone().filter(fresh) {
            return Ok(known);
        }
        match (self.read(&mut asked).await, known) {
            // What was known an hour ago is better than nothing.
            (Err(error), Some(known)) => {
                tracing::warn!(issuer = self.issuer, error, "a provider could not be read anew");
                Ok(known)
            }
            (read, _) => read,
        }
    }

    async fn read(&self, asked: &mut Asked) -> Result<Known, String> {
        if asked.failed.is_some_and(|at| at.elapsed() < FAILED) {
            return Err("it failed a moment ago".to_owned());
        }
        match self.fetch().await {
            Ok(known) => {
                asked.failed = None;
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known.clone());
                Ok(known)
            }
            Err(error) => {
                asked.failed = Some(Instant::now());
                Err(error)
            }
        }
    }

    async fn fetch(&self) -> Result<Known, String> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let metadata: Metadata = self.http.get(&url, None).await?;
        let metadata = metadata.check(&self.issuer)?;
        let keys: JwkSet = self.http.get(&metadata.jwks_uri, None).await?;
        let keys = Arc::new(keys.keys());
        Ok(Known { at: Instant::now(), metadata: Arc::new(metadata), keys })
    }
}

/// By its name; without one, the only key that fits.
fn find(keys: &[VerifyKey], kid: Option<&str>, alg: &str) -> Option<usize> {
    let mut fitting = keys.iter().enumerate().filter(|(_, key)| key.fits(alg));
    if kid.is_some() {
        return fitting.find(|(_, key)| key.kid.as_deref() == kid).map(|(place, _)| place);
    }
    let (place, _) = fitting.next()?;
    fitting.next().is_none().then_some(place)
}
