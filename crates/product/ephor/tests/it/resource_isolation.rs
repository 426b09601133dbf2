//! Tenant isolation through the resource engine: every resource of every context x list, search, get, update,
//! delete, export x every other organization. Rows are made up from the catalog, as the store's own suite
//! does, so that a new resource is covered by being there.

use std::collections::HashMap;

use ephor_kernel::{
    Code, OrganizationId, PermissionSet, Principal, Problem, RequestContext, Scope, UserId,
};
use ephor_rest::{Catalog, Engine, ListRequest, OfferAnswer, Resource, ResourceSpec, csv_file};
use ephor_store::{Store, testing};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

#[path = "../../../../foundation/store/tests/isolation/catalog.rs"]
pub(crate) mod catalog;
#[path = "../../../../foundation/store/tests/isolation/sample.rs"]
mod sample;
#[path = "../../../../foundation/store/tests/isolation/world.rs"]
pub(crate) mod world;

use world::World;

struct Suite {
    engine: Engine,
    store: Store,
    actor: Uuid,
    /// By table and organization: the id of a row.
    ids: HashMap<(String, Uuid), Uuid>,
    cases: usize,
    wrong: Vec<String>,
}

/// The resources of all contexts.
pub(crate) fn specs() -> impl Iterator<Item = ResourceSpec> {
    [
        ephor_identity::RESOURCES,
        ephor_discovery::RESOURCES,
        ephor_registry::RESOURCES,
        ephor_assurance::resources::RESOURCES,
        ephor_guard::RESOURCES,
        ephor_gateway::RESOURCES,
        ephor_workforce::RESOURCES,
        ephor_deliberation::RESOURCES,
        ephor_risk::RESOURCES,
        ephor_compliance::RESOURCES,
        ephor_billing::RESOURCES,
        ephor_content::RESOURCES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// What is served without a table of its own.
const VIEWS: [&str; 2] =
    ["assurance.model_performance_summary", "assurance.organization_dashboard"];

#[tokio::test]
async fn no_resource_shows_or_changes_what_is_anothers() {
    let db = testing::database().await;
    let world = World::make(&db.admin()).await;
    let organizations = [world.holding, world.subsidiary, world.sibling, world.other];
    let catalog = Catalog::read(db.store().door().await.unwrap().conn()).await.unwrap();
    let engine = Engine::new(&catalog, specs(), [7; 32]).unwrap();
    let mut ids = HashMap::new();
    for resource in engine.resources().filter(|resource| !resource.spec().is_global()) {
        let table = resource.table().qualified();
        let is_tenants = world.tables.iter().any(|it| it.name == table);
        assert!(is_tenants || VIEWS.contains(&table.as_str()), "{table} is no tenant's");
        for organization in organizations {
            let sql = format!("select id from {table} where organization_id = $1 limit 1");
            let id: Uuid = sqlx::query_scalar(AssertSqlSafe(sql))
                .bind(organization)
                .fetch_one(&db.admin())
                .await
                .unwrap();
            ids.insert((table.clone(), organization), id);
        }
    }
    let mut suite = Suite {
        engine: engine.clone(),
        store: db.store(),
        actor: world.actor,
        ids,
        cases: 0,
        wrong: Vec::new(),
    };
    for resource in engine.resources() {
        if resource.spec().is_global() {
            suite.global(resource, &organizations).await;
            continue;
        }
        for me in organizations {
            suite.lists(resource, me).await;
            for other in organizations.into_iter().filter(|other| *other != me) {
                suite.rows(resource, me, other).await;
            }
        }
        suite.reach(resource, &world).await;
    }
    assert!(suite.wrong.is_empty(), "{} cases:\n  {}", suite.cases, suite.wrong.join("\n  "));
    assert!(suite.cases > 1_500, "only {} cases", suite.cases);
}

impl Suite {
    fn scope(&self, organization: Uuid) -> Scope {
        Scope::new(
            Principal::User(UserId::from(self.actor)),
            OrganizationId::from(organization),
            PermissionSet::all(),
            RequestContext::default(),
        )
    }

    fn id(&self, resource: &Resource, organization: Uuid) -> Uuid {
        self.ids[&(resource.table().qualified(), organization)]
    }

    fn check(&mut self, right: bool, what: impl FnOnce() -> String) {
        self.cases += 1;
        if !right {
            self.wrong.push(what());
        }
    }

    /// Lists and exports hold one's own rows, and nobody else's.
    async fn lists(&mut self, resource: &Resource, me: Uuid) {
        let (spec, path) = (resource.spec(), resource.spec().path());
        if !spec.available().list {
            return;
        }
        let mine = self.id(resource, me).to_string();
        let mut requests = vec![ListRequest::new().limit(500)];
        if spec.is_searchable() {
            requests.push(ListRequest::new().limit(500).search("x"));
        }
        for (place, request) in requests.into_iter().enumerate() {
            let found = self.list(&self.scope(me), path, &request).await;
            let Ok(rows) = found else {
                self.check(false, || format!("{path}: {found:?}"));
                continue;
            };
            let own = rows.iter().any(|row| row["id"] == mine);
            self.check(own || place > 0, || format!("{path}: one's own row is not in the list"));
            let foreign = rows.iter().find(|row| row["organization_id"] != me.to_string()).cloned();
            self.check(foreign.is_none(), || format!("{path}: the list shows {foreign:?}"));
        }
        let request = ListRequest::new();
        let exported =
            csv_file(&self.engine, &self.store, &self.scope(me), path, &request).await.unwrap();
        let bytes = exported.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        self.check(text.contains(&mine), || format!("{path}: the export lacks one's own row"));
        let table = resource.table().qualified();
        let theirs: Vec<String> = self
            .ids
            .iter()
            .filter(|((of, organization), _)| *of == table && *organization != me)
            .map(|(_, id)| id.to_string())
            .collect();
        // An organization's row is called by the same id as the organization.
        let shown = theirs.iter().any(|id| text.contains(id.as_str()));
        self.check(!shown, || format!("{path}: the export shows another's row"));
    }

    async fn list(
        &self,
        scope: &Scope,
        path: &str,
        request: &ListRequest,
    ) -> Result<Vec<Value>, Problem> {
        let mut tx = self.engine.begin_read(&self.store, scope, path, request).await?;
        let page = self.engine.list(&mut tx, path, request).await?;
        tx.commit().await?;
        Ok(page.data)
    }

    /// What belongs to nobody looks the same from everywhere, to whoever is signed in, and is only
    /// read; its table has no organization, and is no tenant's.
    async fn global(&mut self, resource: &Resource, organizations: &[Uuid]) {
        let (spec, path) = (resource.spec(), resource.spec().path());
        let available = spec.available();
        let writes = available.create || available.update || available.delete || available.bulk;
        self.check(!writes, || format!("{path}: what is everybody's can be written"));
        let tenants = resource.table().column("organization_id").is_some();
        self.check(!tenants, || format!("{path}: a tenant's table is said to be everybody's"));
        let request = ListRequest::new().limit(500);
        let mut first = None;
        for me in organizations {
            let scope = Scope::new(
                Principal::User(UserId::from(self.actor)),
                OrganizationId::from(*me),
                PermissionSet::default(),
                RequestContext::default(),
            );
            let rows = self.list(&scope, path, &request).await.unwrap();
            let first = first.get_or_insert_with(|| rows.clone());
            let same = *first == rows;
            self.check(same, || format!("{path}: it differs from organization to organization"));
            let all = ListRequest::new().with("organizations", "all");
            let refused = self.list(&scope, path, &all).await.is_err();
            self.check(refused, || format!("{path}: it is read for several organizations"));
        }
    }

    /// Another's row is not there, whatever one does to it.
    async fn rows(&mut self, resource: &Resource, me: Uuid, other: Uuid) {
        let (available, path) = (resource.spec().available(), resource.spec().path());
        let (scope, id) = (self.scope(me), self.id(resource, other));
        if available.get {
            let request = ListRequest::new();
            let mut tx = self.engine.begin_read(&self.store, &scope, path, &request).await.unwrap();
            let got = self.engine.get(&mut tx, path, id, &request).await;
            self.check(is_not_there(&got), || format!("{path}: get gave {got:?}"));
        }
        if available.update {
            let mut tx = self.engine.begin_write(&self.store, &scope, path).await.unwrap();
            let got = self.engine.update(&mut tx, path, id, &json!({}), None).await;
            self.check(is_not_there(&got), || format!("{path}: update gave {got:?}"));
        }
        if resource.spec().is_builtin() {
            let mut tx = self.store.begin(&scope).await.unwrap();
            let got = self.engine.offer(&mut tx, path, id).await;
            self.check(got == Ok(None), || format!("{path}: its offer gave {got:?}"));
            for answer in [OfferAnswer::Accept, OfferAnswer::Decline] {
                let got = self
                    .engine
                    .offer_answer(&self.store, &scope, (path, id), answer, None, None)
                    .await;
                self.check(is_not_there(&got), || format!("{path}: {answer:?} gave {got:?}"));
            }
        }
        if available.delete {
            let mut tx = self.engine.begin_write(&self.store, &scope, path).await.unwrap();
            let got = self.engine.delete(&mut tx, path, id, None).await;
            self.check(is_not_there(&got), || format!("{path}: delete gave {got:?}"));
        }
    }

    /// A holding reads the subsidiary that its scope names, and no other organization.
    async fn reach(&mut self, resource: &Resource, world: &World) {
        let path = resource.spec().path();
        if !resource.spec().available().list {
            return;
        }
        let scope = self.scope(world.holding).reading([OrganizationId::from(world.subsidiary)]);
        let request = ListRequest::new().limit(500).with("organizations", "all");
        // What a holding may not read is refused.
        let Ok(rows) = self.list(&scope, path, &request).await else { return };
        let readable = [world.holding.to_string(), world.subsidiary.to_string()];
        let foreign = rows
            .iter()
            .find(|row| {
                !readable.iter().any(|organization| row["organization_id"] == **organization)
            })
            .cloned();
        self.check(foreign.is_none(), || format!("{path}: a holding sees {foreign:?}"));
    }
}

fn is_not_there(got: &Result<Value, Problem>) -> bool {
    matches!(got, Err(problem) if problem.code == Code::NotFound)
}
