//! Jobs that are stopped.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ephor_kernel::{Code, JobId, Problem, Scope};
use ephor_store::{
    Store,
    jobs::{Cancelled, JobFailure, JobState, job_cancel},
    testing,
};
use tokio::sync::mpsc;

use super::support::{acting, enqueue, get, start, until};

async fn cancel(store: &Store, scope: &Scope, id: JobId) -> Cancelled {
    let mut tx = store.begin(scope).await.unwrap();
    let how = job_cancel(&mut tx, id).await.unwrap();
    tx.commit().await.unwrap();
    how
}

#[tokio::test]
async fn a_job_that_has_not_begun_is_cancelled_at_once_and_for_good() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let id = enqueue(&db.store(), &scope).await;
    assert_eq!(cancel(&db.store(), &scope, id).await, Cancelled::AtOnce);
    let handler = acting(|_| async { panic!("it was cancelled") });
    let workers = start(db.store(), &handler);
    let later = enqueue(&db.store(), &scope).await;
    until(&db.store(), &scope, later, JobState::Failed).await;
    let job = get(&db.store(), &scope, id).await;
    assert_eq!((job.state, job.attempts), (JobState::Cancelled, 0));

    let mut tx = db.store().begin(&scope).await.unwrap();
    let problem = Problem::from(job_cancel(&mut tx, id).await.unwrap_err());
    assert_eq!(problem.code, Code::InvalidTransition);
    let problem = Problem::from(job_cancel(&mut tx, JobId::new()).await.unwrap_err());
    assert_eq!(problem.code, Code::NotFound);
    workers.shutdown().await;
}

#[tokio::test]
async fn another_organization_s_job_cannot_be_cancelled() {
    let db = testing::database().await;
    let (one, two) = (db.organization("One").await, db.organization("Two").await);
    let id = enqueue(&db.store(), &one).await;
    let mut tx = db.store().begin(&two).await.unwrap();
    let problem = Problem::from(job_cancel(&mut tx, id).await.unwrap_err());
    assert_eq!(problem.code, Code::NotFound);
}

#[tokio::test]
async fn a_running_job_hears_of_it_on_whichever_replica_it_runs() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let (began, mut running) = mpsc::unbounded_channel();
    let (heard, mut stopped) = mpsc::unbounded_channel();
    let handler = acting(move |job| {
        let (began, heard) = (began.clone(), heard.clone());
        async move {
            began.send(()).unwrap();
            job.cancelled().cancelled().await;
            heard.send(Instant::now()).unwrap();
            Err(JobFailure::Cancelled)
        }
    });
    // The jobs run in one process; it is asked for in another, which is no relay.
    let workers = start(db.store(), &handler);
    let replica = Store::connect(&db.config()).await.unwrap();
    let mut waits = Vec::new();
    for _ in 0..5 {
        let id = enqueue(&db.store(), &scope).await;
        running.recv().await.unwrap();
        let asked = Instant::now();
        assert_eq!(cancel(&replica, &scope, id).await, Cancelled::Requested);
        waits.push(stopped.recv().await.unwrap() - asked);
        let job = until(&db.store(), &scope, id, JobState::Cancelled).await;
        assert!(job.cancel_requested && job.error.is_none());
    }
    waits.sort();
    eprintln!("from the request to cancel to the handler: {waits:?}");
    // 100 ms of polling and a notification; the machine may be busy.
    assert!(waits[waits.len() / 2] < Duration::from_millis(500), "{waits:?}");
    workers.shutdown().await;
}

#[tokio::test]
async fn a_job_that_does_not_heed_is_aborted() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let (began, mut running) = mpsc::unbounded_channel();
    let handler = acting(move |_| {
        let began = began.clone();
        async move {
            began.send(()).unwrap();
            std::future::pending().await
        }
    });
    let workers = start(db.store(), &handler);
    let id = enqueue(&db.store(), &scope).await;
    running.recv().await.unwrap();
    cancel(&db.store(), &scope, id).await;
    let job = until(&db.store(), &scope, id, JobState::Failed).await;
    assert!(job.error.unwrap().contains("aborted"));
    assert_eq!(handler.told.lock().unwrap().len(), 1);
    workers.shutdown().await;
}

#[tokio::test]
async fn a_job_that_waits_for_its_next_attempt_is_told_then() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let handler = acting({
        let gate = Arc::clone(&gate);
        move |job| {
            let gate = Arc::clone(&gate);
            async move {
                if job.attempt() == 1 {
                    gate.acquire().await.unwrap().forget();
                    return Err(JobFailure::retry("later"));
                }
                assert!(job.cancelled().is_cancelled());
                Err(JobFailure::Cancelled)
            }
        }
    });
    let mut config = super::support::quick();
    config.retry_after = Duration::from_secs(1);
    let workers = ephor_store::jobs::Workers::start(db.store(), vec![handler.clone()], config);
    let id = enqueue(&db.store(), &scope).await;
    until(&db.store(), &scope, id, JobState::Running).await;
    gate.add_permits(1);
    until(&db.store(), &scope, id, JobState::Queued).await;
    assert_eq!(cancel(&db.store(), &scope, id).await, Cancelled::Requested);
    let job = until(&db.store(), &scope, id, JobState::Cancelled).await;
    assert_eq!(job.attempts, 2);
    workers.shutdown().await;
}
