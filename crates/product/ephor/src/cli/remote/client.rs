//! One server, asked with one key; its problems become errors of the command line.

use std::fmt::Write as _;

use anyhow::Context as _;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::{Remote, credentials};
use crate::exit::{Exit, Refusal, UsageError, own_problem};

/// A server and a key.
pub struct Client {
    http: reqwest::Client,
    base: Url,
    key: SecretString,
}

impl Client {
    /// From flags and environment, else what `ephor login` kept.
    pub fn new(remote: &Remote) -> anyhow::Result<Self> {
        let kept = match (&remote.server, &remote.api_key) {
            (Some(_), Some(_)) => None,
            _ => credentials::Credentials::load(&credentials::file()?)?,
        };
        let (kept_server, kept_key) = kept.map(|kept| (kept.server, kept.api_key.text)).unzip();
        let usage = |what: &str| {
            UsageError(format!(
                "no {what} is known: run `ephor login URL`, or set EPHOR_SERVER and EPHOR_API_KEY"
            ))
        };
        // A kept key is for the kept server: it is not shown to another.
        let elsewhere = remote.server.as_deref().is_some_and(|server| {
            kept_server.as_deref().is_some_and(|kept| kept != server.trim_end_matches('/'))
        });
        let server = remote.server.clone().or(kept_server).ok_or_else(|| usage("server"))?;
        let kept_key = kept_key.filter(|_| !elsewhere);
        let key = remote
            .api_key
            .clone()
            .map(Into::into)
            .or(kept_key)
            .ok_or_else(|| usage("API key for this server"))?;
        let base = address(&server)?;
        Ok(Self { http: http()?, base, key })
    }

    /// A request to a path such as `/v1/models`, with the key.
    pub fn request(&self, method: Method, path: &str) -> anyhow::Result<RequestBuilder> {
        self.request_with(method, path, &[])
    }

    /// A request to read a path, with these parameters.
    pub fn query(
        &self,
        path: &str,
        parameters: &[(String, String)],
    ) -> anyhow::Result<RequestBuilder> {
        self.request_with(Method::GET, path, parameters)
    }

    /// A request to a path, with these parameters of its query.
    pub fn request_with(
        &self,
        method: Method,
        path: &str,
        parameters: &[(String, String)],
    ) -> anyhow::Result<RequestBuilder> {
        let mut url = self.base.join(path).with_context(|| format!("{path} is no address"))?;
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        Ok(self.http.request(method, url).bearer_auth(self.key.expose_secret()))
    }

    /// Sends it. What is not a success becomes an error that says all that the server said.
    pub async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        checked(request.send().await.with_context(|| format!("{} does not answer", self.base))?)
            .await
    }
}

/// A client that keeps cookies, which the log-in needs.
#[allow(
    clippy::disallowed_methods,
    reason = "a command is a client, of the server that its user names"
)]
pub fn http() -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder()
        .cookie_store(true)
        .connect_timeout(std::time::Duration::from_secs(10))
        .user_agent(concat!("ephor/", env!("CARGO_PKG_VERSION")))
        .build()?)
}

/// A server's address.
pub fn address(server: &str) -> anyhow::Result<Url> {
    let text = if server.contains("://") { server.to_owned() } else { format!("http://{server}") };
    match Url::parse(&text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => Ok(url),
        _ => Err(UsageError(format!(
            "`{server}` is no address of a server; give one such as https://ephor.example.org"
        ))
        .into()),
    }
}

#[derive(Deserialize)]
struct Problem {
    title: String,
    code: String,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    faults: Vec<Fault>,
    #[serde(default)]
    request_id: Option<String>,
}

#[derive(Deserialize)]
struct Fault {
    pointer: String,
    message: String,
    #[serde(default)]
    hint: Option<String>,
}

/// The answer, if it is a success.
pub async fn checked(response: Response) -> anyhow::Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let text = response.text().await.unwrap_or_default();
    // What the caller can mend is exit code 2; what they can't is 3.
    let mendable = status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS;
    let problem = serde_json::from_str::<Value>(&text).ok().filter(Value::is_object);
    let known = problem.and_then(|whole| Some((Problem::deserialize(&whole).ok()?, whole)));
    let refusal = if let Some((problem, whole)) = known {
        Refusal { told: told(&problem), problem: whole, mendable }
    } else {
        let told = format!("the server answered {status}; is it an Ephor?");
        let exit = if mendable { Exit::Usage } else { Exit::Failure };
        Refusal { problem: own_problem(exit, &told), told, mendable }
    };
    Err(refusal.into())
}

fn told(problem: &Problem) -> String {
    let mut text = problem.detail.clone().unwrap_or_else(|| problem.title.clone());
    let _ = write!(text, " ({})", problem.code);
    for fault in &problem.faults {
        let _ = write!(text, "\n  {}: {}", fault.pointer, fault.message);
        if let Some(hint) = &fault.hint {
            let _ = write!(text, " — {hint}");
        }
    }
    if let Some(id) = &problem.request_id {
        let _ = write!(text, "\n  request {id}");
    }
    text
}
