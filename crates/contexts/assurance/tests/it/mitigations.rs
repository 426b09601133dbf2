//! Mitigations whose data sets are in memory: asked for once, failing with a reason, gone with who deletes them.

use std::sync::Arc;

use ephor_assurance::{
    analysis::{AnalysisAsked, analysis_create},
    feed::{RowFeeds, RowsToStore, StoreRows},
    mitigation::{
        ApplicationCreate, ApplyRunner, FitRunner, MitigationCreate, application_get,
        mitigation_apply, mitigation_artifact, mitigation_ask, mitigation_get,
    },
};
use ephor_kernel::{AnalysisId, Code, DatasetId, JobId, MitigationId, Problem};
use ephor_store::jobs::{Workers, WorkersConfig, WorkersHandle};
use futures::StreamExt as _;
use serde_json::json;
use sqlx::AssertSqlSafe;

use crate::support::{World, until};

/// Four hundred people with scores, of whom women are scored lower.
fn scored() -> String {
    let mut text = "y,p,sex\n".to_owned();
    for number in 0..400 {
        let (sex, off) = if number % 2 == 0 { ("f", 0.2) } else { ("m", 0.0) };
        let label = number % 4 / 2;
        let score = f64::from(number % 50) / 100.0 + f64::from(label) * 0.5 - off;
        text.push_str(&format!("{label},{score},{sex}\n"));
    }
    text
}

async fn analysed(world: &World, text: String) -> (AnalysisId, DatasetId) {
    let dataset = world.dataset(&world.scope, text).await;
    let asked: AnalysisAsked = serde_json::from_value(json!({
        "dataset_id": dataset,
        "parameters": { "target": "y", "score": "p", "protected": ["sex"] },
    }))
    .unwrap();
    let create = asked.read().unwrap();
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let analysis = analysis_create(&mut tx, &create).await.unwrap();
    tx.commit().await.unwrap();
    (analysis, dataset)
}

fn thresholds() -> MitigationCreate {
    serde_json::from_value(json!({ "method": "threshold" })).unwrap()
}

async fn ask(world: &World, analysis: AnalysisId) -> Result<MitigationId, Problem> {
    mitigation_ask(&world.assurance, &world.scope, analysis, &thresholds()).await
}

fn to(dataset: DatasetId) -> ApplicationCreate {
    ApplicationCreate { dataset_id: dataset, name: None, column: None, row_id: None }
}

/// Data sets are rows of their table; what is stored is read to its end, and forgotten.
fn store_rows(world: &World) -> StoreRows {
    let store = world.db.store();
    Arc::new(move |scope, rows| {
        let store = store.clone();
        Box::pin(async move {
            let RowsToStore { name, mut body, settle, .. } = rows;
            let mut bytes = 0;
            while let Some(piece) = body.next().await {
                bytes +=
                    piece.map_err(|error| Problem::new(Code::Malformed, error.to_string()))?.len();
            }
            assert!(bytes > 0);
            let mut tx = store.begin(&scope).await?;
            let id = DatasetId::new();
            sqlx::query("insert into registry.datasets (organization_id, id, name, created_by) values ($1, $2, $3, $4)")
                .bind(tx.organization().uuid())
                .bind(id.uuid())
                .bind(name)
                .bind(scope.principal().uuid())
                .execute(tx.conn())
                .await
                .unwrap();
            settle(&mut tx, id).await?;
            tx.commit().await?;
            Ok(id)
        })
    })
}

fn workers(world: &World) -> WorkersHandle {
    let feeds = RowFeeds::new(world.db.store(), store_rows(world));
    let runners: Vec<Arc<dyn ephor_store::jobs::JobHandler>> = vec![
        Arc::new(FitRunner::new(&world.assurance)),
        Arc::new(ApplyRunner::new(&world.assurance, &feeds)),
    ];
    Workers::start(world.db.store(), runners, WorkersConfig::default())
}

async fn job_of(world: &World, id: MitigationId) -> JobId {
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    mitigation_get(&mut tx, id).await.unwrap().job_id.unwrap()
}

async fn count(world: &World, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&world.db.admin()).await.unwrap()
}

#[tokio::test]
async fn what_is_asked_for_twice_is_begun_once() {
    let world = World::new().await;
    let (analysis, dataset) = analysed(&world, scored()).await;
    // Nobody works yet: it waits.
    let (one, two) = tokio::join!(ask(&world, analysis), ask(&world, analysis));
    let id = one.unwrap();
    assert_eq!(id, two.unwrap());
    let early = mitigation_apply(&world.assurance, &world.scope, id, &to(dataset)).await;
    assert_eq!(early.unwrap_err().code, Code::Conflict);

    let handle = workers(&world);
    world.ended(job_of(&world, id).await).await;
    handle.shutdown().await;
    let twice =
        async || mitigation_apply(&world.assurance, &world.scope, id, &to(dataset)).await.unwrap();
    let (one, two) = tokio::join!(twice(), twice());
    assert_eq!(one, two);
    let handle = workers(&world);
    until("it is applied", async || {
        let mut tx = world.db.store().begin(&world.scope).await.unwrap();
        application_get(&mut tx, one).await.unwrap().status == "completed"
    })
    .await;
    handle.shutdown().await;
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let application = application_get(&mut tx, one).await.unwrap();
    assert_eq!(
        (application.row_count, application.before_analysis_id),
        (Some(400), Some(analysis))
    );
    let report = application.report.unwrap();
    assert_eq!((&report["rows"], &report["column"]), (&json!(400), &json!("mitigated_prediction")));
    drop(tx);
    assert_eq!(count(&world, "select count(*) from assurance.mitigation_applications").await, 1);
    // After its end it may be asked for again.
    assert_ne!(ask(&world, analysis).await.unwrap(), id);
}

#[tokio::test]
async fn what_cannot_be_done_fails_with_the_reason() {
    let world = World::new().await;
    let (analysis, dataset) = analysed(&world, scored()).await;
    let id = ask(&world, analysis).await.unwrap();
    let one_group = "y,p,sex\n".to_owned() + &"1,0.5,f\n0,0.1,f\n".repeat(100);
    world.replace(&world.scope, dataset, one_group);
    let handle = workers(&world);
    world.ended(job_of(&world, id).await).await;
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let failed = mitigation_get(&mut tx, id).await.unwrap();
    assert_eq!(failed.status, "failed");
    assert!(failed.failure.unwrap().contains("not two groups"));
    assert_eq!(mitigation_artifact(&mut tx, id).await.unwrap_err().code, Code::Conflict);
    drop(tx);

    // The data set is lost between the asking and the doing.
    world.replace(&world.scope, dataset, scored());
    let id = ask(&world, analysis).await.unwrap();
    world.ended(job_of(&world, id).await).await;
    handle.shutdown().await;
    let other = world.dataset(&world.scope, scored()).await;
    let application =
        mitigation_apply(&world.assurance, &world.scope, id, &to(other)).await.unwrap();
    world.replace(&world.scope, other, "y,p\n1,0.5\n".to_owned());
    let handle = workers(&world);
    until("it fails", async || {
        let mut tx = world.db.store().begin(&world.scope).await.unwrap();
        application_get(&mut tx, application).await.unwrap().status == "failed"
    })
    .await;
    handle.shutdown().await;
    let mut tx = world.db.store().begin(&world.scope).await.unwrap();
    let failed = application_get(&mut tx, application).await.unwrap();
    assert!(failed.failure.unwrap().contains("sex"), "the column that is missing is named");
    drop(tx);
    let made = "select count(*) from registry.datasets where name like '%Thresholds%'";
    assert_eq!(count(&world, made).await, 0, "nothing is left of it");
}

#[tokio::test]
async fn nothing_of_another_organization_is_reached() {
    let world = World::new().await;
    let (analysis, dataset) = analysed(&world, scored()).await;
    let id = ask(&world, analysis).await.unwrap();
    let stranger = world.db.organization("Strangers").await;
    let asked = mitigation_ask(&world.assurance, &stranger, analysis, &thresholds()).await;
    assert_eq!(asked.unwrap_err().code, Code::NotFound);
    let applied = mitigation_apply(&world.assurance, &stranger, id, &to(dataset)).await;
    assert_eq!(applied.unwrap_err().code, Code::NotFound);
    let mut tx = world.db.store().begin(&stranger).await.unwrap();
    assert_eq!(mitigation_get(&mut tx, id).await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn its_states_have_one_direction_and_an_end() {
    let world = World::new().await;
    let (analysis, _) = analysed(&world, scored()).await;
    let id = ask(&world, analysis).await.unwrap();
    let mut admin = world.db.admin().acquire().await.unwrap();
    let step =
        |to: &str| format!("update assurance.mitigation_artifacts set {to} where id = '{id}'");
    let ended = "completed_at = now(), failure = 'x'";
    for (set, allowed) in [
        ("status = 'completed', artifact = '{}', artifact_sha256 = repeat('0', 64), expected = '{}', completed_at = now()".to_owned(), false),
        ("status = 'running'".to_owned(), true),
        ("status = 'queued'".to_owned(), true),
        ("status = 'failed'".to_owned(), false),
        (format!("status = 'failed', {ended}"), true),
        ("status = 'running', completed_at = null".to_owned(), false),
    ] {
        let done = sqlx::raw_sql(AssertSqlSafe(step(&set))).execute(&mut *admin).await;
        assert_eq!(done.is_ok(), allowed, "{set}");
    }
    let audited = "select count(*) from audit.audit_logs where entity_type = 'assurance.mitigation_artifacts'";
    assert_eq!(count(&world, audited).await, 4, "what was made, and each of its three steps");
}
