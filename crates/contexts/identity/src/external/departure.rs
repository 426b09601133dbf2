//! The way to a provider and back: authorization code, PKCE, state and nonce. What is remembered
//! between the two lies sealed in a cookie of the browser that left, so that no other can come back.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ephor_kernel::{Code, Problem, RequestContext, UserId};
use http::{HeaderMap, HeaderValue};
use reqwest::Url;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::{
    admit::Admitted,
    http::unavailable,
    provider::{NotTaken, Provider},
    token::{Claims, Token},
};
use crate::{
    cookie,
    identity::Identity,
    second_factor::LoggedIn,
    secrets::{encode, random, sha256},
    session::{CurrentSession, OpenProven},
    throttle::Attempt,
};

const PURPOSE: &str = "departure";
const GOOD_FOR: i64 = 600;

#[derive(Serialize, Deserialize)]
struct Memory {
    provider: String,
    state: String,
    nonce: String,
    verifier: String,
    next: String,
    link_to: Option<Uuid>,
    until: i64,
}

/// Where to send the browser, and the cookie to send along.
#[derive(Debug, Clone)]
pub struct Departure {
    /// An address at the provider.
    pub location: String,
    /// The `Set-Cookie` header.
    pub cookie: HeaderValue,
}

/// What a browser brings back.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Callback {
    /// The authorization code.
    pub code: Option<String>,
    /// The state that it left with.
    pub state: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
    /// Who answers (RFC 9207).
    pub iss: Option<String>,
}

/// Back again.
#[derive(Debug, Clone)]
pub enum Arrival {
    /// Logged in, or half.
    LoggedIn(LoggedIn, String),
    /// Linked to the account that was signed in.
    Linked,
}

/// The `Set-Cookie` header that forgets a departure.
pub fn departure_cookie(secure: bool, value: &str, seconds: i64) -> HeaderValue {
    cookie::short_lived(secure, cookie::DEPARTURE, value, seconds)
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    #[serde(default)]
    access_token: Option<String>,
}

impl Identity {
    fn provider(&self, name: &str) -> Result<&Provider, Problem> {
        self.parts()
            .providers
            .iter()
            .find(|provider| provider.config.name == name && provider.config.log_in)
            .ok_or_else(|| Problem::not_found("provider"))
    }

    fn return_address(&self, provider: &Provider) -> String {
        let base = self.config().public_url.as_deref().unwrap_or_default().trim_end_matches('/');
        format!("{base}/sign-in/with/{}/callback", provider.config.name)
    }

    /// Begins a log-in at a provider; with `link_to`, of somebody who is signed in and wants to be known
    /// by it. `next` is a page of ours to go on to.
    ///
    /// # Errors
    /// `not_found` for no provider, `unavailable` when it does not answer.
    pub async fn external_begin(
        &self,
        name: &str,
        next: &str,
        link_to: Option<UserId>,
    ) -> Result<Departure, Problem> {
        let provider = self.provider(name)?;
        let metadata = provider
            .discovery
            .metadata()
            .await
            .map_err(|cause| unavailable(provider.label(), &cause))?;
        let memory = Memory {
            provider: name.to_owned(),
            state: encode(&random()),
            nonce: encode(&random()),
            verifier: encode(&random()),
            next: next.chars().take(500).collect(),
            link_to: link_to.map(Uuid::from),
            until: self.parts().clock.now().timestamp() + GOOD_FOR,
        };
        let mut location =
            Url::parse(&metadata.authorization_endpoint).map_err(|_| Problem::internal())?;
        location
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &provider.config.client_id)
            .append_pair("redirect_uri", &self.return_address(provider))
            .append_pair("scope", &provider.config.scopes.join(" "))
            .append_pair("state", &memory.state)
            .append_pair("nonce", &memory.nonce)
            .append_pair(
                "code_challenge",
                &URL_SAFE_NO_PAD.encode(sha256(memory.verifier.as_bytes())),
            )
            .append_pair("code_challenge_method", "S256");
        let value = self.parts().vault.seal_text(PURPOSE, &memory)?;
        Ok(Departure {
            location: location.into(),
            cookie: departure_cookie(self.config().secure_cookies, &value, GOOD_FOR),
        })
    }

    /// Ends it: the code is redeemed, the provider's word verified, the account found or made.
    ///
    /// # Errors
    /// `cross_site` for an answer to no question of this browser, `unauthenticated` for a word that
    /// is not good, `forbidden` or `conflict` by policy, `unavailable`, `rate_limited`.
    pub async fn external_finish(
        &self,
        request: &RequestContext,
        headers: &HeaderMap,
        name: &str,
        callback: &Callback,
        current: Option<&CurrentSession>,
    ) -> Result<Arrival, Problem> {
        let most = self.config().log_ins_per_address;
        self.count_from_address(request, Attempt::Address, most).await?;
        let provider = self.provider(name)?;
        let secure = self.config().secure_cookies;
        let now = self.parts().clock.now();
        let memory: Memory = cookie::values(headers, secure, cookie::DEPARTURE)
            .find_map(|value| self.parts().vault.open_text(PURPOSE, value))
            .filter(|memory: &Memory| memory.provider == name && now.timestamp() < memory.until)
            .ok_or_else(astray)?;
        let state = callback.state.as_deref().unwrap_or_default();
        if !bool::from(state.as_bytes().ct_eq(memory.state.as_bytes())) {
            return Err(astray());
        }
        if callback.iss.as_deref().is_some_and(|issuer| issuer != provider.config.issuer) {
            return Err(astray());
        }
        let Some(code) = callback.code.as_deref().filter(|_| callback.error.is_none()) else {
            tracing::info!(provider = name, error = callback.error, "a provider gave no code");
            return Err(Problem::new(
                Code::Forbidden,
                format!(
                    "{} did not let you in; try again, or log in another way",
                    provider.label()
                ),
            ));
        };
        let link_to = memory.link_to.map(UserId::from);
        if link_to.is_some() && current.map(|session| session.user) != link_to {
            return Err(astray());
        }
        let claims = self.redeemed(provider, code, &memory).await?;
        let Admitted { user, identity, email } =
            self.identity_admit(request, provider, &claims, link_to).await?;
        if link_to.is_some() {
            return Ok(Arrival::Linked);
        }
        let session = OpenProven { user, identity, email: &email };
        Ok(Arrival::LoggedIn(self.session_open_proven(request, session).await?, memory.next))
    }

    /// The claims of the ID token that the provider gives for a code.
    async fn redeemed(
        &self,
        provider: &Provider,
        code: &str,
        memory: &Memory,
    ) -> Result<Claims, Problem> {
        let label = provider.label();
        let metadata =
            provider.discovery.metadata().await.map_err(|cause| unavailable(label, &cause))?;
        let client = provider.config.client_id.as_str();
        let secret = provider.secret.expose_secret();
        let address = self.return_address(provider);
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &address),
            ("code_verifier", &memory.verifier),
        ];
        let basic = (!secret.is_empty() && metadata.takes_basic()).then_some((client, secret));
        if basic.is_none() {
            fields.push(("client_id", client));
            if !secret.is_empty() {
                fields.push(("client_secret", secret));
            }
        }
        let tokens: Tokens = provider
            .http
            .post(&metadata.token_endpoint, &fields, basic)
            .await
            .map_err(|cause| unavailable(label, &cause))?;
        let not_good = |why| {
            tracing::warn!(provider = provider.config.name, ?why, "an ID token was refused");
            Problem::new(
                Code::Unauthenticated,
                format!("What {label} says of you is not good; try again, or log in another way"),
            )
        };
        let token = Token::read(&tokens.id_token).map_err(not_good)?;
        let mut claims = match provider.verified(token).await {
            Ok(claims) => claims,
            Err(NotTaken::Refused(why)) => return Err(not_good(why)),
            Err(NotTaken::Unavailable(cause)) => return Err(unavailable(label, &cause)),
        };
        claims
            .check(&provider.config.issuer, &[client], self.parts().clock.now())
            .and_then(|()| claims.check_id_token(client, &memory.nonce))
            .map_err(not_good)?;
        if let Some(access) = &tokens.access_token {
            provider.complete(&mut claims, access).await;
        }
        Ok(claims)
    }
}

fn astray() -> Problem {
    Problem::new(
        Code::CrossSite,
        "This answer belongs to no log-in that this browser began in the last ten minutes; begin again",
    )
}
