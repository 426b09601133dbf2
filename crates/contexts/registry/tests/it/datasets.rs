//! Data sets: whole, or not at all; seen by their own organization only.

use std::time::Duration;

use ephor_kernel::{Code, DatasetId, DomainEvent};
use ephor_registry::dataset::{RowFormat, dataset_get};
use futures::{StreamExt, stream};
use serde_json::{Value, json};

use crate::support::{World, broken, pieces};

const SMALL: &str = "id,sex,score\n1,F,0.5\n2,M,\n3,F,0.25\n";

#[tokio::test]
async fn an_upload_is_stored_profiled_and_opened() {
    let world = World::new().await;
    let id = world.upload("people.csv", SMALL).await.unwrap();
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let dataset = dataset_get(&mut tx, id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((dataset.name.as_str(), dataset.status.as_str()), ("people", "ready"));
    assert_eq!((dataset.source_format.as_str(), dataset.row_count), ("csv", Some(3)));
    assert_eq!(
        dataset.schema,
        json!([
            { "name": "id", "type": "integer", "nullable": true },
            { "name": "sex", "type": "text", "nullable": true },
            { "name": "score", "type": "number", "nullable": true },
        ])
    );
    let profile = dataset.profile.unwrap();
    assert_eq!(profile.columns[2].nulls, 1);
    let [object] = world.objects().try_into().unwrap();
    assert!(
        object.ends_with(format!("datasets/{}/{id}.parquet", world.scope.organization())),
        "{object:?}"
    );
    assert_eq!(dataset.size_bytes, Some(std::fs::metadata(&object).unwrap().len() as i64));
    let table = world.registry.dataset_open(&world.scope, id).await.unwrap();
    assert_eq!(table.rows(), 3);
}

#[tokio::test]
async fn rows_are_shown_in_three_forms() {
    let world = World::new().await;
    let id = world
        .upload("x.ndjson", "{\"a\":\"=1+1\",\"b\":{\"c\":[1]}}\n{\"a\":null,\"b\":null}\n")
        .await
        .unwrap();
    let rows = async |limit, format| {
        String::from_utf8(
            world.registry.dataset_rows(&world.scope, id, limit, format).await.unwrap(),
        )
        .unwrap()
    };
    let array: Value = serde_json::from_str(&rows(10, RowFormat::Json).await).unwrap();
    assert_eq!(array, json!([{ "a": "=1+1", "b": "{\"c\":[1]}" }, {}]));
    assert_eq!(rows(1, RowFormat::Ndjson).await.lines().count(), 1);
    assert_eq!(rows(0, RowFormat::Json).await, "[]");
    let csv = rows(10, RowFormat::Csv).await;
    assert!(csv.starts_with("a,b\n'=1+1,"), "a formula is shown, not run: {csv}");
}

#[tokio::test]
async fn a_broken_file_is_refused_with_its_place_and_leaves_nothing() {
    let world = World::new().await;
    for (content, words) in [
        ("a,b\n1,2\n3\n", "line 3"),
        ("", "empty"),
        ("{\"a\":1}\n{\"a\":\n", "line 2"),
        ("PK\u{3}\u{4}zip", "Unpack it"),
        ("PAR1 but not really", "damaged|does not end"),
    ] {
        let problem = world.upload("x", content).await.unwrap_err();
        assert_eq!(problem.code, Code::Invalid, "{content:?}");
        assert_eq!(problem.faults[0].pointer, "/file");
        let told = &problem.faults[0].message;
        assert!(words.split('|').any(|word| told.contains(word)), "{content:?}: {told}");
        assert_eq!(world.rows().await, 0);
        assert!(world.objects().is_empty());
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let world = World::new().await;
    let body = pieces(SMALL).chain(stream::iter([broken("the client hung up")]));
    let problem = world.upload_as(&world.scope, "x.csv", body).await.unwrap_err();
    assert_eq!(problem.code, Code::Malformed);
    assert_eq!(world.rows().await, 0);
    assert!(world.objects().is_empty());
}

/// A server drops the request of a client that hangs up: nobody waits for the upload any more.
#[tokio::test]
async fn an_upload_that_nobody_waits_for_leaves_nothing() {
    let world = World::new().await;
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let started = stream::once(async move {
        told.send(()).unwrap();
        Ok(bytes::Bytes::from_static(b"a,b\n1,2\n"))
    });
    let endless = started.chain(stream::pending());
    // It is held until the row was counted: it is taken away from the moment that nobody waits.
    let mut upload = Box::pin(world.upload_as(&world.scope, "x.csv", endless));
    tokio::select! {
        ended = &mut upload => panic!("it ended: {ended:?}"),
        _ = heard.recv() => {}
    }
    assert_eq!(world.rows().await, 1, "the row says that something is coming");
    drop(upload);
    world.nothing_left().await;
}

#[tokio::test]
async fn too_much_is_refused() {
    let world = World::with_limit(1000).await;
    let problem = world.upload("x.csv", format!("a\n{}", "1\n".repeat(600))).await.unwrap_err();
    assert_eq!(problem.code, Code::TooLarge);
    assert!(problem.detail.contains("1000"), "{}", problem.detail);
    assert_eq!(world.rows().await, 0);
}

#[tokio::test]
async fn names_lead_nowhere() {
    let world = World::new().await;
    let id = world.upload("../../../etc/passwd.csv", SMALL).await.unwrap();
    let [object] = world.objects().try_into().unwrap();
    assert!(object.ends_with(format!("datasets/{}/{id}.parquet", world.scope.organization())));
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let dataset = dataset_get(&mut tx, id).await.unwrap();
    assert_eq!((dataset.name.as_str(), dataset.source_name.as_str()), ("passwd", "passwd.csv"));
}

#[tokio::test]
async fn another_organization_sees_nothing_of_it() {
    let world = World::new().await;
    let id = world.upload("x.csv", SMALL).await.unwrap();
    let other = world.db.organization("Other").await;
    let problem = world.registry.dataset_open(&other, id).await.unwrap_err();
    assert_eq!(problem.code, Code::NotFound);
    let mut tx = world.db.store().begin(&other).await.unwrap();
    assert_eq!(dataset_get(&mut tx, id).await.unwrap_err().code, Code::NotFound);
    // Nor does it delete the object: its own folder is another one.
    world.registry.dataset_object_delete(&other, id).await.unwrap();
    assert_eq!(world.objects().len(), 1);
}

#[tokio::test]
async fn dead_uploads_are_swept_and_live_ones_are_not() {
    let world = World::new().await;
    let ready = world.upload("x.csv", SMALL).await.unwrap();
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    for (age, name) in [("1 hour", "live"), ("1 day", "dead")] {
        sqlx::query(
            "insert into registry.datasets (organization_id, name, created_by, created_at)
             values ($1, $2, $3, now() - $4::interval)",
        )
        .bind(world.scope.organization().uuid())
        .bind(name)
        .bind(world.scope.principal().uuid())
        .bind(age)
        .execute(tx.conn())
        .await
        .unwrap();
    }
    tx.commit().await.unwrap();
    let swept = world.registry.datasets_sweep(&world.scope, Duration::from_hours(6)).await.unwrap();
    assert_eq!(swept, 1);
    let names: Vec<String> = sqlx::query_scalar("select name from registry.datasets order by name")
        .fetch_all(&world.db.admin())
        .await
        .unwrap();
    assert_eq!(names, ["live", "x"]);
    assert!(world.registry.dataset_open(&world.scope, ready).await.is_ok());
    // What is still coming in can be neither opened nor looked at.
    let live: uuid::Uuid =
        sqlx::query_scalar("select id from registry.datasets where name = 'live'")
            .fetch_one(&world.db.admin())
            .await
            .unwrap();
    let problem =
        world.registry.dataset_open(&world.scope, DatasetId::from(live)).await.unwrap_err();
    assert_eq!(problem.code, Code::InvalidTransition);
}

#[tokio::test]
async fn a_deleted_data_set_takes_its_file_with_it() {
    let world = World::new().await;
    let id = world.upload("x.csv", SMALL).await.unwrap();
    world.registry.dataset_object_delete(&world.scope, id).await.unwrap();
    assert_eq!(world.objects().len(), 1, "a row that is there keeps its file");
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    world.engine.delete(&mut tx, "datasets", id.uuid(), None).await.unwrap();
    tx.commit().await.unwrap();
    let told: Vec<Value> = sqlx::query_scalar("select event from ops.outbox")
        .fetch_all(&world.db.admin())
        .await
        .unwrap();
    let expected = serde_json::to_value(DomainEvent::DatasetDeleted { dataset: id }).unwrap();
    assert!(told.contains(&expected), "{told:?}");
    for _ in 0..2 {
        world.registry.dataset_object_delete(&world.scope, id).await.unwrap();
        assert!(world.objects().is_empty());
    }
}

#[tokio::test]
async fn what_is_stored_never_changes() {
    let world = World::new().await;
    let id = world.upload("x.csv", SMALL).await.unwrap();
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    for patch in [
        json!({ "row_count": 5 }),
        json!({ "sha256": "0" }),
        json!({ "status": "uploading" }),
        json!({ "storage_path": "x" }),
    ] {
        let problem =
            world.engine.update(&mut tx, "datasets", id.uuid(), &patch, None).await.unwrap_err();
        assert_eq!(problem.code, Code::Invalid, "{patch}");
    }
    let row = world
        .engine
        .update(&mut tx, "datasets", id.uuid(), &json!({ "name": "People" }), None)
        .await
        .unwrap();
    assert_eq!(row["name"], "People");
    assert_eq!(row.get("storage_path"), None);
}
