//! Alerts: raised once, counted while they last, closed when it is right again.

use serde_json::{Value, json};

use crate::support::{NOON, World, people};

#[tokio::test]
async fn what_is_wrong_is_told_once_while_it_lasts_and_closes_itself() {
    let world = World::new().await;
    let dataset = world.dataset(&world.scope, people(20, 80, NOON)).await;
    let id = world.compliance(dataset, json!({})).await;
    let workers = world.workers();

    let row = world.run(id).await;
    assert_eq!(row["last_outcome"], "fail", "{row}");
    assert_eq!(row["last_result"]["rows"], json!({ "reference": null, "current": 200 }));
    let [alert] = <[Value; 1]>::try_from(world.alerts().await).unwrap();
    assert_eq!(
        (&alert["status"], &alert["severity"], &alert["alert_type"], &alert["occurrences"]),
        (&json!("open"), &json!("high"), &json!("compliance_violation"), &json!(1))
    );
    let key = format!("{id}/demographic_parity_difference/sex/");
    assert_eq!((&alert["dedup_key"], &alert["monitor_id"]), (&json!(key), &json!(id)));
    let details = &alert["details"];
    assert!((details["value"].as_f64().unwrap() - 0.6).abs() < 1e-12, "{alert}");
    assert_eq!((&details["threshold"], &details["attribute"]), (&json!(0.1), &json!("sex")));
    assert!(details["interval"]["lower"].as_f64().unwrap() > 0.1);
    assert!(alert["message"].as_str().unwrap().starts_with("Fair hiring: "), "{alert}");

    // Somebody looks after it: it is the same alert.
    world
        .patch(
            "monitoring_alerts",
            alert["id"].as_str().unwrap().parse().unwrap(),
            json!({ "status": "acknowledged" }),
        )
        .await;
    world.run(id).await;
    let [again] = <[Value; 1]>::try_from(world.alerts().await).unwrap();
    assert_eq!((&again["id"], &again["occurrences"]), (&alert["id"], &json!(2)));
    assert_eq!(again["status"], "acknowledged");

    // Within noise: neither raised again nor recovered.
    world.replace(&world.scope, dataset, people(45, 57, NOON));
    let row = world.run(id).await;
    assert_eq!(row["last_outcome"], "warning", "{row}");
    let [lasting] = <[Value; 1]>::try_from(world.alerts().await).unwrap();
    assert_eq!((&lasting["occurrences"], &lasting["status"]), (&json!(2), &json!("acknowledged")));

    world.replace(&world.scope, dataset, people(50, 50, NOON));
    assert_eq!(world.run(id).await["last_outcome"], "pass");
    let [closed] = <[Value; 1]>::try_from(world.alerts().await).unwrap();
    assert_eq!(closed["status"], "closed", "{closed}");
    assert!(closed["close_reason"].as_str().unwrap().contains("recovered"));
    // By the system, not by whoever asked for the run.
    assert_eq!(closed["closed_by"], "00000000-0000-7000-8000-000000000001");

    // What was said of its end stays said.
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let one = closed["id"].as_str().unwrap().parse().unwrap();
    let patch = json!({ "close_reason": "Another." });
    let refused = world.engine.update(&mut tx, "monitoring_alerts", one, &patch, None).await;
    assert_eq!(refused.unwrap_err().faults[0].code, "closed");
    drop(tx);

    // Wrong again is a new alert.
    world.replace(&world.scope, dataset, people(20, 80, NOON));
    world.run(id).await;
    let all = world.alerts().await;
    assert_eq!(all.len(), 2);
    assert_eq!((&all[1]["status"], &all[1]["occurrences"]), (&json!("open"), &json!(1)));
    workers.shutdown().await;

    let told: Vec<(String, i64)> = sqlx::query_as(
        "select event ->> 'type', count(*) from ops.outbox where kind = 'event'
            and event ->> 'type' in ('alert_raised', 'alert_closed') group by 1",
    )
    .fetch_all(&world.db.admin())
    .await
    .unwrap();
    // Workers without a listener forget events as they go: what is left is at most what was told.
    assert!(told.iter().all(|(_, count)| *count <= 2), "{told:?}");
}

#[tokio::test]
async fn a_warning_raises_nothing() {
    let world = World::new().await;
    let dataset = world.dataset(&world.scope, people(45, 57, NOON)).await;
    let id = world.compliance(dataset, json!({})).await;
    let workers = world.workers();
    assert_eq!(world.run(id).await["last_outcome"], "warning");
    assert!(world.alerts().await.is_empty());
    workers.shutdown().await;
}

#[tokio::test]
async fn what_is_not_watched_any_more_is_closed_by_the_next_run_that_judges() {
    let world = World::new().await;
    let dataset = world.dataset(&world.scope, people(20, 80, NOON)).await;
    let id = world.compliance(dataset, json!({})).await;
    let workers = world.workers();
    world.run(id).await;
    assert_eq!(world.alerts().await[0]["status"], "open");
    let patch =
        json!({ "metric": "demographic_parity_ratio", "threshold": 0.2, "minimum_rows": 1000 });
    world.patch("monitors", id.uuid(), patch).await;
    world.run(id).await;
    assert_eq!(world.alerts().await[0]["status"], "open");
    world.patch("monitors", id.uuid(), json!({ "minimum_rows": 1 })).await;
    world.run(id).await;
    let all = world.alerts().await;
    assert_eq!(all[0]["details"]["metric"], "demographic_parity_difference");
    assert_eq!(all[0]["status"], "closed", "{all:?}");
    assert!(all[0]["close_reason"].as_str().unwrap().contains("does not watch"), "{all:?}");
    // What it watches now is told by itself.
    assert!(all[1..].iter().all(|alert| alert["status"] == "open") && all.len() == 2, "{all:?}");
    workers.shutdown().await;
}

#[tokio::test]
async fn a_score_that_is_too_low_is_a_violation() {
    let world = World::new().await;
    let dataset = world.dataset(&world.scope, people(10, 90, NOON)).await;
    let more = json!({ "metric": "compliance_score", "threshold": 90.0 });
    let id = world.compliance(dataset, more).await;
    let workers = world.workers();
    let row = world.run(id).await;
    assert_eq!(row["last_outcome"], "fail", "{row}");
    let [alert] = <[Value; 1]>::try_from(world.alerts().await).unwrap();
    assert_eq!(
        (&alert["details"]["metric"], &alert["details"]["threshold"]),
        (&json!("compliance_score"), &json!(90.0))
    );
    workers.shutdown().await;
}

#[tokio::test]
async fn names_of_groups_are_data() {
    let world = World::new().await;
    let text = people(20, 80, NOON).replace(",f,", ",<b>/\\' or 1=1--,");
    let dataset = world.dataset(&world.scope, text).await;
    let id = world.compliance(dataset, json!({})).await;
    let workers = world.workers();
    world.run(id).await;
    let [alert] = <[Value; 1]>::try_from(world.alerts().await).unwrap();
    assert!(alert["message"].as_str().unwrap().contains("<b>/\\' or 1=1--"), "{alert}");
    workers.shutdown().await;
}
