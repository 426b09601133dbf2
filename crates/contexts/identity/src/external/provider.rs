//! A provider that Ephor knows: how it is described, and what it said of itself.

use serde::Serialize;

use super::{
    config::ProviderConfig,
    discovery::Discovery,
    http::Http,
    token::{Claims, Refused, Token},
};
use crate::identity::Identity;

/// A configured provider.
#[derive(Debug)]
pub struct Provider {
    pub(super) config: ProviderConfig,
    pub(super) secret: secrecy::SecretString,
    pub(super) http: Http,
    pub(super) discovery: Discovery,
}

/// A button on the sign-in page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProviderOffer {
    /// Its name in addresses.
    pub name: String,
    /// The words on the button.
    pub label: String,
    /// Where a browser begins.
    pub path: String,
}

/// Why a token was not taken.
#[derive(Debug)]
pub(super) enum NotTaken {
    /// It is not good.
    Refused(Refused),
    /// The provider's keys could not be read.
    Unavailable(String),
}

impl Provider {
    /// As configured. Nothing is asked of the provider before somebody comes by it.
    ///
    /// # Errors
    /// When the file with the client secret cannot be read, or no HTTP client can be made.
    pub fn new(config: ProviderConfig) -> std::io::Result<Self> {
        let secret = config.secret()?;
        let http = Http::new().map_err(std::io::Error::other)?;
        let discovery = Discovery::new(http.clone(), &config.issuer);
        Ok(Self { config, secret, http, discovery })
    }

    /// Its words on buttons.
    pub(super) fn label(&self) -> &str {
        if self.config.label.is_empty() { &self.config.name } else { &self.config.label }
    }

    /// The claims of a token that a key of the provider signed.
    pub(super) async fn verified(&self, token: Token<'_>) -> Result<Claims, NotTaken> {
        let key = self.discovery.key(token.kid(), token.alg()).await;
        let Some((keys, place)) = key.map_err(NotTaken::Unavailable)? else {
            return Err(NotTaken::Refused(Refused::Signature));
        };
        token.verified(&keys[place]).map_err(NotTaken::Refused)
    }
}

impl Identity {
    /// The providers that one can log in with.
    pub fn provider_offers(&self) -> Vec<ProviderOffer> {
        self.parts()
            .providers
            .iter()
            .filter(|provider| provider.config.log_in)
            .map(|provider| ProviderOffer {
                name: provider.config.name.clone(),
                label: provider.label().to_owned(),
                path: format!("/sign-in/with/{}", provider.config.name),
            })
            .collect()
    }
}
