//! What can go wrong on the way.

use std::error::Error as _;

use thiserror::Error;

/// Why an endpoint gave no predictions.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EndpointError {
    /// It could not be reached.
    #[error("the endpoint could not be reached: {0}")]
    Unreachable(String),
    /// It did not answer in time, or stopped in the middle.
    #[error("the endpoint did not answer: {0}")]
    NoAnswer(String),
    /// It answered with a fault.
    #[error("the endpoint answered {status}: {text}")]
    Refused {
        /// Of HTTP.
        status: u16,
        /// The start of what it said.
        text: String,
    },
    /// It answered more than is read.
    #[error("the endpoint answered more than {most} bytes; ask for fewer rows at once")]
    TooLong {
        /// Bytes that are read.
        most: usize,
    },
    /// What it answered are no predictions.
    #[error("the endpoint's answer cannot be used: {0}")]
    Answer(String),
    /// JSON has no infinite numbers.
    #[error("a row holds an infinite number, which JSON cannot say")]
    Infinite,
}

impl EndpointError {
    /// What the client says, without the address, which may hold secrets.
    pub(super) fn sent(error: &reqwest::Error) -> Self {
        let mut cause = error.source();
        while let Some(next) = cause.and_then(std::error::Error::source) {
            cause = Some(next);
        }
        let why = cause.map_or_else(|| "the connection broke".to_owned(), ToString::to_string);
        if error.is_timeout() {
            Self::NoAnswer("the time was up".to_owned())
        } else if error.is_connect() {
            Self::Unreachable(why)
        } else {
            Self::NoAnswer(why)
        }
    }

    /// May it be gone the next time?
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::NoAnswer(_) => true,
            Self::Refused { status, .. } => *status == 429 || *status >= 500,
            Self::TooLong { .. } | Self::Answer(_) | Self::Infinite => false,
        }
    }
}
