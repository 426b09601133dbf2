//! The client that speaks to providers: it follows no redirects, waits ten seconds at most, and reads
//! a quarter of a mebibyte at most.

use std::time::Duration;

use ephor_kernel::{Code, Problem};
use reqwest::{RequestBuilder, Url, header};
use serde::de::DeserializeOwned;

const MOST_BYTES: usize = 256 * 1024;

#[derive(Debug, Clone)]
pub(super) struct Http(reqwest::Client);

impl Http {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one client of providers, whose addresses the operator configures"
    )]
    pub fn new() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(10))
            .user_agent(concat!("ephor/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self(client))
    }

    pub async fn get<T: DeserializeOwned>(
        &self,
        url: &str,
        bearer: Option<&str>,
    ) -> Result<T, String> {
        let mut request = self.0.get(url);
        if let Some(token) = bearer {
            request = request.bearer_auth(token);
        }
        json(request).await
    }

    /// Sends a form, as `user:password` if given.
    pub async fn post<T: DeserializeOwned>(
        &self,
        url: &str,
        fields: &[(&str, &str)],
        basic: Option<(&str, &str)>,
    ) -> Result<T, String> {
        let mut request = self
            .0
            .post(url)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form(fields)?);
        if let Some((user, password)) = basic {
            // RFC 6749, section 2.3.1: both are form-encoded first.
            request = request.basic_auth(encoded(user)?, Some(encoded(password)?));
        }
        json(request).await
    }
}

async fn json<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, String> {
    let request = request.header(header::ACCEPT, "application/json");
    let mut response = request.send().await.map_err(|error| error.without_url().to_string())?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) =
        response.chunk().await.map_err(|error| error.without_url().to_string())?
    {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err("the answer is too long".to_owned());
        }
        body.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        // The word of RFC 6749, section 5.2, and nothing else: the rest may be anything.
        let word = serde_json::from_slice::<serde_json::Value>(&body)
            .ok()
            .and_then(|value| value.get("error")?.as_str().map(str::to_owned))
            .filter(|word| word.len() < 60 && word.bytes().all(|b| b.is_ascii_graphic()))
            .unwrap_or_default();
        return Err(format!("it answered {status} {word}"));
    }
    serde_json::from_slice(&body).map_err(|error| format!("the answer cannot be read: {error}"))
}

fn form(fields: &[(&str, &str)]) -> Result<String, String> {
    let mut url = Url::parse("form:").map_err(|error| error.to_string())?;
    url.query_pairs_mut().extend_pairs(fields);
    Ok(url.query().unwrap_or_default().to_owned())
}

fn encoded(text: &str) -> Result<String, String> {
    Ok(form(&[("", text)])?.trim_start_matches('=').to_owned())
}

/// What people are told when a provider does not do its part; the cause goes to the log.
pub(super) fn unavailable(provider: &str, cause: &str) -> Problem {
    tracing::warn!(provider, cause, "a provider of log-ins does not answer as it should");
    Problem::new(
        Code::Unavailable,
        format!("{provider} does not answer as it should; try again, or log in another way"),
    )
}
