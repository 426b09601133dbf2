//! Row feeds whose data sets are rows of the database alone: what is asked for, and what follows.

use std::sync::Arc;

use ephor_assurance::feed::{
    FlushRunner, PushedBatch, RowFeedCreate, RowFeeds, RowsToStore, StoreRows, row_feed_create,
    row_feed_flush,
};
use ephor_kernel::{Code, DatasetId, JobId, RowFeedId};
use ephor_store::jobs::{Workers, WorkersConfig};
use serde_json::{Value, json};

use crate::support::{NOON, World, people};

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
