//! Jobs that run, fail, and are tried again.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use ephor_store::{
    LiveUpdate, Store,
    jobs::{JobFailure, JobFilter, JobState, NewJob, job_list},
    testing,
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::support::{KIND, acting, enqueue, get, start, until, until_true};

#[tokio::test]
async fn a_job_runs_tells_its_progress_and_keeps_its_result() {
    #[derive(Deserialize)]
    struct Payload {
        n: u32,
    }
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let (halfway, go_on) =
        (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let handler = acting({
        let (halfway, go_on) = (Arc::clone(&halfway), Arc::clone(&go_on));
        move |job| {
            let (halfway, go_on) = (Arc::clone(&halfway), Arc::clone(&go_on));
            async move {
                assert_eq!(job.payload::<Payload>()?.n, 1);
                job.progress(0.5, "half of it").await;
                halfway.notify_one();
                go_on.notified().await;
                job.set_result(json!({"found": 7}));
                Ok(())
            }
        }
    });
    let workers = start(db.store(), &handler);
    let store = db.store();
    let mut live = store.live().subscribe(scope.organization());
    let id = enqueue(&store, &scope).await;
    halfway.notified().await;
    until_true("progress is written", async || get(&store, &scope, id).await.progress == 0.5).await;
    let job = get(&store, &scope, id).await;
    assert_eq!(job.state, JobState::Running);
    assert_eq!(job.message.as_deref(), Some("half of it"));
    go_on.notify_one();
    let job = until(&store, &scope, id, JobState::Completed).await;
    assert_eq!((job.progress, job.attempts, job.error), (1.0, 1, None));
    assert_eq!(job.result, Some(json!({"found": 7})));
    assert!(job.finished_at.is_some());

    // Created, running, progress, completed: each was told, as ids alone.
    let mut told = 0;
    while told < 3 {
        let update = tokio::time::timeout(std::time::Duration::from_secs(10), live.recv())
            .await
            .expect("live updates")
            .unwrap();
        if update.kind == LiveUpdate::JOB {
            assert_eq!((update.organization, update.id), (scope.organization(), id.uuid()));
            told += 1;
        }
    }
    workers.shutdown().await;
}

#[tokio::test]
async fn a_rolled_back_transaction_leaves_no_job() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let mut tx = db.store().begin(&scope).await.unwrap();
    tx.enqueue(NewJob { kind: KIND, payload: json!({}), subject: None }).await.unwrap();
    drop(tx);
    let mut tx = db.store().begin(&scope).await.unwrap();
    assert!(job_list(&mut tx, &JobFilter::default()).await.unwrap().is_empty());
}

#[tokio::test]
async fn jobs_are_listed_by_what_they_are_about() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let subject = Uuid::now_v7();
    let mut tx = db.store().begin(&scope).await.unwrap();
    for subject in [Some(subject), None, Some(subject)] {
        tx.enqueue(NewJob { kind: KIND, payload: json!({}), subject }).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut tx = db.store().begin(&scope).await.unwrap();
    let filter = JobFilter { subject: Some(subject), ..JobFilter::default() };
    assert_eq!(job_list(&mut tx, &filter).await.unwrap().len(), 2);
    let filter = JobFilter { state: Some(JobState::Failed), ..JobFilter::default() };
    assert!(job_list(&mut tx, &filter).await.unwrap().is_empty());
    // Another organization sees none of them.
    let other = db.organization("Two").await;
    let mut tx = db.store().begin(&other).await.unwrap();
    assert!(job_list(&mut tx, &JobFilter::default()).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_may_succeed_later_is_tried_again() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let handler = acting(|job| async move {
        match job.attempt() {
            1 => Err(JobFailure::retry("not yet")),
            2 => panic!("not even now"),
            _ => Ok(()),
        }
    });
    let workers = start(db.store(), &handler);
    let id = enqueue(&db.store(), &scope).await;
    let job = until(&db.store(), &scope, id, JobState::Completed).await;
    assert_eq!((job.attempts, job.error), (3, None));
    assert!(handler.told.lock().unwrap().is_empty());
    workers.shutdown().await;
}

#[tokio::test]
async fn what_fails_every_time_fails_and_its_handler_is_told() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let handler = acting(|_| async { panic!("always the same") });
    let workers = start(db.store(), &handler);
    let id = enqueue(&db.store(), &scope).await;
    let job = until(&db.store(), &scope, id, JobState::Failed).await;
    assert_eq!(job.attempts, job.max_attempts);
    assert!(job.error.unwrap().contains("always the same"));
    assert_eq!(handler.told.lock().unwrap().len(), 1);
    workers.shutdown().await;
}

#[tokio::test]
async fn what_cannot_succeed_is_not_tried_again() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let handler = acting(|_| async { Err(JobFailure::fatal("the file is no table")) });
    let workers = start(db.store(), &handler);
    let id = enqueue(&db.store(), &scope).await;
    let job = until(&db.store(), &scope, id, JobState::Failed).await;
    assert_eq!((job.attempts, job.error.as_deref()), (1, Some("the file is no table")));
    assert_eq!(*handler.told.lock().unwrap(), ["the file is no table"]);
    workers.shutdown().await;
}

#[tokio::test]
async fn a_reason_that_the_database_cannot_hold_is_cleaned_and_recorded() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let handler = acting(|job| async move {
        match job.attempt() {
            1 => Err(JobFailure::retry("not\0 yet")),
            _ => Err(JobFailure::fatal(format!("a\0b{}", "c".repeat(20_000)))),
        }
    });
    let workers = start(db.store(), &handler);
    let id = enqueue(&db.store(), &scope).await;
    let job = until(&db.store(), &scope, id, JobState::Failed).await;
    assert_eq!(job.attempts, 2, "the first end was recorded too");
    let error = job.error.unwrap();
    assert!(error.starts_with("abc"), "{}", &error[..10]);
    assert_eq!(error.len(), 10_000);
    assert_eq!(*handler.told.lock().unwrap(), [error]);
    workers.shutdown().await;
}

#[tokio::test]
async fn two_processes_share_the_jobs_and_each_is_done_once() {
    const JOBS: u32 = 120;
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let other = db.organization("Two").await;
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
    let second = Store::connect(&db.config()).await.unwrap();
    let workers = [start(db.store(), &handler), start(second.clone(), &handler)];
    for n in 0..JOBS {
        enqueue(&db.store(), if n % 2 == 0 { &scope } else { &other }).await;
    }
    until_true("all jobs are done", async || {
        let done: i64 =
            sqlx::query_scalar("select count(*) from ops.jobs where state = 'completed'")
                .fetch_one(&db.admin())
                .await
                .unwrap();
        done == i64::from(JOBS)
    })
    .await;
    assert_eq!(runs.load(Ordering::SeqCst), JOBS);
    // One relay, and nothing is left in what it hands over.
    let relays: i64 = sqlx::query_scalar(
        "select count(*) from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())
            and objid::bigint = (hashtextextended('ephor relay', 0) & 4294967295)",
    )
    .fetch_one(&db.admin())
    .await
    .unwrap();
    assert_eq!(relays, 1);
    until_true("the outbox is empty", async || {
        let left: i64 = sqlx::query_scalar("select count(*) from ops.outbox")
            .fetch_one(&db.admin())
            .await
            .unwrap();
        left == 0
    })
    .await;
    for workers in workers {
        workers.shutdown().await;
    }
}

#[tokio::test]
async fn what_a_job_changes_is_audited_as_the_worker_s() {
    let db = testing::database().await;
    let scope = db.organization("One").await;
    let handler = acting(|job| async move {
        let mut tx = job.store().begin_system(job.scope()).await?;
        sqlx::query("update identity.roles set name = name || '!' where organization_id = $1")
            .bind(tx.organization().uuid())
            .execute(tx.conn())
            .await?;
        tx.commit().await?;
        Ok(())
    });
    let workers = start(db.store(), &handler);
    let id = enqueue(&db.store(), &scope).await;
    until(&db.store(), &scope, id, JobState::Completed).await;
    let actors: Vec<String> = sqlx::query_scalar(
        "select distinct actor_type from audit.audit_logs
          where organization_id = $1 and entity_type = 'identity.roles' and action = 'update'",
    )
    .bind(scope.organization().uuid())
    .fetch_all(&db.admin())
    .await
    .unwrap();
    assert_eq!(actors, ["system"]);
    workers.shutdown().await;
}

#[tokio::test]
async fn the_relay_says_that_it_is_well() {
    let db = testing::database().await;
    let handler = acting(|_| async { Ok(()) });
    let workers = start(db.store(), &handler);
    until_true("the relay and the workers are recorded", async || {
        let records = ephor_store::health_list(&db.store()).await.unwrap();
        let mut parts =
            records.iter().map(|record| (record.service.as_str(), record.status.as_str()));
        parts.clone().count() == 2
            && parts
                .all(|(part, status)| ["relay", "workers"].contains(&part) && status == "healthy")
    })
    .await;
    workers.shutdown().await;
}
