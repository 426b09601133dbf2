//! What the tests share: an organization, data sets in memory, a clock that stands.

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use ephor_assurance::{
    Assurance, OpenDataset, OpenModel,
    monitor::{MonitorRunner, monitor_run_now},
    reports::Pages,
    resources::RESOURCES,
    schedule::Scheduler,
};
use ephor_explain::Scorer as _;
use ephor_kernel::{
    DatasetId, FixedClock, JobId, ModelArtifactId, ModelId, MonitorId, OrganizationId, Problem,
    Scope,
};
use ephor_rest::{Catalog, Engine, ListRequest, ResourceSpec};
use ephor_store::{
    jobs::{Workers, WorkersConfig, WorkersHandle, job_get},
    testing::{TestDatabase, database},
};
use ephor_tabular::{OpenOptions, Source, open};
use object_store::local::LocalFileSystem;
use serde_json::{Value, json};

type Models = Arc<Mutex<HashMap<(OrganizationId, ModelArtifactId), &'static [u8]>>>;
type Tables = Arc<Mutex<HashMap<(OrganizationId, DatasetId), String>>>;

/// Where the clock stands.
pub const NOON: &str = "2026-03-02T12:00:30Z";

pub struct World {
    pub db: TestDatabase,
    pub scope: Scope,
    pub assurance: Assurance,
    pub engine: Engine,
    pub clock: FixedClock,
    tables: Tables,
    models: Models,
    objects: tempfile::TempDir,
}

impl World {
    pub async fn new() -> Self {
        let db = database().await;
        let tables = Tables::default();
        let held = Arc::clone(&tables);
        let open_dataset: OpenDataset = Arc::new(move |scope: Scope, dataset| {
            let text = held.lock().unwrap().get(&(scope.organization(), dataset)).cloned();
            Box::pin(async move {
                let text = text.ok_or_else(|| Problem::not_found("data set"))?;
                Ok(open(Source::Bytes(text.into()), OpenOptions::default()).await.unwrap())
            })
        });
        let models = Models::default();
        let known = Arc::clone(&models);
        let open_model: OpenModel = Arc::new(move |scope: Scope, artifact| {
            let text = known.lock().unwrap().get(&(scope.organization(), artifact)).copied();
            Box::pin(async move {
                let text = text.ok_or_else(|| Problem::not_found("model artefact"))?;
                let (format, model) = ephor_explain::read(text).unwrap();
                Ok((format, Arc::new(model)))
            })
        });
        let folder = tempfile::tempdir().unwrap();
        let objects = Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
        // Nothing here is shown.
        let pages = Pages {
            report: |_, _| Err(Problem::internal()),
            law: |_, _| Err(Problem::internal()),
            data: |_, _| Err(Problem::internal()),
            card: |_| Err(Problem::internal()),
            report_pdf: |_, _| Err(Problem::internal()),
            law_pdf: |_, _| Err(Problem::internal()),
            data_pdf: |_, _| Err(Problem::internal()),
            card_pdf: |_| Err(Problem::internal()),
        };
        let assurance = Assurance {
            store: db.store(),
            open_dataset,
            read_elsewhere: None,
            open_model,
            objects,
            pages,
        };
        let catalog = Catalog::read(db.store().door().await.unwrap().conn()).await.unwrap();
        let others = [
            ResourceSpec::new("datasets", "registry.datasets"),
            ResourceSpec::new("models", "registry.models"),
            ResourceSpec::new("model_versions", "registry.model_versions"),
            ResourceSpec::new("model_artifacts", "registry.model_artifacts"),
        ];
        let all = RESOURCES.iter().copied().chain(others);
        let engine = Engine::new(&catalog, all, [7; 32]).unwrap();
        let scope = db.organization("Analytics").await;
        let clock = FixedClock::at(NOON.parse().unwrap());
        Self { db, scope, assurance, engine, clock, tables, models, objects: folder }
    }

    /// A data set of the organization.
    pub async fn dataset(&self, scope: &Scope, text: String) -> DatasetId {
        let id: uuid::Uuid = sqlx::query_scalar(
            "insert into registry.datasets (organization_id, name, created_by) values ($1, 'd', $2) returning id",
        )
        .bind(scope.organization().uuid())
        .bind(scope.principal().uuid())
        .fetch_one(&self.db.admin())
        .await
        .unwrap();
        let id = id.into();
        self.replace(scope, id, text);
        id
    }

    /// A model of the organization with a file; both ids.
    pub async fn model<C: AsRef<[u8]> + ?Sized>(
        &self,
        scope: &Scope,
        content: &'static C,
    ) -> (ModelId, ModelArtifactId) {
        let content = content.as_ref();
        let admin = self.db.admin();
        let organization = scope.organization().uuid();
        let model: uuid::Uuid = sqlx::query_scalar(
            "insert into registry.models (organization_id, name, model_type, created_by) values ($1, $2, 'classification', $3) returning id",
        )
        .bind(organization)
        .bind(format!("m{}", uuid::Uuid::now_v7()))
        .bind(scope.principal().uuid())
        .fetch_one(&admin)
        .await
        .unwrap();
        let (_, read) = ephor_explain::read(content).unwrap();
        let artifact: uuid::Uuid = sqlx::query_scalar(
            "insert into registry.model_artifacts
                 (organization_id, model_id, model_version_id, file_name, format, size_bytes, sha256, storage_path, features, outputs, trees, link, created_by)
             select organization_id, model_id, id, 'm', 'sklearn_json', 1, repeat('0', 64), 'x', $3, $4, $5, 'logistic', $6
               from registry.model_versions where organization_id = $1 and model_id = $2 limit 1
             returning id",
        )
        .bind(organization)
        .bind(model)
        .bind(json!(read.features()))
        .bind(i32::try_from(read.outputs()).unwrap())
        .bind(i32::try_from(read.trees()).unwrap())
        .bind(scope.principal().uuid())
        .fetch_one(&admin)
        .await
        .unwrap();
        let artifact = artifact.into();
        self.models.lock().unwrap().insert((scope.organization(), artifact), content);
        (model.into(), artifact)
    }

    /// The files that values lie in.
    pub fn objects(&self) -> Vec<std::path::PathBuf> {
        fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
            let mut found = Vec::new();
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
            }
            found
        }
        files(self.objects.path())
    }

    /// Other rows in a data set.
    pub fn replace(&self, scope: &Scope, dataset: DatasetId, text: String) {
        self.tables.lock().unwrap().insert((scope.organization(), dataset), text);
    }

    /// The rows of a data set are gone.
    pub fn lose(&self, dataset: DatasetId) {
        self.tables.lock().unwrap().retain(|(_, id), _| *id != dataset);
    }

    /// Makes a monitor as requests do.
    pub async fn monitor(&self, body: Value) -> MonitorId {
        self.try_monitor(&self.scope, body).await.unwrap()
    }

    pub async fn try_monitor(&self, scope: &Scope, body: Value) -> Result<MonitorId, Problem> {
        let mut tx = self.db.store().begin(scope).await.unwrap();
        let row = self.engine.create(&mut tx, "monitors", &body).await?;
        tx.commit().await.unwrap();
        Ok(row["id"].as_str().unwrap().parse().unwrap())
    }

    /// A monitor of compliance over this data set.
    pub async fn compliance(&self, dataset: DatasetId, more: Value) -> MonitorId {
        let mut body = json!({
            "name": "Fair hiring", "kind": "compliance_violation", "current_dataset_id": dataset,
            "severity": "high", "metric": "demographic_parity_difference",
            "parameters": { "analysis": { "target": "y", "prediction": "p", "protected": ["sex"] } },
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.monitor(body).await
    }

    pub async fn patch(&self, path: &str, id: uuid::Uuid, patch: Value) -> Value {
        let mut tx = self.db.store().begin(&self.scope).await.unwrap();
        let row = self.engine.update(&mut tx, path, id, &patch, None).await.unwrap();
        tx.commit().await.unwrap();
        row
    }

    /// The monitor as it is now.
    pub async fn row(&self, id: MonitorId) -> Value {
        let mut tx = self.db.store().begin(&self.scope).await.unwrap();
        self.engine.get(&mut tx, "monitors", id.uuid(), &ListRequest::new()).await.unwrap()
    }

    /// All alerts, the oldest first.
    pub async fn alerts(&self) -> Vec<Value> {
        let mut tx = self.db.store().begin(&self.scope).await.unwrap();
        let mut all =
            self.engine.list(&mut tx, "monitoring_alerts", &ListRequest::new()).await.unwrap().data;
        all.reverse();
        all
    }

    /// How many jobs that run monitors there are, whatever came of them.
    pub async fn jobs(&self) -> i64 {
        sqlx::query_scalar("select count(*) from ops.jobs where kind = 'monitor_run'")
            .fetch_one(&self.db.admin())
            .await
            .unwrap()
    }

    /// A scheduler by the clock of the tests.
    pub fn scheduler(&self) -> Scheduler {
        Scheduler::new(self.db.store(), Arc::new(self.clock.clone()))
    }

    pub fn workers(&self) -> WorkersHandle {
        let runner = MonitorRunner::new(&self.assurance, Arc::new(self.clock.clone()));
        let config =
            WorkersConfig { retry_after: Duration::from_millis(50), ..WorkersConfig::default() };
        Workers::start(self.db.store(), vec![Arc::new(runner)], config)
    }

    /// Asks for a run, and waits for its end.
    pub async fn run(&self, id: MonitorId) -> Value {
        let mut tx = self.db.store().begin(&self.scope).await.unwrap();
        let run = monitor_run_now(&mut tx, id).await.unwrap();
        tx.commit().await.unwrap();
        self.ended(run.job_id).await;
        self.row(id).await
    }

    pub async fn ended(&self, job: JobId) {
        until("the job ends", async || {
            let mut tx = self.db.store().begin(&self.scope).await.unwrap();
            job_get(&mut tx, job).await.unwrap().state.has_ended()
        })
        .await;
    }
}

/// Waits until it holds.
pub async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds().await {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A hundred people of each sex, so many of whom are selected, in percent; all of them at a moment.
pub fn people(women: usize, men: usize, at: &str) -> String {
    let mut text = "y,p,sex,at\n".to_owned();
    for (sex, selected) in [("f", women), ("m", men)] {
        for number in 0..100 {
            let (label, chosen) = (number % 2, usize::from(number < selected));
            writeln!(text, "{label},{chosen},{sex},{at}").unwrap();
        }
    }
    text
}

/// A hundred people of each sex, for so many of whom the prediction is right, in percent.
pub fn predicted(right: usize) -> String {
    let mut text = "y,p,sex\n".to_owned();
    for sex in ["f", "m"] {
        for number in 0..100 {
            let label = number % 2;
            let guess = if number < right { label } else { 1 - label };
            writeln!(text, "{label},{guess},{sex}").unwrap();
        }
    }
    text
}

pub fn moment(row: &Value, name: &str) -> Option<DateTime<Utc>> {
    row[name].as_str().map(|text| text.parse().unwrap())
}
