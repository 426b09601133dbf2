//! What a run reads, and what keeps it from judging.

use ephor_assurance::monitor::monitor_run_now;
use ephor_kernel::Code;
use serde_json::json;

use crate::support::{NOON, World, people};

#[tokio::test]
async fn windows_are_cut_by_the_column_of_times() {
    let world = World::new().await;
    // Wrong long ago, right in the last hour; the end of a window is not in it, its beginning is.
    let mut text = people(20, 80, "2026-03-02T10:00:00Z");
    let late = people(50, 50, "2026-03-02T11:00:30Z");
    text.extend(late.lines().skip(1).map(|line| format!("{line}\n")));
    let after = people(20, 80, NOON);
    text.extend(after.lines().skip(1).map(|line| format!("{line}\n")));
    let dataset = world.dataset(&world.scope, text).await;
    let parameters = json!({
        "time_column": "at",
        "analysis": { "target": "y", "prediction": "p", "protected": ["sex"] },
    });
    let hour = json!({ "window_seconds": 3600, "parameters": parameters });
    let id = world.compliance(dataset, hour).await;
    let workers = world.workers();
    let row = world.run(id).await;
    assert_eq!(row["last_result"]["rows"]["current"], 200, "{row}");
    assert_eq!(row["last_outcome"], "pass");

    let whole = json!({ "name": "all", "parameters": parameters });
    let row = world.run(world.compliance(dataset, whole).await).await;
    assert_eq!(row["last_result"]["rows"]["current"], 600);
    assert_eq!(row["last_outcome"], "fail");

    // Rows of no time are in no window, and a number is no time.
    let number = json!({
        "name": "number", "window_seconds": 60, "parameters": {
            "time_column": "y", "analysis": parameters["analysis"],
        },
    });
    let row = world.run(world.compliance(dataset, number).await).await;
    assert!(row["last_result"]["error"].as_str().unwrap().contains("dates or timestamps"), "{row}");
    workers.shutdown().await;
}

#[tokio::test]
async fn too_few_rows_are_not_judged_and_change_no_alert() {
    let world = World::new().await;
    let dataset = world.dataset(&world.scope, people(20, 80, NOON)).await;
    let id = world.compliance(dataset, json!({ "minimum_rows": 100 })).await;
    let workers = world.workers();
    assert_eq!(world.run(id).await["last_outcome"], "fail");
    let few: String =
        people(50, 50, NOON).lines().take(100).map(|line| format!("{line}\n")).collect();
    world.replace(&world.scope, dataset, few);
    let row = world.run(id).await;
    assert_eq!(
        (&row["last_outcome"], &row["last_result"]["rows"]["current"]),
        (&json!(null), &json!(99))
    );
    assert!(row["last_result"]["notes"][0].as_str().unwrap().contains("100 are needed"), "{row}");
    assert_eq!(world.alerts().await[0]["status"], "open");
    workers.shutdown().await;
}

#[tokio::test]
async fn a_run_that_cannot_be_done_is_told_on_the_monitor() {
    let world = World::new().await;
    let dataset = world.dataset(&world.scope, people(20, 80, NOON)).await;
    let id = world.compliance(dataset, json!({})).await;
    let workers = world.workers();
    world.run(id).await;
    world.lose(dataset);
    let row = world.run(id).await;
    assert!(row["last_result"]["error"].as_str().unwrap().contains("data set"), "{row}");
    assert_eq!(row["last_outcome"], json!(null));
    // What was known to be wrong is not forgotten.
    assert_eq!(world.alerts().await[0]["status"], "open");

    // No table at all, one class, one group, no rows: a reason, or nothing to judge.
    for text in ["y,p,sex,at\n", "y,p,sex,at\n1,1,f,x\n", "a\n1\n"] {
        world.replace(&world.scope, dataset, text.to_owned());
        let row = world.run(id).await;
        assert!(row["last_outcome"] != "fail" && row["last_outcome"] != "pass", "{text}: {row}");
    }
    workers.shutdown().await;
}

#[tokio::test]
async fn what_is_not_complete_or_not_active_does_not_run() {
    let world = World::new().await;
    let draft = world.monitor(json!({ "name": "draft", "kind": "performance_degradation" })).await;
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let problem = monitor_run_now(&mut tx, draft).await.unwrap_err();
    let pointers: Vec<_> = problem.faults.iter().map(|fault| fault.pointer.as_ref()).collect();
    assert_eq!(pointers, ["/current_dataset_id", "/reference_dataset_id", "/parameters/analysis"]);
    tx.commit().await.unwrap();
    world.patch("monitors", draft.uuid(), json!({ "status": "paused" })).await;
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let problem = monitor_run_now(&mut tx, draft).await.unwrap_err();
    assert_eq!(problem.code, Code::InvalidTransition);
}

#[tokio::test]
async fn columns_that_go_or_change_are_found() {
    let world = World::new().await;
    let reference = world.dataset(&world.scope, people(50, 50, NOON)).await;
    let text = people(50, 50, NOON)
        .replace("y,p,sex,at", "y,p,gender,at")
        .replace(",f,", ",1,")
        .replace(",m,", ",2,");
    let current = world.dataset(&world.scope, text).await;
    let id = world
        .monitor(json!({
            "name": "columns", "kind": "data_quality", "metric": "column_gone",
            "reference_dataset_id": reference, "current_dataset_id": current,
        }))
        .await;
    let workers = world.workers();
    let row = world.run(id).await;
    assert_eq!(row["last_outcome"], "fail", "{row}");
    let alerts = world.alerts().await;
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(alerts[0]["details"]["attribute"], "sex");
    workers.shutdown().await;
}
