//! What a run reads, and what keeps it from judging.

use std::fmt::Write as _;

use ephor_assurance::monitor::monitor_run_now;
use ephor_kernel::{Code, PermissionSet, RequestContext, Scope};
use serde_json::{Value, json};

use crate::support::{NOON, World, people, predicted};

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
    let few: String = people(50, 50, NOON).split_inclusive('\n').take(100).collect();
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

/// Runs a monitor on what is wrong and then on what is right again; answers the alerts of the first run.
async fn found_and_recovered(mut body: Value, reference: String, wrong: String) -> Vec<Value> {
    let world = World::new().await;
    let before = world.dataset(&world.scope, reference.clone()).await;
    let current = world.dataset(&world.scope, wrong).await;
    let fields = body.as_object_mut().unwrap();
    fields.insert("name".to_owned(), json!("watched"));
    fields.insert("reference_dataset_id".to_owned(), json!(before));
    fields.insert("current_dataset_id".to_owned(), json!(current));
    let id = world.monitor(body).await;
    let workers = world.workers();
    let row = world.run(id).await;
    assert_eq!(row["last_outcome"], "fail", "{row}");
    assert_eq!(row["last_result"]["rows"], json!({ "reference": 200, "current": 200 }));
    let found = world.alerts().await;
    assert!(!found.is_empty() && found.iter().all(|alert| alert["status"] == "open"), "{found:?}");
    world.replace(&world.scope, current, reference);
    let row = world.run(id).await;
    assert_eq!(row["last_outcome"], "pass", "{row}");
    let after = world.alerts().await;
    assert!(after.iter().all(|alert| alert["status"] == "closed"), "{after:?}");
    assert_eq!(after.len(), found.len());
    workers.shutdown().await;
    found
}

#[tokio::test]
async fn columns_that_drift_are_found() {
    let body = json!({ "kind": "data_quality", "parameters": { "thresholds": { "new_categories": 0.1 } } });
    let reference = people(50, 50, NOON);
    let wrong = people(95, 95, NOON).replace(",f,", ",x,");
    let found = Box::pin(found_and_recovered(body, reference, wrong)).await;
    let has = |metric: &str, column: &str| {
        found.iter().any(|alert| {
            alert["details"]["metric"] == metric && alert["details"]["attribute"] == column
        })
    };
    assert!(has("new_categories", "sex"), "{found:?}");
    assert!(found.iter().any(|alert| alert["details"]["attribute"] == "p"), "{found:?}");
    assert!(!found.iter().any(|alert| alert["details"]["attribute"] == "y"), "{found:?}");
}

#[tokio::test]
async fn groups_treated_less_equally_than_before_are_found() {
    let body = json!({
        "kind": "bias_drift", "metric": "demographic_parity_difference", "threshold": 0.1,
        "parameters": { "analysis": { "target": "y", "prediction": "p", "protected": ["sex"] } },
    });
    let found =
        Box::pin(found_and_recovered(body, people(50, 50, NOON), people(20, 80, NOON))).await;
    let [alert] = found.as_slice() else { panic!("{found:?}") };
    let details = &alert["details"];
    assert_eq!((&details["attribute"], &details["threshold"]), (&json!("sex"), &json!(0.1)));
    assert_eq!(details["reference"], json!(0.0));
    assert!((details["value"].as_f64().unwrap() - 0.6).abs() < 1e-12, "{alert}");
}

#[tokio::test]
async fn predictions_that_got_worse_are_found_and_better_ones_are_not() {
    let body = json!({
        "kind": "performance_degradation", "metric": "accuracy",
        "parameters": { "analysis": { "target": "y", "prediction": "p", "protected": ["sex"] } },
    });
    let found = Box::pin(found_and_recovered(body.clone(), predicted(95), predicted(60))).await;
    assert!(found.iter().all(|alert| alert["details"]["metric"] == "accuracy"), "{found:?}");
    // Everybody, and each of the two groups at most.
    assert!((1..=3).contains(&found.len()), "{found:?}");

    let world = World::new().await;
    let before = world.dataset(&world.scope, predicted(60)).await;
    let current = world.dataset(&world.scope, predicted(95)).await;
    let mut better = body;
    better.as_object_mut().unwrap().extend(
        json!({ "name": "b", "reference_dataset_id": before, "current_dataset_id": current })
            .as_object()
            .unwrap()
            .clone(),
    );
    let id = world.monitor(better).await;
    let workers = world.workers();
    assert_eq!(world.run(id).await["last_outcome"], "pass");
    workers.shutdown().await;
}

/// A hundred predicted numbers of each sex; those of women are off by so much.
fn prices(off: u32) -> String {
    let mut text = "y,p,sex\n".to_owned();
    for (sex, off) in [("f", off), ("m", 0)] {
        for number in 0..100_u32 {
            let truth = 50 + number * 7 % 40;
            writeln!(text, "{truth},{},{sex}", truth + number % 5 + off - 2).unwrap();
        }
    }
    text
}

/// A hundred classes of each sex; of women so many are right, in percent, of men ninety.
fn grades(right: usize) -> String {
    const NAMES: [&str; 3] = ["a", "b", "c"];
    let mut text = "y,p,sex\n".to_owned();
    for (sex, right) in [("f", right), ("m", 90)] {
        for number in 0..100 {
            let guess = if number < right { number } else { number + 1 };
            writeln!(text, "{},{},{sex}", NAMES[number % 3], NAMES[guess % 3]).unwrap();
        }
    }
    text
}

/// Twenty lists of ten; of so many in a row all women stand behind all men, of the others they alternate.
fn lists(last: usize) -> String {
    let mut text = "list,place,sex\n".to_owned();
    for list in 0..20 {
        for number in 0..10 {
            let is_woman = number % 2 == list % 2;
            let behind = if list < last && is_woman { 10 } else { 0 };
            let sex = if is_woman { "f" } else { "m" };
            writeln!(text, "{list},{},{sex}", number + behind).unwrap();
        }
    }
    text
}

#[tokio::test]
async fn predicted_numbers_further_off_about_a_group_are_found() {
    let analysis =
        json!({ "task": "regression", "target": "y", "prediction": "p", "protected": ["sex"] });
    let body = json!({
        "kind": "bias_drift", "metric": "mae_difference", "threshold": 2.0,
        "parameters": { "analysis": analysis },
    });
    let found = Box::pin(found_and_recovered(body, prices(0), prices(9))).await;
    let [alert] = found.as_slice() else { panic!("{found:?}") };
    let details = &alert["details"];
    assert_eq!(
        (&details["metric"], &details["attribute"], &details["threshold"]),
        (&json!("mae_difference"), &json!("sex"), &json!(2.0))
    );

    let body = json!({
        "kind": "performance_degradation", "metric": "mae", "threshold": 2.0,
        "parameters": { "analysis": analysis },
    });
    let found = Box::pin(found_and_recovered(body, prices(0), prices(9))).await;
    let mut groups: Vec<_> = found.iter().map(|alert| alert["details"]["group"].as_str()).collect();
    groups.sort_unstable();
    assert_eq!(groups, [None, Some("f")], "{found:?}");
}

#[tokio::test]
async fn each_class_that_a_group_gets_worse_raises_its_own_alert() {
    let body = json!({
        "kind": "bias_drift", "metric": "tpr_difference", "threshold": 0.1,
        "parameters": { "analysis": {
            "task": "multiclass", "target": "y", "prediction": "p", "protected": ["sex"],
        } },
    });
    let found = Box::pin(found_and_recovered(body, grades(90), grades(10))).await;
    let mut classes: Vec<_> =
        found.iter().filter_map(|alert| alert["details"]["group"].as_str()).collect();
    classes.sort_unstable();
    assert_eq!(classes, ["a", "b", "c"], "{found:?}");
    assert!(found.iter().all(|alert| alert["details"]["attribute"] == "sex"), "{found:?}");
}

#[tokio::test]
async fn groups_and_classes_of_one_side_are_told_and_faults_say_of_which() {
    let world = World::new().await;
    let before = world.dataset(&world.scope, grades(90)).await;
    let more = format!("{}{}d,d,f\n", grades(90), "a,a,x\n".repeat(100));
    let current = world.dataset(&world.scope, more).await;
    let id = world
        .monitor(json!({
            "name": "grades", "kind": "performance_degradation",
            "reference_dataset_id": before, "current_dataset_id": current,
            "parameters": { "analysis": {
                "task": "multiclass", "target": "y", "prediction": "p", "protected": ["sex"],
            } },
        }))
        .await;
    let workers = world.workers();
    let row = world.run(id).await;
    let notes = row["last_result"]["notes"].to_string();
    for note in [
        "Only the current window has these groups: sex: x.",
        "Only the current window has these classes: d.",
    ] {
        assert!(notes.contains(note), "{note} is not in {row}");
    }
    world.replace(&world.scope, before, "y,sex\na,f\n".to_owned());
    let row = world.run(id).await;
    assert!(row["last_result"]["error"].as_str().unwrap().contains("In the reference: "), "{row}");
    workers.shutdown().await;
}

#[tokio::test]
async fn lists_that_put_a_group_last_are_found_and_told_once() {
    let world = World::new().await;
    let dataset = world.dataset(&world.scope, lists(16)).await;
    let id = world
        .compliance(
            dataset,
            json!({ "metric": "exposure_ratio", "parameters": { "analysis": {
                "task": "ranking", "list": "list", "position": "place", "protected": ["sex"],
            } } }),
        )
        .await;
    let workers = world.workers();
    for occurrences in [1, 2] {
        let row = world.run(id).await;
        assert_eq!(row["last_outcome"], "fail", "{row}");
        let alerts = world.alerts().await;
        assert_eq!(alerts.len(), 1, "{alerts:?}");
        assert_eq!(alerts[0]["occurrences"], occurrences);
    }
    world.replace(&world.scope, dataset, lists(0));
    assert_eq!(world.run(id).await["last_outcome"], "pass");
    assert_eq!(world.alerts().await[0]["status"], "closed");
    workers.shutdown().await;
}

#[tokio::test]
async fn what_does_not_fit_the_task_is_refused_with_every_fault() {
    let world = World::new().await;
    let dataset = world.dataset(&world.scope, prices(0)).await;
    let refused = world
        .try_monitor(
            &world.scope,
            json!({
                "name": "wrong", "kind": "performance_degradation", "schedule": "0 6 * * *",
                "current_dataset_id": dataset, "metric": "mae_difference", "threshold": 0.5,
                "parameters": {
                    "analysis": { "task": "regression", "target": "y", "prediction": "p", "protected": [], "loss_bound": -1.0 },
                    "thresholds": { "accuracy": 0.1 },
                },
            }),
        )
        .await
        .unwrap_err();
    let mut pointers: Vec<_> =
        refused.faults.iter().map(|fault| fault.pointer.to_string()).collect();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        [
            "/metric",
            "/parameters/analysis/loss_bound",
            "/parameters/analysis/protected",
            "/parameters/thresholds/accuracy",
            "/reference_dataset_id",
        ]
    );

    // Columns are known once a data set is stored: whoever has it run is told of all that are not there.
    sqlx::query(
        "update registry.datasets set status = 'ready', schema = $2, row_count = 1, storage_path = 'x', size_bytes = 1,
                sha256 = repeat('0', 64) where id = $1",
    )
    .bind(dataset.uuid())
    .bind(json!([{ "name": "y" }, { "name": "p" }, { "name": "sex" }]))
    .execute(&world.db.admin())
    .await
    .unwrap();
    let id = world
        .compliance(
            dataset,
            json!({ "metric": "prediction_distance", "parameters": { "time_column": "at", "analysis": {
                "task": "regression", "target": "y", "prediction": "guess", "protected": ["sex", "race"],
            } } }),
        )
        .await;
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let refused = monitor_run_now(&mut tx, id).await.unwrap_err();
    let told: Vec<_> =
        refused.faults.iter().map(|fault| (fault.pointer.as_ref(), fault.code.as_ref())).collect();
    assert_eq!(
        told,
        [
            ("/parameters/time_column", "unknown_column"),
            ("/parameters/analysis/prediction", "unknown_column"),
            ("/parameters/analysis/protected/1", "unknown_column"),
        ]
    );
    tx.commit().await.unwrap();

    // What else is wrong hides none of them.
    let draft = world
        .monitor(json!({
            "name": "half", "kind": "performance_degradation", "current_dataset_id": dataset,
            "parameters": { "analysis": { "target": "y", "prediction": "guess", "protected": ["sex"] } },
        }))
        .await;
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let refused = monitor_run_now(&mut tx, draft).await.unwrap_err();
    let told: Vec<_> = refused.faults.iter().map(|fault| fault.pointer.as_ref()).collect();
    assert_eq!(told, ["/reference_dataset_id", "/parameters/analysis/prediction"]);
    tx.commit().await.unwrap();

    // What a data set holds is told to nobody who may not read it.
    let narrow = Scope::new(
        world.scope.principal(),
        world.scope.organization(),
        PermissionSet::parse(["monitors:update"]).unwrap(),
        RequestContext::default(),
    );
    let mut tx = world.db.store().begin(&narrow).await.unwrap();
    assert!(monitor_run_now(&mut tx, id).await.is_ok());
}
