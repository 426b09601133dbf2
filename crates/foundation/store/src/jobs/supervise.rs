//! Watch over a handler while it works: signs of life, progress, cancellation, hand-back.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{
    JobContext, JobFailure, JobHandler, WorkersConfig,
    claim::{Pulse, job_pulse},
};

/// How a handler's work ended.
pub(super) enum Outcome {
    /// By itself.
    Returned(Result<(), JobFailure>),
    /// It did not heed its cancellation.
    Aborted,
    /// This worker has to go.
    HandedBack,
    /// Another worker was given the job.
    Lost,
}

/// Runs the handler, with signs of life and progress, until it ends or has to.
pub(super) async fn supervise(
    handler: &Arc<dyn JobHandler>,
    job: &JobContext,
    config: &WorkersConfig,
    hand_back: &CancellationToken,
) -> Outcome {
    let mut work = {
        let (handler, job) = (Arc::clone(handler), job.clone());
        Aborting(tokio::spawn(async move { handler.run(job).await }))
    };
    let cancelled = job.cancelled();
    let mut progress = job.watch_progress();
    let mut alive_at = Instant::now();
    let mut may_tell_at = Instant::now();
    let mut give_up_at: Option<Instant> = None;
    loop {
        let told = async {
            if progress.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep_until(may_tell_at.into()).await;
        };
        let has_news = tokio::select! {
            ended = &mut work.0 => return Outcome::Returned(flatten(ended)),
            () = hand_back.cancelled() => return Outcome::HandedBack,
            () = at(give_up_at) => return Outcome::Aborted,
            () = cancelled.cancelled(), if give_up_at.is_none() => {
                give_up_at = Some(Instant::now() + config.cancel_grace);
                continue;
            }
            () = tokio::time::sleep_until((alive_at + config.heartbeat).into()) => false,
            () = told => true,
        };
        // A change that was seen but waited for its turn would be forgotten: so look at it anyway.
        let news = progress.borrow_and_update().clone();
        let news = (has_news || !news.message.is_empty()).then_some(news);
        match job_pulse(job.store(), job.claim(), news.as_ref()).await {
            Ok(Pulse::Keep) => alive_at = Instant::now(),
            Ok(Pulse::Cancel) => {
                alive_at = Instant::now();
                cancelled.cancel();
            }
            Ok(Pulse::Lost) => return Outcome::Lost,
            Err(error) => {
                tracing::warn!(job = %job.id(), %error, "a sign of life was not recorded");
                // Whoever recovers it must not find it still running here.
                if alive_at.elapsed() + config.heartbeat >= config.dead_after {
                    return Outcome::Lost;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        may_tell_at = Instant::now() + config.progress_every;
    }
}

/// Work that ends with its supervisor.
struct Aborting(JoinHandle<Result<(), JobFailure>>);

impl Drop for Aborting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn flatten(ended: Result<Result<(), JobFailure>, JoinError>) -> Result<(), JobFailure> {
    ended.unwrap_or_else(|error| {
        Err(match error.try_into_panic() {
            Ok(panic) => {
                let text = panic
                    .downcast_ref::<&str>()
                    .map(|text| (*text).to_owned())
                    .or_else(|| panic.downcast_ref::<String>().cloned());
                JobFailure::retry(format!(
                    "The work panicked: {}",
                    text.as_deref().unwrap_or("without words")
                ))
            }
            Err(_) => JobFailure::retry("The work was aborted."),
        })
    })
}

async fn at(when: Option<Instant>) {
    match when {
        Some(when) => tokio::time::sleep_until(when.into()).await,
        None => std::future::pending().await,
    }
}
