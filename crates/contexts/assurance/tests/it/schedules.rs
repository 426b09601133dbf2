//! When monitors run.

use chrono::TimeDelta;
use ephor_assurance::monitor::dataset_arrived;
use serde_json::{Value, json};

use crate::support::{NOON, World, moment, people, until};

#[tokio::test]
async fn a_monitor_runs_when_it_is_due_once_whatever_was_missed() {
    let world = World::new().await;
    let dataset = world.dataset(&world.scope, people(50, 50, NOON)).await;
    let id = world.compliance(dataset, json!({ "schedule": "*/5 * * * *" })).await;
    let scheduler = world.scheduler();

    // The first look works out when it is due.
    assert_eq!(scheduler.tick().await.unwrap(), 0);
    let at = |text: &str| Some(text.parse().unwrap());
    assert_eq!(moment(&world.row(id).await, "next_run_at"), at("2026-03-02T12:05:00Z"));
    world.clock.advance(TimeDelta::minutes(4));
    assert_eq!((scheduler.tick().await.unwrap(), world.jobs().await), (0, 0));
    world.clock.advance(TimeDelta::minutes(1));
    assert_eq!((scheduler.tick().await.unwrap(), world.jobs().await), (1, 1));
    assert_eq!(scheduler.tick().await.unwrap(), 0);
    assert_eq!(moment(&world.row(id).await, "next_run_at"), at("2026-03-02T12:10:00Z"));

    // Nothing worked for a day: while that run waits there is no second.
    world.clock.advance(TimeDelta::days(1));
    scheduler.tick().await.unwrap();
    assert_eq!(world.jobs().await, 1);
    let workers = world.workers();
    until("the run ends", async || world.row(id).await["last_outcome"] == "pass").await;
    // The window of a run ends when it was due, not when somebody had time for it.
    assert_eq!(moment(&world.row(id).await, "last_run_at"), at("2026-03-02T12:05:00Z"));
    world.clock.advance(TimeDelta::days(2));
    assert_eq!(scheduler.tick().await.unwrap(), 1);
    until("one run for all that was missed", async || {
        moment(&world.row(id).await, "last_run_at") == at("2026-03-05T12:05:00Z")
    })
    .await;
    assert_eq!(world.jobs().await, 2);
    workers.shutdown().await;
}

#[tokio::test]
async fn two_who_look_at_once_start_it_once() {
    let world = World::new().await;
    let dataset = world.dataset(&world.scope, people(50, 50, NOON)).await;
    for name in ["a", "b", "c", "d"] {
        let more = json!({ "schedule": "* * * * *", "name": name });
        world.compliance(dataset, more).await;
    }
    let (one, other) = (world.scheduler(), world.scheduler());
    one.tick().await.unwrap();
    world.clock.advance(TimeDelta::minutes(1));
    let (first, second, third) = tokio::join!(one.tick(), other.tick(), one.tick());
    assert_eq!(first.unwrap() + second.unwrap() + third.unwrap(), 4);
    assert_eq!(world.jobs().await, 4);
}

#[tokio::test]
async fn what_is_paused_or_suspended_is_not_due() {
    let world = World::new().await;
    let dataset = world.dataset(&world.scope, people(50, 50, NOON)).await;
    let id = world.compliance(dataset, json!({ "schedule": "* * * * *" })).await;
    let scheduler = world.scheduler();
    scheduler.tick().await.unwrap();
    world.patch("monitors", id.uuid(), json!({ "status": "paused" })).await;
    world.clock.advance(TimeDelta::minutes(2));
    assert_eq!(scheduler.tick().await.unwrap(), 0);
    assert_eq!(world.row(id).await["next_run_at"], Value::Null);
    // Resumed, it does not make up for what it was paused for.
    world.patch("monitors", id.uuid(), json!({ "status": "active" })).await;
    assert_eq!(scheduler.tick().await.unwrap(), 0);
    world.clock.advance(TimeDelta::minutes(1));
    sqlx::query("update identity.organizations set is_active = false where id = $1")
        .bind(world.scope.organization().uuid())
        .execute(&world.db.admin())
        .await
        .unwrap();
    assert_eq!((scheduler.tick().await.unwrap(), world.jobs().await), (0, 0));
}

#[tokio::test]
async fn a_wrong_schedule_is_refused_and_one_that_got_in_is_told() {
    let world = World::new().await;
    let dataset = world.dataset(&world.scope, people(50, 50, NOON)).await;
    let body = json!({ "name": "x", "kind": "compliance_violation", "schedule": "0 24 31 2 *" });
    let problem = world.try_monitor(&world.scope, body).await.unwrap_err();
    let pointers: Vec<_> = problem.faults.iter().map(|fault| fault.pointer.as_ref()).collect();
    assert_eq!(pointers, ["/schedule", "/current_dataset_id", "/parameters/analysis"]);
    assert!(problem.faults[0].message.contains("`24` is not a number from 0 to 23"));

    let id = world.compliance(dataset, json!({})).await;
    sqlx::query("update assurance.monitors set schedule = '0 0 31 2 *' where id = $1")
        .bind(id.uuid())
        .execute(&world.db.admin())
        .await
        .unwrap();
    assert_eq!(world.scheduler().tick().await.unwrap(), 0);
    let row = world.row(id).await;
    assert!(row["last_result"]["error"].as_str().unwrap().contains("cannot be read"), "{row}");
    assert_eq!(world.scheduler().tick().await.unwrap(), 0);
}

#[tokio::test]
async fn it_runs_when_rows_arrive_if_it_wants_to() {
    let world = World::new().await;
    let dataset = world.dataset(&world.scope, people(50, 50, NOON)).await;
    let other = world.dataset(&world.scope, people(50, 50, NOON)).await;
    world.compliance(dataset, json!({ "on_arrival": true })).await;
    world.compliance(dataset, json!({ "name": "by hand" })).await;
    let store = world.db.store();
    assert_eq!(dataset_arrived(&store, &world.scope, other).await.unwrap(), 0);
    assert_eq!(dataset_arrived(&store, &world.scope, dataset).await.unwrap(), 1);
    // Told twice, it still waits once.
    assert_eq!(dataset_arrived(&store, &world.scope, dataset).await.unwrap(), 1);
    assert_eq!(world.jobs().await, 1);
}
