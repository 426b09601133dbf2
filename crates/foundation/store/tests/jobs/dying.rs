//! Workers that die, go, or lose the database.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use ephor_store::{
    jobs::{JobState, Workers},
    testing,
};
use tokio::sync::mpsc;

use super::support::{Process, acting, enqueue, get, quick, start, until, until_true};

#[tokio::test]
async fn a_job_whose_worker_died_is_run_by_another() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let (began, mut running) = mpsc::unbounded_channel();
    let hanging = acting(move |_| {
        let began = began.clone();
        async move {
            began.send(()).unwrap();
            std::future::pending().await
        }
    });
    let dying = Process::start(db.config(), &hanging).await;
    let id = enqueue(&db.store(), &scope).await;
    running.recv().await.unwrap();
    dying.kill();

    let working = acting(|_| async { Ok(()) });
    let workers = start(db.store(), &working);
    let job = until(&db.store(), &scope, id, JobState::Completed).await;
    assert_eq!(job.attempts, 2);
    workers.shutdown().await;
}

#[tokio::test]
async fn a_job_that_kills_every_worker_fails_and_its_handler_is_told() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let id = enqueue(&db.store(), &scope).await;
    let (began, mut running) = mpsc::unbounded_channel();
    let killing = acting(move |_| {
        let began = began.clone();
        async move {
            began.send(()).unwrap();
            std::future::pending().await
        }
    });
    for _ in 0..3 {
        let process = Process::start(db.config(), &killing).await;
        running.recv().await.unwrap();
        process.kill();
    }
    let workers = start(db.store(), &killing);
    let job = until(&db.store(), &scope, id, JobState::Failed).await;
    assert!(job.error.unwrap().contains("died"));
    assert_eq!(killing.told.lock().unwrap().len(), 1);
    assert!(running.try_recv().is_err(), "it was begun a fourth time");
    workers.shutdown().await;
}

#[tokio::test]
async fn a_job_that_was_given_out_and_never_begun_is_given_out_again() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let mut idle = quick();
    // It relays, and leaves the work to others.
    idle.concurrency = 0;
    let relaying = Workers::start(db.store(), vec![], idle);
    let id = enqueue(&db.store(), &scope).await;
    let gone = "update graphile_worker._private_jobs set locked_at = now(), locked_by = 'a worker that is gone'
                where key = $1 and locked_at is null";
    until_true("the job is handed over", async || {
        let given = sqlx::query(gone).bind(id.to_string()).execute(&db.admin()).await.unwrap();
        given.rows_affected() == 1
    })
    .await;
    relaying.shutdown().await;

    let working = acting(|_| async { Ok(()) });
    let workers = start(db.store(), &working);
    let job = until(&db.store(), &scope, id, JobState::Completed).await;
    assert_eq!(job.attempts, 1, "nobody had begun it");
    workers.shutdown().await;
}

#[tokio::test]
async fn shutting_down_waits_for_what_runs() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let (began, mut running) = mpsc::unbounded_channel();
    let gate = Arc::new(tokio::sync::Notify::new());
    let handler = acting({
        let gate = Arc::clone(&gate);
        move |_| {
            let (began, gate) = (began.clone(), Arc::clone(&gate));
            async move {
                began.send(()).unwrap();
                gate.notified().await;
                Ok(())
            }
        }
    });
    let workers = start(db.store(), &handler);
    let id = enqueue(&db.store(), &scope).await;
    running.recv().await.unwrap();
    let ending = tokio::spawn(workers.shutdown());
    // What comes now is left for others.
    let late = enqueue(&db.store(), &scope).await;
    gate.notify_one();
    ending.await.unwrap();
    assert_eq!(get(&db.store(), &scope, id).await.state, JobState::Completed);
    assert_eq!(get(&db.store(), &scope, late).await.state, JobState::Queued);
}

#[tokio::test]
async fn what_runs_too_long_is_handed_back_and_no_attempt_is_lost() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let (began, mut running) = mpsc::unbounded_channel();
    let hanging = acting(move |_| {
        let began = began.clone();
        async move {
            began.send(()).unwrap();
            std::future::pending().await
        }
    });
    let mut config = quick();
    config.drain = Duration::from_millis(100);
    let workers = Workers::start(db.store(), vec![hanging], config);
    let id = enqueue(&db.store(), &scope).await;
    running.recv().await.unwrap();
    workers.shutdown().await;
    let job = get(&db.store(), &scope, id).await;
    assert_eq!((job.state, job.attempts), (JobState::Queued, 0));

    let working = acting(|_| async { Ok(()) });
    let workers = start(db.store(), &working);
    let job = until(&db.store(), &scope, id, JobState::Completed).await;
    assert_eq!(job.attempts, 1);
    workers.shutdown().await;
}

#[tokio::test]
async fn workers_survive_the_loss_of_every_connection() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let runs = Arc::new(AtomicU32::new(0));
    let handler = acting({
        let runs = Arc::clone(&runs);
        move |_| {
            let runs = Arc::clone(&runs);
            async move {
                runs.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
        }
    });
    let workers = start(db.store(), &handler);
    let first = enqueue(&db.store(), &scope).await;
    until(&db.store(), &scope, first, JobState::Completed).await;
    sqlx::query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and usename like 'ephor%'",
    )
    .execute(&db.admin())
    .await
    .unwrap();
    let store = db.store();
    until_true("the database is back", async || store.is_schema_current().await.is_ok()).await;
    let second = enqueue(&store, &scope).await;
    until(&store, &scope, second, JobState::Completed).await;
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    workers.shutdown().await;
}
