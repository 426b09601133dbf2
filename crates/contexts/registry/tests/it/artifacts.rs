//! Files of models: read when they come in, whole or not at all, and seen by their own organization only.

use std::time::Duration;

use ephor_kernel::{Code, DomainEvent, ModelVersionId, Problem, Scope};
use ephor_registry::artifact::{NewArtifact, artifact_get};
use futures::{StreamExt, stream};
use serde_json::{Value, json};

use crate::support::{World, broken, pieces};

const LINEAR: &str = r#"{"kind":"linear","features":["a","b"],"coef":[1.0,-2.0],"intercept":0.5}"#;
const OTHER: &str = r#"{"kind":"linear","features":["a","b"],"coef":[1.0,2.0],"intercept":0.5}"#;

async fn version(world: &World, scope: &Scope) -> ModelVersionId {
    version_of(world, scope, "Income").await
}

async fn version_of(world: &World, scope: &Scope, name: &str) -> ModelVersionId {
    let mut tx = world.db.store().begin(scope).await.unwrap();
    let body = json!({ "name": name, "model_type": "classification" });
    let model = world.engine.create(&mut tx, "models", &body).await.unwrap();
    tx.commit().await.unwrap();
    let version: uuid::Uuid = sqlx::query_scalar(
        "select id from registry.model_versions where organization_id = $1 and model_id = $2",
    )
    .bind(scope.organization().uuid())
    .bind(model["id"].as_str().unwrap().parse::<uuid::Uuid>().unwrap())
    .fetch_one(&world.db.admin())
    .await
    .unwrap();
    version.into()
}

async fn send(
    world: &World,
    version: ModelVersionId,
    content: &str,
) -> Result<NewArtifact, Problem> {
    world.registry.artifact_upload(&world.scope, version, "dir/model.json", pieces(content)).await
}

async fn count(world: &World) -> i64 {
    sqlx::query_scalar("select count(*) from registry.model_artifacts")
        .fetch_one(&world.db.admin())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_file_is_read_kept_and_opened() {
    let world = World::new().await;
    let version = version(&world, &world.scope).await;
    let made = send(&world, version, LINEAR).await.unwrap();
    assert!(made.is_new);
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let artifact = artifact_get(&mut tx, made.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        (artifact.file_name.as_str(), artifact.format.as_str()),
        ("model.json", "sklearn_json")
    );
    assert_eq!((artifact.features, artifact.outputs, artifact.trees), (json!(["a", "b"]), 1, 0));
    assert_eq!((artifact.size_bytes, artifact.link.as_str()), (LINEAR.len() as i64, "identity"));
    assert_eq!((artifact.sha256.len(), artifact.has_covers), (64, Some(false)));
    let (_, model) = world.registry.artifact_open(&world.scope, made.id).await.unwrap();
    assert_eq!(model.margin(&[2.0, 1.0]), [0.5]);

    // Twice is once; another file is refused, and leaves nothing.
    assert_eq!(
        send(&world, version, LINEAR).await.unwrap(),
        NewArtifact { id: made.id, is_new: false }
    );
    let problem = send(&world, version, OTHER).await.unwrap_err();
    assert_eq!(problem.code, Code::Conflict);
    assert_eq!((count(&world).await, world.objects().len()), (1, 1));

    // What was changed where it lies is not opened.
    let [object] = world.objects().try_into().unwrap();
    std::fs::write(object, OTHER).unwrap();
    let problem = world.registry.artifact_open(&world.scope, made.id).await.unwrap_err();
    assert_eq!(problem.code, Code::Unavailable);
}

/// A tree as scikit-learn has it, whose nodes so many training rows came to.
fn tree(rows: [u32; 3]) -> String {
    let tree = json!({
        "children_left": [1, -1, -1], "children_right": [2, -1, -1], "feature": [0, -2, -2],
        "threshold": [0.5, -2.0, -2.0], "value": [[0.0], [-1.0], [1.0]], "n_node_samples": rows,
    });
    json!({ "kind": "DecisionTreeRegressor", "features": ["a", "b"], "trees": [tree] }).to_string()
}

#[tokio::test]
async fn it_is_noted_whether_trees_know_the_ways_of_their_training_rows() {
    let world = World::new().await;
    for (rows, expected) in [([9, 4, 5], true), ([0, 0, 0], false)] {
        let version = version_of(&world, &world.scope, &format!("{rows:?}")).await;
        let made = send(&world, version, &tree(rows)).await.unwrap();
        let mut tx = world.db.store().begin(&world.scope).await.unwrap();
        let artifact = artifact_get(&mut tx, made.id).await.unwrap();
        assert_eq!((artifact.trees, artifact.has_covers), (1, Some(expected)));
    }
}

#[tokio::test]
async fn what_is_no_model_is_refused_with_its_place_and_leaves_nothing() {
    let world = World::new().await;
    let version = version(&world, &world.scope).await;
    for (content, words) in [
        ("", "empty"),
        ("{", "EOF|end"),
        ("a,b\n1,2\n", "no model"),
        (r#"{"kind":"linear","features":["a"],"coef":[1.0,2.0],"intercept":0}"#, "coef|feature"),
        (r#"{"kind":"linear","features":["a\u0000"],"coef":[1.0],"intercept":0}"#, "NUL"),
    ] {
        let problem = send(&world, version, content).await.unwrap_err();
        assert_eq!(problem.code, Code::Invalid, "{content:?}");
        assert_eq!(problem.faults[0].pointer, "/file");
        let told = problem.faults[0].to_string();
        assert!(words.split('|').any(|word| told.contains(word)), "{content:?}: {told}");
        assert_eq!((count(&world).await, world.objects().len()), (0, 0));
    }
    let body = pieces(LINEAR).chain(stream::iter([broken("the client hung up")]));
    let problem =
        world.registry.artifact_upload(&world.scope, version, "m", body).await.unwrap_err();
    assert_eq!(problem.code, Code::Malformed);
    assert!(world.objects().is_empty());
}

/// A server drops the request of a client that hangs up: nobody waits for the upload any more.
#[tokio::test]
async fn an_upload_that_nobody_waits_for_leaves_nothing() {
    let world = World::new().await;
    let version = version(&world, &world.scope).await;
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let endless = pieces(" ".repeat(9 << 20)).chain(
        stream::once(async move {
            told.send(()).unwrap();
            Ok(bytes::Bytes::from_static(b"{"))
        })
        .chain(stream::pending()),
    );
    let mut upload =
        Box::pin(world.registry.artifact_upload(&world.scope, version, "m.json", endless));
    tokio::select! {
        ended = &mut upload => panic!("it ended: {ended:?}"),
        _ = heard.recv() => {}
    }
    drop(upload);
    world.nothing_left().await;
    assert_eq!(count(&world).await, 0);
}

#[tokio::test]
async fn too_much_is_refused() {
    let world = World::with_limit(1000).await;
    let version = version(&world, &world.scope).await;
    let problem = send(&world, version, &" ".repeat(2000)).await.unwrap_err();
    assert_eq!(problem.code, Code::TooLarge);
    assert!(world.objects().is_empty());
}

#[tokio::test]
async fn another_organization_reaches_none_of_it() {
    let world = World::new().await;
    let version = version(&world, &world.scope).await;
    let made = send(&world, version, LINEAR).await.unwrap();
    let other = world.db.organization("Other").await;
    let problem =
        world.registry.artifact_upload(&other, version, "m", pieces(LINEAR)).await.unwrap_err();
    assert_eq!(problem.code, Code::NotFound);
    let problem = world.registry.artifact_open(&other, made.id).await.unwrap_err();
    assert_eq!(problem.code, Code::NotFound);
    world.registry.artifact_object_delete(&other, made.id).await.unwrap();
    assert_eq!(world.objects().len(), 1);
}

#[tokio::test]
async fn a_deleted_artifact_takes_its_file_with_it_and_dead_uploads_are_swept() {
    let world = World::new().await;
    let version = version(&world, &world.scope).await;
    let made = send(&world, version, LINEAR).await.unwrap();
    world.registry.artifact_object_delete(&world.scope, made.id).await.unwrap();
    assert_eq!(world.objects().len(), 1, "a row that is there keeps its file");
    assert_eq!(world.registry.artifacts_sweep(&world.scope, Duration::ZERO).await.unwrap(), 0);
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    world.engine.delete(&mut tx, "model_artifacts", made.id.uuid(), None).await.unwrap();
    tx.commit().await.unwrap();
    let told: Vec<Value> = sqlx::query_scalar("select event from ops.outbox")
        .fetch_all(&world.db.admin())
        .await
        .unwrap();
    let expected =
        serde_json::to_value(DomainEvent::ModelArtifactDeleted { artifact: made.id }).unwrap();
    assert!(told.contains(&expected), "{told:?}");
    // What died before it had a row is as one whose row is gone.
    let hours = Duration::from_hours(6);
    assert_eq!(world.registry.artifacts_sweep(&world.scope, hours).await.unwrap(), 0);
    assert_eq!(world.registry.artifacts_sweep(&world.scope, Duration::ZERO).await.unwrap(), 1);
    world.registry.artifact_object_delete(&world.scope, made.id).await.unwrap();
    assert!(world.objects().is_empty());
}
