//! Where to ask, and how patiently.

use std::{fmt, time::Duration};

use reqwest::{Url, header::HeaderMap};

use super::Protocol;

/// How an endpoint is asked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The whole address.
    pub url: Url,
    /// What is said there.
    pub protocol: Protocol,
    /// Sent as `Authorization: Bearer …`.
    pub token: Option<Token>,
    /// Sent too. Values that are secrets are marked as sensitive, so that they are never shown.
    pub headers: HeaderMap,
    /// Rows in a request.
    pub batch: usize,
    /// How long a request may take.
    pub timeout: Duration,
    /// How often it is asked again when it is not there, busy (429) or broken (5xx).
    pub retries: u32,
    /// How long to wait before the first of these; twice as long before each other one, or as long as it says.
    pub pause: Duration,
    /// Bytes of an answer that are read.
    pub most_bytes: usize,
}

impl Settings {
    /// 1 000 rows in a request of a minute at most, asked three times more; answers of up to 64 MiB.
    pub fn new(url: Url, protocol: Protocol) -> Self {
        Self {
            url,
            protocol,
            token: None,
            headers: HeaderMap::new(),
            batch: 1_000,
            timeout: Duration::from_mins(1),
            retries: 3,
            pause: Duration::from_millis(250),
            most_bytes: 64 << 20,
        }
    }
}

/// A secret that is never shown.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Keeps it.
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Token(…)")
    }
}
