//! Run one job: claim it, have it watched over, record its end.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use ephor_kernel::{JobId, OrganizationId};
use futures::FutureExt;
use tokio_util::sync::CancellationToken;

use super::{
    EventHandler, JobContext, JobFailure, JobHandler, WorkersConfig,
    claim::{Claim, job_claim, job_kind},
    finish::{End, backoff, job_finish},
    supervise::{Outcome, supervise},
};
use crate::Store;

/// A reason has at most so many characters: handlers keep it in columns that take no more.
const MOST_REASON_CHARS: usize = 10_000;

/// What this process can run, and what it runs.
pub(super) struct Runner {
    pub(super) store: Store,
    handlers: HashMap<&'static str, Arc<dyn JobHandler>>,
    pub(super) events: Option<Arc<dyn EventHandler>>,
    pub(super) config: WorkersConfig,
    worker: String,
    /// Fires when running jobs are to be handed back.
    pub(super) hand_back: CancellationToken,
    running: Mutex<Running>,
}

/// Jobs are told apart by their organization too: nobody cancels another's by knowing its id.
type Running = HashMap<(OrganizationId, JobId), CancellationToken>;

impl Runner {
    pub(super) fn new(
        store: Store,
        handlers: Vec<Arc<dyn JobHandler>>,
        events: Option<Arc<dyn EventHandler>>,
        config: WorkersConfig,
    ) -> Self {
        Self {
            store,
            handlers: handlers.into_iter().map(|handler| (handler.kind(), handler)).collect(),
            events,
            config,
            worker: format!("{}-{}", std::process::id(), uuid::Uuid::now_v7().simple()),
            hand_back: CancellationToken::new(),
            running: Mutex::default(),
        }
    }

    /// Tells a job of this process to stop.
    pub(super) fn cancel(&self, organization: OrganizationId, id: JobId) {
        if let Some(token) = self.running().get(&(organization, id)) {
            token.cancel();
        }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a job that the queue gave. An error means that the queue should give it again.
    pub(super) async fn run(&self, organization: OrganizationId, id: JobId) -> Result<(), String> {
        let kind = job_kind(&self.store, organization, id).await.map_err(|e| e.to_string())?;
        let Some(kind) = kind else { return Ok(()) };
        let Some(handler) = self.handlers.get(kind.as_str()) else {
            return Err(format!("this worker does no jobs of kind {kind}; another version may"));
        };
        let claim = job_claim(&self.store, organization, id, &self.worker).await;
        // None: the queue gave it twice, or it was cancelled.
        let Some(claim) = claim.map_err(|e| e.to_string())? else { return Ok(()) };
        let job = JobContext::new(self.store.clone(), Arc::new(claim));
        self.running().insert((organization, id), job.cancelled());
        self.run_claimed(handler, &job).await;
        self.running().remove(&(organization, id));
        Ok(())
    }

    async fn run_claimed(&self, handler: &Arc<dyn JobHandler>, job: &JobContext) {
        let claim = job.claim();
        if claim.is_cancelled {
            job.cancelled().cancel();
        }
        let end = if claim.attempt > claim.max_attempts {
            // Its workers died, one after another: it is not begun again.
            End::Failed(abandoned(claim.last_error.as_deref()))
        } else {
            match supervise(handler, job, &self.config, &self.hand_back).await {
                Outcome::Lost => {
                    tracing::warn!(
                        job = %claim.id, kind = %claim.kind,
                        "the job was given to another worker; what it did here counts for nothing"
                    );
                    return;
                }
                outcome => self.end(claim, job, outcome),
            }
        };
        if let End::Failed(reason) = &end {
            tracing::warn!(job = %claim.id, kind = %claim.kind, %reason, "a job failed");
            if !tell_failed(handler, job, reason).await {
                // Not recorded: the job is recovered, and its handler told again.
                return;
            }
        }
        self.record(claim, job, &end).await;
    }

    fn end(&self, claim: &Claim, job: &JobContext, outcome: Outcome) -> End {
        let is_cancelled = job.cancelled().is_cancelled();
        match outcome {
            Outcome::HandedBack => End::HandedBack,
            Outcome::Returned(Ok(())) => End::Completed(job.take_result()),
            Outcome::Returned(Err(JobFailure::Cancelled)) if is_cancelled => End::Cancelled,
            Outcome::Returned(Err(JobFailure::Retry(reason))) if is_cancelled => {
                tracing::info!(job = %claim.id, %reason, "a job failed while it was being cancelled");
                End::Cancelled
            }
            Outcome::Returned(Err(JobFailure::Retry(reason)))
                if claim.attempt < claim.max_attempts =>
            {
                tracing::info!(job = %claim.id, kind = %claim.kind, %reason, "a job is tried again");
                End::Again(storable(&reason), backoff(self.config.retry_after, claim.attempt))
            }
            Outcome::Returned(Err(failure)) => End::Failed(storable(&failure.to_string())),
            Outcome::Aborted | Outcome::Lost => {
                tracing::warn!(job = %claim.id, kind = %claim.kind, "a job did not heed its cancellation and was aborted");
                End::Failed("It was cancelled, did not stop, and was aborted.".to_owned())
            }
        }
    }

    /// Records the end, with patience: the database may be away for a moment. If it stays away, the job
    /// is recovered later.
    async fn record(&self, claim: &Claim, job: &JobContext, end: &End) {
        let progress = job.watch_progress().borrow().clone();
        let mut wait = Duration::from_millis(100);
        let deadline = Instant::now() + self.config.dead_after / 2;
        loop {
            match job_finish(&self.store, claim, &progress, end).await {
                Ok(true) => return,
                Ok(false) => {
                    tracing::warn!(job = %claim.id, "the end of a job was not recorded: another worker has it");
                    return;
                }
                Err(error) if Instant::now() + wait < deadline => {
                    tracing::warn!(job = %claim.id, %error, "the end of a job was not recorded; trying again");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(Duration::from_secs(2));
                }
                Err(error) => {
                    tracing::error!(job = %claim.id, %error, "the end of a job could not be recorded; it will be run again");
                    return;
                }
            }
        }
    }
}

/// A reason as the database holds it. It may quote what came from elsewhere: PostgreSQL's texts have no NUL, and a job whose
/// reason was refused could never come to its end.
fn storable(reason: &str) -> String {
    let reason: String =
        reason.chars().filter(|letter| *letter != '\0').take(MOST_REASON_CHARS).collect();
    if reason.is_empty() { "It failed without a reason.".to_owned() } else { reason }
}

/// Why a job failed whose last worker did not come to its end: what an earlier one said, if any did.
fn abandoned(last_error: Option<&str>) -> String {
    last_error.map_or_else(|| "Every worker that ran it ended before it did.".to_owned(), storable)
}

/// Tells a handler that its job has failed. `false`: it could not put things right now, but may later.
async fn tell_failed(handler: &Arc<dyn JobHandler>, job: &JobContext, reason: &str) -> bool {
    let told = AssertUnwindSafe(handler.failed(job.clone(), reason)).catch_unwind().await;
    match told {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::error!(job = %job.id(), %error, "a handler could not put right what its failed job left");
            !matches!(error, JobFailure::Retry(_)) || job.attempt() > job.claim().max_attempts
        }
        Err(_) => {
            tracing::error!(job = %job.id(), "a handler panicked when it was told of a failure");
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_such_that_the_database_holds_it() {
        assert_eq!(storable("no column `a`"), "no column `a`");
        assert_eq!(storable("a\0b"), "ab");
        assert_eq!(storable("\0"), "It failed without a reason.");
        assert_eq!(storable(&"\0é".repeat(20_000)), "é".repeat(MOST_REASON_CHARS));
    }

    #[test]
    fn a_job_whose_workers_died_says_so_unless_one_said_why() {
        assert_eq!(abandoned(None), "Every worker that ran it ended before it did.");
        assert_eq!(abandoned(Some("no column `a`")), "no column `a`");
    }
}
