//! What a handler is given.

use std::sync::{Arc, Mutex, PoisonError};

use ephor_kernel::{JobId, Scope};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{JobFailure, claim::Claim};
use crate::Store;

/// How far a handler is.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Progress {
    pub(super) fraction: f64,
    pub(super) message: String,
}

/// A job that is being run, for its handler.
#[derive(Clone)]
pub struct JobContext {
    store: Store,
    claim: Arc<Claim>,
    cancelled: CancellationToken,
    progress: Arc<watch::Sender<Progress>>,
    result: Arc<Mutex<Option<serde_json::Value>>>,
}

impl JobContext {
    pub(super) fn new(store: Store, claim: Arc<Claim>) -> Self {
        Self {
            store,
            claim,
            cancelled: CancellationToken::new(),
            progress: Arc::new(watch::Sender::default()),
            result: Arc::default(),
        }
    }

    /// The store; transactions begin with [`Store::begin_system`] and [`JobContext::scope`].
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// In whose organization the work is done. The actor is Ephor's worker; the permissions and the
    /// request are its creator's.
    pub fn scope(&self) -> &Scope {
        &self.claim.scope
    }

    /// The job.
    pub fn id(&self) -> JobId {
        self.claim.id
    }

    /// What it is about.
    pub fn subject(&self) -> Option<Uuid> {
        self.claim.subject
    }

    /// The number of this attempt, from 1.
    pub fn attempt(&self) -> i32 {
        self.claim.attempt
    }

    /// Will a failure that could be retried be final, because this is the last attempt?
    pub fn is_last_attempt(&self) -> bool {
        self.claim.attempt >= self.claim.max_attempts
    }

    /// What to do it with.
    ///
    /// # Errors
    /// [`JobFailure::Fatal`] when it is not of that form.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, JobFailure> {
        serde_json::from_value(self.claim.payload.clone()).map_err(|error| {
            JobFailure::fatal(format!("The job's payload cannot be read: {error}"))
        })
    }

    /// Says how far the work is: a part of the whole, 0 to 1, and a line for people. May be called as
    /// often as one likes; what is written is throttled.
    #[allow(clippy::unused_async, reason = "room to slow down a handler that tells too much")]
    pub async fn progress(&self, fraction: f64, message: impl Into<String>) {
        let message = message.into().chars().filter(|c| *c != '\0').take(500).collect();
        let fraction = if fraction.is_finite() { fraction.clamp(0.0, 1.0) } else { 0.0 };
        self.progress.send_replace(Progress { fraction, message });
    }

    /// Keeps what came of it, for `ops.jobs.result`.
    pub fn set_result(&self, result: serde_json::Value) {
        *self.result.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    }

    /// Fires when the work is to stop.
    pub fn cancelled(&self) -> CancellationToken {
        self.cancelled.clone()
    }

    pub(super) fn claim(&self) -> &Claim {
        &self.claim
    }

    pub(super) fn watch_progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    pub(super) fn take_result(&self) -> Option<serde_json::Value> {
        self.result.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
