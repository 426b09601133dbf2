//! Row feeds whose data sets are rows of the database alone: what is asked for, and what follows.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use ephor_assurance::feed::{
    FlushRunner, MOST_FEEDS, MOST_FLUSHES, PushedBatch, RowFeedCreate, RowFeeds, RowsToStore,
    StoreRows, row_feed_create, row_feed_flush,
};
use ephor_kernel::{Clock as _, Code, DatasetId, JobId, RowFeedId};
use ephor_store::jobs::{Workers, WorkersConfig};
use serde_json::{Value, json};

use crate::support::{NOON, World, moment, people};

/// Row feeds whose rows are forgotten: a data set is a row of its table.
fn feeds(world: &World) -> RowFeeds {
    let store = world.db.store();
    let store_rows: StoreRows = Arc::new(move |scope, rows| {
        let store = store.clone();
        Box::pin(async move {
            let RowsToStore { name, settle, .. } = rows;
            let mut tx = store.begin(&scope).await?;
            let id = DatasetId::new();
            sqlx::query(
                "insert into registry.datasets (organization_id, id, name, created_by) values ($1, $2, $3, $4)",
            )
            .bind(tx.organization().uuid())
            .bind(id.uuid())
            .bind(name)
            .bind(scope.principal().uuid())
            .execute(tx.conn())
            .await
            .unwrap();
            settle(&mut tx, id).await?;
            tx.commit().await?;
            Ok(id)
        })
    });
    RowFeeds::new(world.db.store(), store_rows)
}

async fn made(world: &World) -> RowFeedId {
    let create: RowFeedCreate = serde_json::from_value(json!({ "name": "Decisions" })).unwrap();
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let made = row_feed_create(&mut tx, &create).await.unwrap();
    tx.commit().await.unwrap();
    made.id
}

fn batch(text: &'static str) -> PushedBatch {
    PushedBatch {
        media_type: "application/x-ndjson".to_owned(),
        idempotency_key: None,
        body: text.into(),
    }
}

async fn flushed(world: &World, feed: RowFeedId) -> Value {
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let job: JobId = row_feed_flush(&mut tx, feed).await.unwrap().job;
    tx.commit().await.unwrap();
    world.ended(job).await;
    row(world, feed).await
}

async fn row(world: &World, feed: RowFeedId) -> Value {
    sqlx::query_scalar("select to_jsonb(f) from assurance.row_feeds as f where id = $1")
        .bind(feed.uuid())
        .fetch_one(&world.db.admin())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_row_feed_that_is_full_asks_for_a_job_when_none_is_left() {
    let world = World::new().await;
    let (feeds, feed) = (feeds(&world), made(&world).await);
    let rows = batch("{\"y\":1}\n");
    feeds.row_feed_accept(&world.scope, feed, &rows).await.unwrap();
    // As after an hour without an object store: so much waits, and the last job has failed.
    sqlx::query("update assurance.row_feeds set bytes_waiting = $2 where id = $1")
        .bind(feed.uuid())
        .bind(256_i64 << 20)
        .execute(&world.db.admin())
        .await
        .unwrap();
    let mut asked = Vec::new();
    for _ in 0..2 {
        let problem = feeds.row_feed_accept(&world.scope, feed, &rows).await.unwrap_err();
        assert_eq!((problem.code, problem.retry_after), (Code::RateLimited, Some(60)));
        asked.push(row(&world, feed).await["flush_job_id"].clone());
    }
    assert!(asked[0].is_string() && asked[0] == asked[1], "{asked:?}");

    let workers = Workers::start(
        world.db.store(),
        vec![Arc::new(FlushRunner::new(&feeds))],
        WorkersConfig::default(),
    );
    world.ended(asked[0].as_str().unwrap().parse().unwrap()).await;
    let now = row(&world, feed).await;
    assert_eq!((&now["rows_waiting"], &now["bytes_waiting"]), (&json!(0), &json!(0)), "{now}");
    feeds.row_feed_accept(&world.scope, feed, &rows).await.unwrap();
    workers.shutdown().await;
}

#[tokio::test]
async fn a_batch_that_is_too_large_to_wait_at_all_is_not_told_to_wait() {
    let world = World::new().await;
    let (feeds, feed) = (feeds(&world), made(&world).await);
    // Names of 800 bytes, in every one of 10 000 rows of 40 columns.
    let names: Vec<String> =
        (0..40).map(|n| format!("{}{n:02}", "\u{10400}".repeat(198))).collect();
    let line = format!("{}1\n", "1,".repeat(39));
    let text = format!("{}\n{}", names.join(","), line.repeat(10_000));
    let pushed =
        PushedBatch { media_type: "text/csv".to_owned(), idempotency_key: None, body: text.into() };
    let problem = feeds.row_feed_accept(&world.scope, feed, &pushed).await.unwrap_err();
    assert_eq!(problem.code, Code::TooLarge, "{problem}");
}

#[tokio::test]
async fn monitors_that_wait_for_rows_follow_a_row_feed() {
    let world = World::new().await;
    let (feeds, feed) = (feeds(&world), made(&world).await);
    let workers = Workers::start(
        world.db.store(),
        vec![Arc::new(FlushRunner::new(&feeds))],
        WorkersConfig::default(),
    );
    let rows = batch("{\"y\":1,\"p\":1,\"sex\":\"f\"}\n");
    feeds.row_feed_accept(&world.scope, feed, &rows).await.unwrap();
    let first = flushed(&world, feed).await["dataset_id"].clone();
    let set: DatasetId = first.as_str().unwrap().parse().unwrap();
    let other = world.dataset(&world.scope, people(50, 50, NOON)).await;
    let arrival = |name: &str| json!({ "name": name, "on_arrival": true });
    let follows = world.compliance(set, arrival("follows")).await;
    let stays = world.compliance(set, json!({ "name": "stays" })).await;
    let elsewhere = world.compliance(other, arrival("elsewhere")).await;

    feeds.row_feed_accept(&world.scope, feed, &rows).await.unwrap();
    let second = flushed(&world, feed).await["dataset_id"].clone();
    assert_ne!(first, second);
    assert_eq!(world.row(follows).await["current_dataset_id"], second);
    assert_eq!(world.row(stays).await["current_dataset_id"], first);
    assert_eq!(world.row(elsewhere).await["current_dataset_id"], json!(other));
    workers.shutdown().await;
}

async fn flush_jobs(world: &World) -> i64 {
    sqlx::query_scalar("select count(*) from ops.jobs where kind = 'row_feed_flush'")
        .fetch_one(&world.db.admin())
        .await
        .unwrap()
}

/// So many flushes of the last hour, the oldest of them so many minutes ago.
async fn flushed_before(world: &World, feed: RowFeedId, count: i32, minutes: i32) {
    sqlx::query(
        "insert into ops.jobs (organization_id, id, kind, subject_id, state, finished_at, created_by, created_at)
         select $1, kernel.uuidv7(), 'row_feed_flush', $2, 'completed', now(), $3, now() - $5 * interval '1 minute' * n / $4
           from generate_series(1, $4) as n",
    )
    .bind(world.scope.organization().uuid())
    .bind(feed.uuid())
    .bind(world.scope.principal().uuid())
    .bind(count)
    .bind(minutes)
    .execute(&world.db.admin())
    .await
    .unwrap();
}

async fn scheduled(world: &World, settings: Value) -> RowFeedId {
    let create: RowFeedCreate = serde_json::from_value(settings).unwrap();
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let made = row_feed_create(&mut tx, &create).await.unwrap();
    tx.commit().await.unwrap();
    made.id
}

#[tokio::test]
async fn what_waits_is_stored_when_the_schedule_says_so_and_nothing_when_nothing_waits() {
    let world = World::new().await;
    let feeds = feeds(&world);
    let settings = json!({ "name": "Decisions", "schedule": " */5  * * * *" });
    let feed = scheduled(&world, settings).await;
    let scheduler = world.scheduler();
    // The first look works out when it is due.
    assert_eq!(scheduler.tick().await.unwrap(), 0);
    assert_eq!(row(&world, feed).await["schedule"], "*/5 * * * *");
    let next = async || moment(&row(&world, feed).await, "next_flush_at");
    let at = |text: &str| Some(text.parse().unwrap());
    assert_eq!(next().await, at("2026-03-02T12:05:00Z"));
    // Nothing waits.
    world.clock.advance(TimeDelta::minutes(5));
    assert_eq!((scheduler.tick().await.unwrap(), flush_jobs(&world).await), (0, 0));
    assert_eq!(next().await, at("2026-03-02T12:10:00Z"));

    feeds.row_feed_accept(&world.scope, feed, &batch("{\"y\":1}\n")).await.unwrap();
    world.clock.advance(TimeDelta::days(1));
    // Two who look at once ask for one job, whatever was missed.
    let other = world.scheduler();
    let (one, two) = tokio::join!(scheduler.tick(), other.tick());
    assert_eq!((one.unwrap() + two.unwrap(), flush_jobs(&world).await), (1, 1));
    assert_eq!(next().await, at("2026-03-03T12:10:00Z"));
    // While that job waits there is no second.
    world.clock.advance(TimeDelta::minutes(5));
    assert_eq!((scheduler.tick().await.unwrap(), flush_jobs(&world).await), (0, 1));
    let workers = Workers::start(
        world.db.store(),
        vec![Arc::new(FlushRunner::new(&feeds))],
        WorkersConfig::default(),
    );
    let job = row(&world, feed).await["flush_job_id"].as_str().unwrap().parse().unwrap();
    world.ended(job).await;
    assert_eq!(row(&world, feed).await["rows_waiting"], 0);
    workers.shutdown().await;

    // Paused, it is stored at no time; with another schedule, the time is worked out anew.
    let change = async |sql: &'static str| {
        sqlx::query(sql).execute(&world.db.admin()).await.unwrap();
    };
    change("update assurance.row_feeds set status = 'paused'").await;
    assert_eq!((next().await, scheduler.tick().await.unwrap()), (None, 0));
    change("update assurance.row_feeds set status = 'active', schedule = '0 0 1 1 *'").await;
    scheduler.tick().await.unwrap();
    assert_eq!(next().await, at("2027-01-01T00:00:00Z"));
}

#[tokio::test]
async fn a_schedule_that_is_none_is_refused_with_every_fault() {
    let create: RowFeedCreate =
        serde_json::from_value(json!({ "name": "", "schedule": "60 * * * funday" })).unwrap();
    let faults = create.faults();
    let places: Vec<(&str, &str)> =
        faults.iter().map(|fault| (fault.pointer.as_ref(), fault.code.as_ref())).collect();
    assert_eq!(places, [("/name", "length"), ("/schedule", "schedule"), ("/schedule", "schedule")]);
}

#[tokio::test]
async fn a_row_feed_is_stored_so_often_in_an_hour_and_no_more() {
    let world = World::new().await;
    let feeds = feeds(&world);
    let feed = scheduled(&world, json!({ "name": "Decisions", "analyse_after": 1 })).await;
    let most = i32::try_from(MOST_FLUSHES).unwrap();
    flushed_before(&world, feed, most - 1, 40).await;
    let rows = batch("{\"y\":1}\n");
    let answer = feeds.row_feed_accept(&world.scope, feed, &rows).await.unwrap();
    assert!(answer["job"].is_string(), "{answer}");
    let done =
        "update ops.jobs set state = 'cancelled', finished_at = now() where state = 'queued'";
    sqlx::query(done).execute(&world.db.admin()).await.unwrap();

    // Rows are taken in all the same, and stored when the oldest time is an hour ago.
    let answer = feeds.row_feed_accept(&world.scope, feed, &rows).await.unwrap();
    assert_eq!((&answer["job"], &answer["waiting"]), (&Value::Null, &json!(2)));
    let now: DateTime<Utc> =
        sqlx::query_scalar("select now()").fetch_one(&world.db.admin()).await.unwrap();
    let wait = moment(&row(&world, feed).await, "next_flush_at").unwrap() - now;
    assert!((18..=20).contains(&wait.num_minutes()), "{wait}");
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let problem = row_feed_flush(&mut tx, feed).await.unwrap_err();
    assert_eq!(problem.code, Code::RateLimited);
    assert!(problem.retry_after.is_some_and(|seconds| (1_000..=1_200).contains(&seconds)));
    assert!(problem.detail.contains("60 times an hour"), "{}", problem.detail);
    drop(tx);

    // So much waits that it cannot be put off.
    let full = "update assurance.row_feeds set bytes_waiting = $1";
    sqlx::query(full).bind(64_i64 << 20).execute(&world.db.admin()).await.unwrap();
    let answer = feeds.row_feed_accept(&world.scope, feed, &rows).await.unwrap();
    assert!(answer["job"].is_string(), "{answer}");
    sqlx::query(done).execute(&world.db.admin()).await.unwrap();

    // The clock of these tests is behind the database's: what was put off is stored once it is time.
    let scheduler = world.scheduler();
    assert_eq!(scheduler.tick().await.unwrap(), 0);
    sqlx::query("update ops.jobs set created_at = created_at - interval '1 hour'")
        .execute(&world.db.admin())
        .await
        .unwrap();
    let due = moment(&row(&world, feed).await, "next_flush_at").unwrap();
    world.clock.advance(due - world.clock.now());
    assert_eq!(scheduler.tick().await.unwrap(), 1);
    assert_eq!(row(&world, feed).await["next_flush_at"], Value::Null);
}

#[tokio::test]
async fn an_organization_has_so_many_row_feeds_and_no_more() {
    let world = World::new().await;
    for place in 1..MOST_FEEDS {
        scheduled(&world, json!({ "name": format!("feed {place}") })).await;
    }
    let make = async |name: &str| {
        let create: RowFeedCreate = serde_json::from_value(json!({ "name": name })).unwrap();
        let mut tx = world.db.store().begin(&world.scope).await.unwrap();
        let made = row_feed_create(&mut tx, &create).await;
        tx.commit().await.unwrap();
        made
    };
    // Two who take the last place at once: one gets it.
    let (one, two) = tokio::join!(make("one"), make("two"));
    let refused = one.err().xor(two.err()).unwrap();
    assert_eq!(refused.code, Code::Conflict);
    assert!(refused.detail.contains("100 row feeds at most"), "{}", refused.detail);
    // Another organization has places of its own.
    let stranger = world.db.organization("Strangers").await;
    let create: RowFeedCreate = serde_json::from_value(json!({ "name": "theirs" })).unwrap();
    let mut tx = world.db.store().begin(&stranger).await.unwrap();
    row_feed_create(&mut tx, &create).await.unwrap();
}
