//! The engine on the tables of Ephor itself.

use ephor_rest::{Actions, Catalog, Engine, Include, ResourceSpec};
use serde_json::json;

use crate::support::Caller;

const MODELS: ResourceSpec = ResourceSpec::new("models", "registry.models")
    .labels("model", "models")
    .actions(Actions::ALL)
    .create(&["name", "description", "model_type", "metadata"])
    .update(&["name", "description", "status", "metadata"])
    .search(&["name", "description"])
    .reach();

const MEMBERS: ResourceSpec = ResourceSpec::new("members", "identity.organization_members")
    .labels("member", "members")
    .sort("full_name")
    .include(&[Include::one("role", "roles", "role_id")]);

const ROLES: ResourceSpec = ResourceSpec::new("roles", "identity.roles")
    .labels("role", "roles")
    .actions(Actions::ALL)
    .create(&["name", "description", "permissions"])
    .update(&["name", "description", "permissions"])
    .sort("name");

const ORGANIZATIONS: ResourceSpec = ResourceSpec::new("organizations", "identity.organizations")
    .labels("organization", "organizations")
    .actions(Actions::READ.and_update())
    .update(&["name", "slug", "description", "settings"])
    .sort("name")
    .reach();

#[tokio::test]
async fn models_members_roles_and_organizations() {
    let db = ephor_store::testing::database().await;
    let store = db.store();
    let catalog = Catalog::read(store.door().await.unwrap().conn()).await.unwrap();
    let engine = Engine::new(&catalog, [MODELS, MEMBERS, ROLES, ORGANIZATIONS], [1; 32]).unwrap();
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);

    let made =
        caller.post("/v1/models", json!({"name": "credit", "model_type": "classification"})).await;
    assert_eq!(made.status, 201, "{made:?}");
    let address = made.header("location").to_owned();
    let active = caller.patch(&address, Some("\"1\""), json!({"status": "active"})).await;
    assert_eq!((active.status.as_u16(), active.header("etag")), (200, "\"2\""));
    let back = caller.patch(&address, Some("\"2\""), json!({"status": "draft"})).await;
    assert_eq!(back.problem(), "invalid_transition /status invalid_transition");

    let members = caller.get("/v1/members?include=role").await.json();
    assert_eq!(members["data"][0]["role"]["name"], "Owner");

    let role =
        caller.post("/v1/roles", json!({"name": "Auditor", "permissions": ["*:read"]})).await;
    assert_eq!(role.status, 201, "{role:?}");
    let bad = caller.post("/v1/roles", json!({"name": "Bad", "permissions": ["Read All"]})).await;
    assert_eq!(bad.problem(), "invalid /permissions check_failed");
    let twice = caller.post("/v1/roles", json!({"name": "Auditor", "permissions": []})).await;
    assert_eq!(twice.problem(), "conflict /name conflict");

    let own = caller.get("/v1/organizations").await.json()["data"][0].clone();
    assert_eq!(own["name"], "Acme");
    let address = format!("/v1/organizations/{}", own["id"].as_str().unwrap());
    let renamed = caller.patch(&address, Some("*"), json!({"name": "Acme Ltd"})).await;
    assert_eq!(renamed.json()["name"], "Acme Ltd", "{renamed:?}");
    let kind = caller.patch(&address, Some("*"), json!({"kind": "holding"})).await;
    assert_eq!(kind.problem(), "invalid /kind read_only");
}

/// Every table of the catalog makes a readable resource: nothing in it surprises the engine.
#[tokio::test]
async fn every_tenant_table_can_be_listed() {
    let db = ephor_store::testing::database().await;
    let store = db.store();
    let catalog = Catalog::read(store.door().await.unwrap().conn()).await.unwrap();
    let caller_scope = db.organization("Acme").await;
    for table in catalog.tables() {
        let tenant = ["organization_id", "id"]
            .iter()
            .all(|name| table.column(name).is_some_and(|column| column.readable));
        if !tenant || !["identity", "registry", "assurance"].contains(&table.schema.as_str()) {
            continue;
        }
        let name: &'static str = table.qualified().leak();
        let spec = ResourceSpec::new("rows", name).sort("id");
        let engine = Engine::new(&catalog, [spec], [1; 32]).unwrap();
        let caller = Caller::new(&db, &engine, caller_scope.clone());
        let answer = caller.get("/v1/rows?count=exact").await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
    }
}
