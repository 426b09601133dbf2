//! Models: their states, and a version for every change of what they are.

use ephor_kernel::{Code, ModelId, ModelVersionId, Problem};
use ephor_registry::model::{ModelStatus, model_roll_back, model_step};
use ephor_rest::ListRequest;
use serde_json::{Value, json};

use crate::support::World;

impl World {
    async fn model(&self) -> ModelId {
        let body = json!({ "name": "Credit", "model_type": "classification", "schema": { "inputs": ["age"] } });
        let mut tx = self.db.store().begin(&self.scope).await.unwrap();
        let row = self.engine.create(&mut tx, "models", &body).await.unwrap();
        tx.commit().await.unwrap();
        row["id"].as_str().unwrap().parse().unwrap()
    }

    async fn change(&self, id: ModelId, patch: Value) -> Result<Value, Problem> {
        let mut tx = self.db.store().begin(&self.scope).await.unwrap();
        let row = self.engine.update(&mut tx, "models", id.uuid(), &patch, None).await?;
        tx.commit().await.unwrap();
        Ok(row)
    }

    async fn step(&self, id: ModelId, to: ModelStatus) -> Result<(), Problem> {
        let mut tx = self.db.store().begin(&self.scope).await.unwrap();
        model_step(&mut tx, id, to).await?;
        Ok(tx.commit().await?)
    }

    async fn versions(&self, id: ModelId) -> Vec<(ModelVersionId, String, Value, Value)> {
        let rows: Vec<(uuid::Uuid, String, Value, Value)> = sqlx::query_as(
            "select id, semantic_version, changes, snapshot from registry.model_versions
              where model_id = $1 order by created_at, id",
        )
        .bind(id.uuid())
        .fetch_all(&self.db.admin())
        .await
        .unwrap();
        rows.into_iter()
            .map(|(id, number, changes, snapshot)| (id.into(), number, changes, snapshot))
            .collect()
    }
}

#[tokio::test]
async fn a_model_goes_its_way_and_no_other() {
    use ModelStatus::{Active, Archived, Deprecated};
    let world = World::new().await;
    let id = world.model().await;
    let refused = world.step(id, Deprecated).await.unwrap_err();
    assert_eq!(refused.code, Code::InvalidTransition);
    assert!(refused.detail.contains("draft, active, deprecated, archived"), "{}", refused.detail);
    for to in [Active, Active, Deprecated, Active, Deprecated, Archived] {
        world.step(id, to).await.unwrap();
    }
    for to in [Active, Deprecated] {
        assert_eq!(world.step(id, to).await.unwrap_err().code, Code::InvalidTransition);
    }
    let other = world.db.organization("Other").await;
    let mut tx = world.db.store().begin(&other).await.unwrap();
    assert_eq!(model_step(&mut tx, id, Active).await.unwrap_err().code, Code::NotFound);
}

/// Not even the database's own roles take a step that is not there.
#[tokio::test]
async fn the_database_itself_holds_the_states() {
    let world = World::new().await;
    let id = world.model().await;
    let skipped = sqlx::query("update registry.models set status = 'deprecated' where id = $1")
        .bind(id.uuid())
        .execute(&world.db.admin())
        .await;
    let error = skipped.unwrap_err();
    assert_eq!(error.as_database_error().unwrap().constraint(), Some("models_status_step"));
}

#[tokio::test]
async fn every_change_of_what_it_is_makes_a_version() {
    let world = World::new().await;
    let id = world.model().await;
    assert_eq!(world.versions(id).await.len(), 1, "the first one");
    world.change(id, json!({ "description": "Who gets a loan" })).await.unwrap();
    assert_eq!(world.versions(id).await.len(), 1, "a description is no part of what it is");
    let refused =
        world.change(id, json!({ "schema": { "inputs": ["age", "income"] } })).await.unwrap_err();
    assert_eq!(
        (refused.code, refused.faults[0].pointer.as_ref()),
        (Code::Invalid, "/semantic_version")
    );
    world
        .change(
            id,
            json!({ "schema": { "inputs": ["age", "income"] }, "semantic_version": "1.1.0" }),
        )
        .await
        .unwrap();
    let versions = world.versions(id).await;
    assert_eq!(versions.len(), 2);
    assert_eq!(versions[1].1, "1.1.0");
    assert_eq!(
        versions[1].2,
        json!({ "schema": { "from": { "inputs": ["age"] }, "to": { "inputs": ["age", "income"] } } })
    );
    let again = world.change(id, json!({ "semantic_version": "1.0.0" })).await.unwrap_err();
    assert_eq!(again.code, Code::Conflict, "a number is given once");
    for number in ["1", "1.0", "v1.0.0", "01.0.0", "1.0.0-rc"] {
        let refused = world.change(id, json!({ "semantic_version": number })).await.unwrap_err();
        assert_eq!(refused.code, Code::Invalid, "{number}");
    }
}

#[tokio::test]
async fn rolling_back_makes_a_version_of_its_own() {
    let world = World::new().await;
    let id = world.model().await;
    world
        .change(id, json!({ "model_type": "regression", "semantic_version": "1.10.0" }))
        .await
        .unwrap();
    world
        .change(id, json!({ "metadata": { "note": "x" }, "semantic_version": "1.9.0" }))
        .await
        .unwrap();
    let first = world.versions(id).await[0].0;
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    model_roll_back(&mut tx, id, first).await.unwrap();
    let row =
        world.engine.get(&mut tx, "models", id.uuid(), &ListRequest::default()).await.unwrap();
    assert_eq!(row["model_type"], "classification");
    assert_eq!(row["metadata"], json!({}));
    assert_eq!(
        row["semantic_version"], "1.10.1",
        "one more than the greatest, by number, not by text"
    );
    tx.commit().await.unwrap();
    let versions = world.versions(id).await;
    assert_eq!(versions.len(), 4, "history is not rewritten");
    assert_eq!(versions[3].3, versions[0].3);

    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let already = model_roll_back(&mut tx, id, versions[3].0).await.unwrap_err();
    assert_eq!(already.code, Code::InvalidTransition);
    let unknown = model_roll_back(&mut tx, id, ModelVersionId::new()).await.unwrap_err();
    assert_eq!(unknown.code, Code::NotFound);
    let other = world.db.organization("Other").await;
    let mut tx = world.db.store().begin(&other).await.unwrap();
    assert_eq!(model_roll_back(&mut tx, id, first).await.unwrap_err().code, Code::NotFound);
}

/// What a version was is not changed afterwards, by no role that requests have.
#[tokio::test]
async fn versions_are_not_changed() {
    let world = World::new().await;
    let id = world.model().await;
    for statement in [
        "update registry.model_versions set snapshot = '{}' where organization_id = $1 and model_id = $2",
        "delete from registry.model_versions where organization_id = $1 and model_id = $2",
    ] {
        let mut tx = world.db.store().begin(&world.scope).await.unwrap();
        let refused = sqlx::query(statement)
            .bind(world.scope.organization().uuid())
            .bind(id.uuid())
            .execute(tx.conn())
            .await;
        assert_eq!(refused.unwrap_err().as_database_error().unwrap().code().unwrap(), "42501");
    }
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    world.engine.delete(&mut tx, "models", id.uuid(), None).await.unwrap();
    tx.commit().await.unwrap();
    assert!(world.versions(id).await.is_empty(), "they go with their model");
}
