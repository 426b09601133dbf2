//! A model behind an address: rows are posted, and predictions come back.
//!
//! Whoever makes the client decides what may be reached. Where users of a server give addresses, it must be one that refuses
//! private ones and follows no redirects; a command line may go where its user may.

mod error;
mod protocol;
mod settings;

pub use error::EndpointError;
pub use protocol::Protocol;
pub use settings::{Settings, Token};

use std::time::Duration;

use reqwest::{
    Client, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::{ExplainError, Rows, Scorer};

/// No answer makes anybody wait longer before the next try.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A model behind an address.
pub struct Endpoint {
    client: Client,
    runtime: Handle,
    settings: Settings,
    features: Vec<String>,
    outputs: usize,
}

impl Endpoint {
    /// Asks for the predictions of one row, which tells how many numbers come for each.
    ///
    /// # Errors
    /// When it cannot be asked, or its answer is none.
    pub async fn open(
        client: Client,
        settings: Settings,
        features: Vec<String>,
        row: &[f64],
    ) -> Result<Self, EndpointError> {
        let mut endpoint =
            Self { client, runtime: Handle::current(), settings, features, outputs: 0 };
        let predicted = endpoint.ask(&[row]).await?;
        endpoint.outputs = predicted.len();
        Ok(endpoint)
    }

    /// The predictions of some rows; asked again when that may help.
    async fn ask(&self, rows: &[&[f64]]) -> Result<Vec<f64>, EndpointError> {
        let body = self.settings.protocol.request(&self.features, rows)?;
        let mut pause = self.settings.pause;
        for left in (0..=self.settings.retries).rev() {
            let (fault, wanted) = match self.post(body.clone()).await {
                Ok(answer) => return self.settings.protocol.predictions(&answer, rows.len()),
                Err(failed) => failed,
            };
            if left == 0 || !fault.passes() {
                return Err(fault);
            }
            tokio::time::sleep(wanted.unwrap_or(pause).min(LONGEST_PAUSE)).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
        Err(EndpointError::NoAnswer("it was never asked".to_owned()))
    }

    /// One try. A fault comes with how long to wait, if that was said.
    async fn post(&self, body: Vec<u8>) -> Result<Vec<u8>, (EndpointError, Option<Duration>)> {
        let mut request = self
            .client
            .post(self.settings.url.clone())
            .timeout(self.settings.timeout)
            .header(CONTENT_TYPE, "application/json")
            .headers(self.settings.headers.clone())
            .body(body);
        if let Some(token) = &self.settings.token {
            request = request.bearer_auth(token.expose());
        }
        let response = request.send().await.map_err(|error| (EndpointError::sent(&error), None))?;
        let status = response.status();
        let wanted = wait(&response);
        let body = self.body(response).await;
        if status.is_success() {
            return body.map_err(|fault| (fault, None));
        }
        let text = body.map(|body| shown(&body)).unwrap_or_default();
        Err((EndpointError::Refused { status: status.as_u16(), text }, wanted))
    }

    /// The body, if it is not too long.
    async fn body(&self, mut response: Response) -> Result<Vec<u8>, EndpointError> {
        let most = self.settings.most_bytes;
        let mut body = Vec::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|error| EndpointError::sent(&error))?
        {
            if body.len() + chunk.len() > most {
                return Err(EndpointError::TooLong { most });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

impl Scorer for Endpoint {
    fn features(&self) -> &[String] {
        &self.features
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn score(&self, rows: &Rows) -> Result<Vec<f64>, ExplainError> {
        self.score_until(rows, &CancellationToken::new())
    }

    /// Given up while an answer is waited for too, or a pause before the next try.
    fn score_until(
        &self,
        rows: &Rows,
        cancel: &CancellationToken,
    ) -> Result<Vec<f64>, ExplainError> {
        let rows = rows.of(self.features.len())?;
        let all: Vec<&[f64]> = rows.iter().collect();
        let mut predicted = Vec::with_capacity(all.len() * self.outputs);
        for batch in all.chunks(self.settings.batch.max(1)) {
            let asked = self.runtime.block_on(cancel.run_until_cancelled(self.ask(batch)));
            let found = asked.ok_or(ExplainError::Cancelled)??;
            if found.len() != batch.len() * self.outputs {
                let message = format!(
                    "it gave {} numbers for each row before, and {} for {} rows now",
                    self.outputs,
                    found.len(),
                    batch.len()
                );
                return Err(EndpointError::Answer(message).into());
            }
            predicted.extend(found);
        }
        Ok(predicted)
    }
}

/// How many seconds to wait, when the answer says so.
fn wait(response: &Response) -> Option<Duration> {
    let asked = matches!(
        response.status(),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    );
    let said = response.headers().get(RETRY_AFTER).filter(|_| asked)?;
    said.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// The start of an answer, fit for a terminal.
fn shown(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..400).unwrap_or(body)).into_owned();
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(200).collect()
}
