use ephor_identity::{OpenSubsidiary, SignUp};
use ephor_kernel::{Code, OrganizationId, Scope};
use serde_json::json;

use crate::support::{World, another, cheap, sign_up, somewhere, world};

async fn open(world: &World, scope: &Scope, name: &str) -> OrganizationId {
    let input = OpenSubsidiary { name: name.into() };
    world.identity.subsidiary_open(scope, &input).await.unwrap().id
}

/// What an organization's transaction sees, by role.
async fn members_seen(world: &World, scope: &Scope, reach: bool) -> Vec<OrganizationId> {
    let store = world.db.store();
    let tx = if reach { store.begin_reach(scope).await } else { store.begin(scope).await };
    let mut tx = tx.unwrap();
    let seen: Vec<uuid::Uuid> = sqlx::query_scalar(
        "select distinct organization_id from identity.organization_members order by 1",
    )
    .fetch_all(tx.conn())
    .await
    .unwrap();
    seen.into_iter().map(OrganizationId::from).collect()
}

#[tokio::test]
async fn a_holding_reads_its_subsidiaries_and_nobody_reads_sideways() {
    let world = world().await;
    let (ada, scope, browser) = world.owner("ada@example.org", "Holding").await;
    let north = open(&world, &scope, "North").await;
    let south = open(&world, &scope, "South").await;
    world.owner("eve@example.org", "Stranger").await;
    // The session learns of its reach with the next request.
    let me = browser.get("/v1/me").await;
    let readable: Vec<OrganizationId> =
        serde_json::from_value(me.body["readable"].clone()).unwrap();
    let mut all = vec![ada.organization_id, north, south];
    all.sort_unstable();
    assert_eq!(readable, all);
    let holding = scope.clone().reading([north, south]);
    assert_eq!(members_seen(&world, &holding, true).await, all);
    assert_eq!(members_seen(&world, &holding, false).await, [ada.organization_id]);
    // A subsidiary's own scope sees itself alone.
    let (_, bob) = join_in(&world, north, &ada, "bob@example.org").await;
    let me = bob.get("/v1/me").await;
    assert_eq!(me.body["readable"], json!([north]));
}

/// Somebody joins a subsidiary of which `ada` is an owner.
async fn join_in(
    world: &World,
    organization: OrganizationId,
    ada: &ephor_identity::SignedUp,
    email: &str,
) -> (ephor_kernel::MemberId, crate::support::Browser) {
    let scope = Scope::new(
        ephor_kernel::Principal::User(ada.user_id),
        organization,
        ephor_kernel::PermissionSet::all(),
        somewhere(),
    );
    world.join(&scope, email, "admin").await
}

#[tokio::test]
async fn reach_follows_the_role_in_the_holding_and_never_writes() {
    let world = world().await;
    let (_, scope, owner) = world.owner("ada@example.org", "Holding").await;
    let north = open(&world, &scope, "North").await;
    let (_, viewer) = world.join(&scope, "vi@example.org", "viewer").await;
    for browser in [&owner, &viewer] {
        let list = browser.get("/v1/organizations?organizations=all").await;
        let ids: Vec<_> =
            list.body["data"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect();
        assert!(ids.contains(&json!(north)) && ids.len() == 2, "{list:?}");
    }
    let keys = viewer.get("/v1/api-keys").await;
    assert_eq!(keys.status, 403, "a role without api_keys:read reads none: {keys:?}");
    let path = format!("/v1/organizations/{north}");
    let write = owner.send(axum::http::Method::PATCH, &path, Some(json!({ "name": "Mine" }))).await;
    assert_eq!(write.status, 404, "{write:?}");
    // Nor at the database: the reading role cannot write, the writing role sees no subsidiary.
    let reach = scope.clone().reading([north]);
    let mut tx = world.db.store().begin_reach(&reach).await.unwrap();
    let refused = sqlx::query("update identity.roles set name = 'x'").execute(tx.conn()).await;
    assert!(refused.is_err());
    drop(tx);
    let mut tx = world.db.store().begin(&reach).await.unwrap();
    let touched =
        sqlx::query("update identity.roles set description = 'x' where organization_id = $1")
            .bind(north.uuid())
            .execute(tx.conn())
            .await
            .unwrap();
    assert_eq!(touched.rows_affected(), 0);
}

#[tokio::test]
async fn a_standalone_organization_becomes_a_holding_and_a_subsidiary_never_does() {
    let world = world().await;
    let (_, _, mut browser) = world.owner("ada@example.org", "Acme").await;
    let made = browser.post("/v1/organizations", json!({ "name": "North" })).await;
    assert_eq!(made.status, 201, "{made:?}");
    let me = browser.get("/v1/me").await;
    let kinds: Vec<_> = me.body["organizations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|organization| {
            (organization["name"].as_str().unwrap(), organization["kind"].as_str().unwrap())
        })
        .collect();
    assert_eq!(kinds, [("Acme", "holding"), ("North", "subsidiary")]);
    let there = json!({ "organization_id": made.body["id"] });
    let switched = browser.post("/v1/session/organization", there).await;
    browser.take(&switched);
    let refused = browser.post("/v1/organizations", json!({ "name": "Deeper" })).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (409, "conflict"));
}

#[tokio::test]
async fn only_whoever_may_opens_subsidiaries() {
    let world = world().await;
    let (_, scope, _) = world.owner("ada@example.org", "Acme").await;
    let (_, admin) = world.join(&scope, "bob@example.org", "admin").await;
    let refused = admin.post("/v1/organizations", json!({ "name": "North" })).await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn a_parent_is_an_active_holding() {
    let world = world().await;
    let (standalone, _, _) = world.owner("ada@example.org", "Acme").await;
    let (other, _, _) = world.owner("bob@example.org", "Other").await;
    let adopt =
        "update identity.organizations set kind = 'subsidiary', parent_id = $2 where id = $1";
    let refused = sqlx::query(adopt)
        .bind(other.organization_id.uuid())
        .bind(standalone.organization_id.uuid())
        .execute(&world.db.admin())
        .await;
    assert!(refused.unwrap_err().to_string().contains("active holding"));
    let input = SignUp { kind: Some("holding".into()), ..sign_up("cy@example.org", "Holding") };
    let (holding, _) = world.identity.sign_up(&somewhere(), &input).await.unwrap();
    sqlx::query(adopt)
        .bind(other.organization_id.uuid())
        .bind(holding.organization_id.uuid())
        .execute(&world.db.admin())
        .await
        .unwrap();
    let left = sqlx::query("update identity.organizations set kind = 'standalone' where id = $1")
        .bind(holding.organization_id.uuid())
        .execute(&world.db.admin())
        .await;
    assert!(left.unwrap_err().to_string().contains("stays a holding"));
}

#[tokio::test]
async fn replicas_learn_of_new_subsidiaries_with_the_next_request() {
    let world = world().await;
    let (_, scope, _) = world.owner("ada@example.org", "Holding").await;
    let replica = another(&world.db, cheap());
    let key = ephor_identity::CreateApiKey {
        name: "ci".into(),
        permissions: vec!["*".into()],
        expires_at: None,
    };
    let key = world.identity.api_key_create(&scope, &key).await.unwrap();
    let token = ephor_identity::ApiKeyToken::parse(&key.key).unwrap();
    let reach = || async {
        replica.api_key_admit(&somewhere(), &token).await.unwrap().unwrap().readable().len()
    };
    assert_eq!(reach().await, 1);
    let north = open(&world, &scope, "North").await;
    assert_eq!(reach().await, 2);
    let inside =
        Scope::new(scope.principal(), north, ephor_kernel::PermissionSet::all(), somewhere());
    let deeper = OpenSubsidiary { name: "Deeper".into() };
    let again = world.identity.subsidiary_open(&inside, &deeper).await;
    assert_eq!(again.unwrap_err().code, Code::Conflict);
}
