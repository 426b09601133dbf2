//! The views of models and organizations: what they count, and for whom.

use ephor_assurance::resources::RESOURCES;
use ephor_kernel::{OrganizationId, PermissionSet, RequestContext, Scope};
use ephor_rest::{Catalog, Engine, ListRequest};
use ephor_store::testing::{TestDatabase, database};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

/// Two models, one with three analyses of which one failed; two members; alerts of each kind. A join of all these would
/// count each many times.
const ROWS: &str = "
    with models as (
        insert into registry.models (organization_id, name, model_type, created_by)
        select $1, name, 'classification', $2 from unnest(array['judged', 'idle']) as name
        returning id, name
    ), analyses as (
        insert into assurance.bias_analyses (organization_id, name, data_source, model_id, analysis_type, parameters, status,
            outcome, compliance_score, metrics, metrics_sha256, failure, created_by)
        select $1, 'analysis ' || coalesce(score::text, 'without'), 'upload', m.id, 'comprehensive', '{}', status,
            case status when 'completed' then 'pass' end, score, '{}', repeat('0', 64),
            case status when 'failed' then 'no rows' end, $2
          from models m, (values ('completed', 50.0), ('completed', 90.5), ('failed', null)) as a(status, score)
         where m.name = 'judged'
    )
    insert into assurance.monitoring_alerts (organization_id, model_id, alert_type, severity, message, status, closed_at)
    select $1, m.id, 'bias_drift', severity, 'it drifts', status, case status when 'closed' then now() end
      from models m,
           (values ('critical', 'open'), ('critical', 'open'), ('high', 'open'), ('high', 'closed')) as a(severity, status)
     where m.name = 'judged'";

async fn fill(db: &TestDatabase, scope: &Scope) {
    sqlx::query(ROWS)
        .bind(scope.organization().uuid())
        .bind(scope.principal().uuid())
        .execute(&db.admin())
        .await
        .unwrap();
}

async fn list(
    db: &TestDatabase,
    engine: &Engine,
    scope: &Scope,
    path: &str,
    request: ListRequest,
) -> Vec<Value> {
    let mut tx = engine.begin_read(&db.store(), scope, path, &request).await.unwrap();
    let found = engine.list(&mut tx, path, &request).await.unwrap().data;
    tx.commit().await.unwrap();
    found
}

fn number(row: &Value, name: &str) -> f64 {
    row[name].as_f64().or_else(|| row[name].as_str()?.parse().ok()).unwrap_or(f64::NAN)
}

#[tokio::test]
async fn each_count_is_taken_by_itself_and_for_whom_it_is() {
    let db = database().await;
    let holding = db.holding("Holding").await;
    let subsidiary = db.subsidiary(&holding, "Subsidiary").await;
    let stranger = db.organization("Stranger").await;
    for scope in [&subsidiary, &stranger] {
        fill(&db, scope).await;
    }
    let catalog = Catalog::read(db.store().door().await.unwrap().conn()).await.unwrap();
    let views = RESOURCES
        .iter()
        .filter(|it| ["model_performance", "organization_dashboard"].contains(&it.path()))
        .copied();
    let engine = Engine::new(&catalog, views, [7; 32]).unwrap();

    let models = list(&db, &engine, &subsidiary, "model_performance", ListRequest::new()).await;
    let [idle, judged] = models.as_slice() else { panic!("{models:?}") };
    assert_eq!((&idle["name"], &idle["total_analyses"]), (&json!("idle"), &json!(0)));
    assert_eq!(idle["avg_compliance_score"], Value::Null);
    assert_eq!(judged["total_analyses"], 3);
    assert_eq!((&judged["completed_analyses"], &judged["failed_analyses"]), (&json!(2), &json!(1)));
    assert_eq!(number(judged, "avg_compliance_score"), 70.25);
    assert_eq!(number(judged, "best_compliance_score"), 90.5);
    assert_eq!(number(judged, "worst_compliance_score"), 50.0);

    let own = list(&db, &engine, &subsidiary, "organization_dashboard", ListRequest::new()).await;
    let [own] = own.as_slice() else { panic!("{own:?}") };
    assert_eq!(own["organization_name"], "Subsidiary");
    assert_eq!((&own["total_models"], &own["total_analyses"]), (&json!(2), &json!(2)));
    assert_eq!((&own["critical_alerts"], &own["high_alerts"]), (&json!(2), &json!(1)));
    assert_eq!(number(own, "avg_compliance_score"), 70.25);

    // The holding reads itself and what it holds; nobody reads a stranger.
    let holding = holding.reading([subsidiary.organization()]);
    let all = ListRequest::new().with("organizations", "all");
    let seen = list(&db, &engine, &holding, "organization_dashboard", all).await;
    let names: Vec<_> = seen.iter().map(|row| row["organization_name"].clone()).collect();
    assert_eq!(names, ["Holding", "Subsidiary"]);
    assert_eq!((&seen[0]["total_models"], &seen[1]["total_models"]), (&json!(0), &json!(2)));
    let id = |scope: &Scope| OrganizationId::from(scope.organization().uuid()).to_string();
    for (scope, path) in [(&holding, "model_performance"), (&stranger, "organization_dashboard")] {
        let rows = list(&db, &engine, scope, path, ListRequest::new()).await;
        assert!(rows.iter().all(|row| row["organization_id"] == id(scope)), "{path}: {rows:?}");
    }
}

#[tokio::test]
async fn a_count_is_told_to_whoever_may_read_what_it_counts() {
    let db = database().await;
    let owner = db.organization("Acme").await;
    fill(&db, &owner).await;
    let catalog = Catalog::read(db.store().door().await.unwrap().conn()).await.unwrap();
    let views = RESOURCES.iter().filter(|it| it.path() == "organization_dashboard").copied();
    let engine = Engine::new(&catalog, views, [7; 32]).unwrap();
    let who_may = |words: &[&str]| {
        Scope::new(
            owner.principal(),
            owner.organization(),
            PermissionSet::parse(words.iter().copied()).unwrap(),
            RequestContext::default(),
        )
    };
    let counts = [
        ("total_models", "models:read"),
        ("critical_alerts", "monitoring_alerts:read"),
        ("high_alerts", "monitoring_alerts:read"),
        ("total_members", "members:read"),
    ];
    let path = "organization_dashboard";
    let analyst = who_may(&["bias_analyses:read"]);
    let seen = list(&db, &engine, &analyst, path, ListRequest::new()).await;
    assert_eq!(
        (&seen[0]["total_analyses"], &seen[0]["organization_name"]),
        (&json!(2), &json!("Acme"))
    );
    for (column, word) in counts {
        assert!(seen[0].get(column).is_none(), "{column}: {seen:?}");
        // Nor is it told by which rows are there, or in which order.
        for request in [
            ListRequest::new().with("fields", column),
            ListRequest::new().filter(column, "gt.0"),
            ListRequest::new().with("or", format!("({column}.gt.0,organization_name.eq.x)")),
            ListRequest::new().sort(column),
        ] {
            let mut tx = engine.begin_read(&db.store(), &analyst, path, &request).await.unwrap();
            assert!(engine.list(&mut tx, path, &request).await.is_err(), "{request:?}");
        }
        let may = who_may(&["bias_analyses:read", word]);
        let seen = list(&db, &engine, &may, path, ListRequest::new()).await;
        assert!(seen[0][column].is_number(), "{column}: {seen:?}");
        let mut tx =
            engine.begin_read(&db.store(), &analyst, path, &ListRequest::new()).await.unwrap();
        let id = owner.organization().uuid();
        let one = engine.get(&mut tx, path, id, &ListRequest::new()).await.unwrap();
        assert!(one.get(column).is_none(), "{one}");
    }
}

#[tokio::test]
async fn what_is_not_asked_for_is_not_counted() {
    let db = database().await;
    let owner = db.organization("Acme").await;
    let mut tx = db.store().begin(&owner).await.unwrap();
    let sql = format!(
        "explain (costs off) select avg_compliance_score from assurance.organization_dashboard
          where organization_id = '{}'",
        owner.organization()
    );
    let plan: Vec<String> =
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(tx.conn()).await.unwrap();
    let plan = plan.join("\n");
    assert!(plan.contains("on bias_analyses"), "{plan}");
    for table in ["monitoring_alerts", "organization_members", "models"] {
        assert!(!plan.contains(&format!(" on {table}")), "{plan}");
    }
}
