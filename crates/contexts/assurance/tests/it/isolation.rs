//! No monitor sees, runs or tells what is another organization's.

use ephor_assurance::{
    feed::{RowFeedCreate, row_feed_create},
    monitor::{dataset_arrived, monitor_run_now},
};
use ephor_kernel::Code;
use serde_json::json;
use sqlx::{Column as _, Executor as _, Row as _};

use crate::support::{NOON, World, people};

#[tokio::test]
async fn nothing_of_another_organization_is_reached() {
    let world = World::new().await;
    let dataset = world.dataset(&world.scope, people(20, 80, NOON)).await;
    let id = world.compliance(dataset, json!({ "on_arrival": true })).await;
    let stranger = world.db.organization("Strangers").await;

    let mut tx = world.db.store().begin(&stranger).await.unwrap();
    assert_eq!(monitor_run_now(&mut tx, id).await.unwrap_err().code, Code::NotFound);
    drop(tx);
    let body = json!({
        "name": "theirs", "kind": "compliance_violation", "current_dataset_id": dataset,
        "parameters": { "analysis": { "target": "y", "prediction": "p", "protected": ["sex"] } },
    });
    let problem = world.try_monitor(&stranger, body).await.unwrap_err();
    assert_eq!(problem.faults[0].code, "unknown_reference");
    assert_eq!(dataset_arrived(&world.db.store(), &stranger, dataset).await.unwrap(), 0);
    assert_eq!(world.jobs().await, 0);
}

#[tokio::test]
async fn what_is_due_is_told_to_the_scheduler_alone_and_as_ids() {
    let world = World::new().await;
    let dataset = world.dataset(&world.scope, people(20, 80, NOON)).await;
    let id = world.compliance(dataset, json!({ "schedule": "* * * * *" })).await;
    let ask = "select * from ops.monitors_due(now(), 10)";
    let ask_feeds = "select * from ops.row_feeds_due(now(), 10)";
    for role in ["ephor_app", "ephor_reach", "ephor_sealer"] {
        let mut connection = world.db.connect_as(role).await;
        for ask in [ask, ask_feeds] {
            assert!(connection.fetch_all(ask).await.is_err(), "{role}");
        }
    }
    let mut system = world.db.connect_as("ephor_system").await;
    let rows = system.fetch_all(ask).await.unwrap();
    let names: Vec<_> = rows[0].columns().iter().map(|column| column.name().to_owned()).collect();
    assert_eq!(names, ["organization_id", "monitor_id"]);
    let due: Vec<uuid::Uuid> = rows.iter().map(|row| row.get("monitor_id")).collect();
    assert_eq!(due, [id.uuid()]);

    let create: RowFeedCreate =
        serde_json::from_value(json!({ "name": "Decisions", "schedule": "* * * * *" })).unwrap();
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let feed = row_feed_create(&mut tx, &create).await.unwrap().id;
    tx.commit().await.unwrap();
    let rows = system.fetch_all(ask_feeds).await.unwrap();
    let names: Vec<_> = rows[0].columns().iter().map(|column| column.name().to_owned()).collect();
    assert_eq!(names, ["organization_id", "feed_id"]);
    let due: Vec<uuid::Uuid> = rows.iter().map(|row| row.get("feed_id")).collect();
    assert_eq!(due, [feed.uuid()]);
}
