//! Parts of Ephor tell that they work; who is silent is found out, and only news leaves a trail.

use ephor_store::{
    HealthRecord, Heartbeats, Pulse, health_list, heartbeats_write,
    testing::{self, TestDatabase},
};
use serde_json::json;

async fn part(db: &TestDatabase, name: &str) -> HealthRecord {
    let parts = health_list(&db.store()).await.unwrap();
    parts.into_iter().find(|part| part.service == name).unwrap()
}

/// How many changes of the parts were audited.
async fn entries(db: &TestDatabase) -> i64 {
    let count = "select count(*) from audit.audit_logs where entity_type = 'ops.system_health'";
    sqlx::query_scalar(count).fetch_one(&db.admin()).await.unwrap()
}

/// As if it had all been some minutes earlier.
async fn later(db: &TestDatabase, minutes: i32) {
    sqlx::query(
        "update ops.heartbeats set beat_at = beat_at - make_interval(mins => $1),
                                   fault_at = fault_at - make_interval(mins => $1)",
    )
    .bind(minutes)
    .execute(&db.admin())
    .await
    .unwrap();
}

#[tokio::test]
async fn only_what_becomes_better_or_worse_is_audited() {
    let db = testing::database().await;
    let store = db.store();
    let tell = async |outcome: Result<(), &str>| {
        store.pulse().told("sealer", Pulse::SILENCE, &outcome);
        heartbeats_write(&store).await.unwrap();
        part(&db, "sealer").await
    };
    assert_eq!(tell(Ok(())).await.status, "healthy");
    assert_eq!(entries(&db).await, 1);
    later(&db, 3).await;
    let before = part(&db, "sealer").await;
    let after = tell(Ok(())).await;
    assert!(after.checked_at > before.checked_at);
    assert_eq!((after.changed_at, entries(&db).await), (before.changed_at, 1));

    let worse = tell(Err("no disk")).await;
    assert_eq!(worse.status, "degraded");
    assert_eq!(worse.details, json!({ "fault": "no disk" }));
    // Another process works; but it is well again only once nobody has told otherwise for a while.
    assert_eq!(tell(Ok(())).await.status, "degraded");
    assert_eq!(tell(Err("still no disk")).await.status, "degraded");
    assert_eq!(entries(&db).await, 2);
    later(&db, 6).await;
    assert_eq!(tell(Ok(())).await.status, "healthy");
    assert_eq!(entries(&db).await, 3);
}

#[tokio::test]
async fn what_works_once_a_day_is_well_as_soon_as_it_worked_again() {
    let db = testing::database().await;
    let store = db.store();
    let tell = async |outcome: Result<(), &str>| {
        store.pulse().told("clean-up", Pulse::DAILY_SILENCE, &outcome);
        heartbeats_write(&store).await.unwrap();
        part(&db, "clean-up").await.status
    };
    assert_eq!(tell(Err("no disk")).await, "degraded");
    assert_eq!(tell(Ok(())).await, "healthy");
    assert_eq!(tell(Err("no disk")).await, "degraded");
    later(&db, 60).await;
    // Nobody mended it since.
    assert_eq!(part(&db, "clean-up").await.status, "degraded");
    assert_eq!(tell(Ok(())).await, "healthy");
}

#[tokio::test]
async fn signs_of_life_that_could_not_be_written_are_written_the_next_time() {
    let db = testing::database().await;
    let store = db.store();
    let role = async |sql: &'static str| {
        sqlx::query(sql).execute(&db.admin()).await.unwrap();
    };
    store.pulse().fault("sealer", Pulse::SILENCE, &"no disk");
    store.pulse().fine("clean-up", Pulse::DAILY_SILENCE);
    role("revoke insert on ops.heartbeats from ephor_system").await;
    assert!(heartbeats_write(&store).await.is_err());
    assert!(heartbeats_write(&store).await.is_err());
    role("grant insert on ops.heartbeats to ephor_system").await;
    store.pulse().fine("sealer", Pulse::SILENCE);
    heartbeats_write(&store).await.unwrap();
    let sealer = part(&db, "sealer").await;
    assert_eq!(
        (sealer.status.as_str(), sealer.details),
        ("degraded", json!({ "fault": "no disk" }))
    );
    assert_eq!(part(&db, "clean-up").await.status, "healthy");
}

#[tokio::test]
async fn who_is_silent_does_not_work_unless_it_was_stopped() {
    let db = testing::database().await;
    let store = db.store();
    store.pulse().fine("sealer", Pulse::SILENCE);
    store.pulse().fine("mail", None);
    heartbeats_write(&store).await.unwrap();
    later(&db, 4).await;
    assert!(!part(&db, "sealer").await.silent);
    later(&db, 2).await;
    let silent = part(&db, "sealer").await;
    assert_eq!((silent.silent, silent.status.as_str()), (true, "unhealthy"));
    // Mails are sent when there are any.
    assert!(!part(&db, "mail").await.silent);
    assert_eq!(entries(&db).await, 2, "nobody wrote that it is silent");

    let heartbeats = Heartbeats::start(&store);
    store.pulse().fine("sealer", Pulse::SILENCE);
    heartbeats.shutdown().await;
    assert_eq!(part(&db, "sealer").await.status, "healthy");
    later(&db, 60).await;
    assert!(!part(&db, "sealer").await.silent, "it was stopped");
    store.pulse().fine("sealer", Pulse::SILENCE);
    heartbeats_write(&store).await.unwrap();
    later(&db, 60).await;
    assert!(part(&db, "sealer").await.silent, "another process worked, and is silent");
}

#[tokio::test]
async fn who_records_how_it_is_by_itself_is_not_overruled() {
    let db = testing::database().await;
    let store = db.store();
    let tell = async || {
        store.pulse().alive("workers", Pulse::SILENCE);
        heartbeats_write(&store).await.unwrap();
        part(&db, "workers").await.status
    };
    assert_eq!(tell().await, "healthy");
    sqlx::query("update ops.system_health set status = 'degraded' where service_name = 'workers'")
        .execute(&db.admin())
        .await
        .unwrap();
    assert_eq!(tell().await, "degraded");
}
