//! What the routes share.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::extract::FromRef;
use chrono::{DateTime, Utc};
use ephor_assurance::{
    Assurance, OpenDataset, OpenModel, ReadElsewhere,
    explanation::ExplanationRunner,
    feed::{FlushRunner, RowFeeds, RowsToStore, StoreRows},
    mitigation::{ApplyRunner, FitRunner},
    monitor::MonitorRunner,
    runner::AnalysisRunner,
};
use ephor_billing::Billing;
use ephor_cluster::{Cluster, ClusterError, ClusterOptions, Location};
use ephor_content::Content;
use ephor_identity::{Identity, MailHandler};
use ephor_kernel::{Clock as _, SystemClock};
use ephor_mail::Mailer;
use ephor_registry::{ObjectStoreConfig, Registry, dataset::NewDataset};
use ephor_rest::{Catalog, Engine};
use ephor_seal::SealKey;
use ephor_store::{Store, jobs::JobHandler};
use metrics_exporter_prometheus::PrometheusHandle;
use object_store::ObjectStore;

use super::{contexts, key::cursor_key, proxies::Block, secrets_key};
use crate::{builtins::BuiltinFollower, config::Config};

/// Everything that serves requests. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub store: Store,
    /// The resource engine.
    pub engine: Engine,
    /// Who acts.
    pub identity: Identity,
    /// What is governed.
    pub registry: Registry,
    /// Bias analyses.
    pub assurance: Assurance,
    /// Rows that programs push.
    pub feeds: RowFeeds,
    /// Sends mails, where mail is set up.
    pub mailer: Option<Mailer>,
    /// What may be used, and what is.
    pub billing: Billing,
    /// The trust centre's posts.
    pub content: Content,
    /// The key that seals the trail, to verify it with.
    pub seal_key: Arc<SealKey>,
    /// Where files are kept.
    pub data: Arc<Path>,
    /// Where archives and data sets are stored.
    pub objects: Arc<dyn ObjectStore>,
    /// When this process began to serve.
    pub started_at: DateTime<Utc>,
    /// Whose word on addresses is taken.
    pub trusted_proxies: Arc<[Block]>,
    /// What Prometheus reads.
    pub metrics: PrometheusHandle,
}

/// Who acts, and what is governed: as the server has them, for commands that work without one.
pub fn services(
    config: &Config,
    data: &Path,
    store: &Store,
) -> anyhow::Result<(Identity, Registry)> {
    let identity = Identity::with(
        store.clone(),
        config.identity.clone(),
        Arc::new(SystemClock),
        secrets_key::vault(&config.secrets, data)?,
        secrets_key::providers(&config.oidc)?,
    )?;
    let registry =
        Registry::new(store.clone(), &objects(config, data), config.analysis.memory_mib << 20)?;
    Ok((identity, registry))
}

impl App {
    /// Joins the parts.
    pub async fn new(
        config: &Config,
        data: &Path,
        store: Store,
        seal_key: SealKey,
        metrics: PrometheusHandle,
    ) -> anyhow::Result<Self> {
        let trusted_proxies = config
            .server
            .trusted_proxies
            .iter()
            .map(|block| block.parse())
            .collect::<Result<Arc<[Block]>, _>>()
            .context("server.trusted_proxies")?;
        let (identity, registry) = services(config, data, &store)?;
        // The configuration was checked when it was read.
        let mailer = Mailer::new(&config.mail).ok().flatten();
        let assurance = Assurance {
            store: store.clone(),
            open_dataset: open_dataset(&registry),
            read_elsewhere: read_elsewhere(config, data)?,
            open_model: open_model(&registry),
            objects: objects(config, data).open()?,
            pages: ephor_console::report::PAGES,
        };
        let feeds = RowFeeds::new(store.clone(), store_rows(&registry));

        let billing = Billing::new(store.clone(), Arc::new(SystemClock));
        let content = Content::new(store.clone(), config.server.url());

        let catalog = Catalog::read(store.door().await?.conn()).await?;
        let engine = Engine::with_operations(
            &catalog,
            contexts::resources(),
            cursor_key(&seal_key),
            contexts::operations(),
        )?;
        Ok(Self {
            store,
            engine,
            identity,
            registry,
            assurance,
            feeds,
            mailer,
            billing,
            content,
            seal_key: Arc::new(seal_key),
            data: data.into(),
            objects: objects(config, data).open()?,
            started_at: SystemClock.now(),
            trusted_proxies,
            metrics,
        })
    }

    /// What does the background work.
    pub fn handlers(&self) -> Vec<Arc<dyn JobHandler>> {
        let mut all = self.identity.handlers();
        all.push(Arc::new(AnalysisRunner::new(&self.assurance)));
        all.push(Arc::new(MonitorRunner::new(&self.assurance, Arc::new(SystemClock))));
        all.push(Arc::new(FlushRunner::new(&self.feeds)));
        all.push(Arc::new(FitRunner::new(&self.assurance)));
        all.push(Arc::new(ExplanationRunner::new(&self.assurance)));
        all.push(Arc::new(ApplyRunner::new(&self.assurance, &self.feeds)));
        all.push(Arc::new(BuiltinFollower));
        all.push(Arc::new(MailHandler::new(self.identity.clone(), self.mailer.clone())));
        all
    }
}

/// Where objects are stored.
pub fn objects(config: &Config, data: &Path) -> ObjectStoreConfig {
    ObjectStoreConfig {
        url: (!config.objects.url.is_empty()).then(|| config.objects.url.clone()),
        folder: data.join("objects"),
        max_upload_bytes: config.objects.max_upload_bytes,
    }
}

/// The one place where assurance meets the registry.
fn open_dataset(registry: &Registry) -> OpenDataset {
    let registry = registry.clone();
    Arc::new(move |scope, dataset| {
        let registry = registry.clone();
        Box::pin(async move { registry.dataset_open(&scope, dataset).await })
    })
}

/// What tenants are told of a cluster that does not work.
const UNUSABLE_CLUSTER: &str =
    "the cluster that reads data sets cannot be used at the moment; the reason is in the log";

/// The one place where assurance meets a cluster.
fn read_elsewhere(config: &Config, data: &Path) -> anyhow::Result<Option<ReadElsewhere>> {
    let Some(address) = config.cluster.address()? else { return Ok(None) };
    let options = ClusterOptions {
        patience: Duration::from_secs(config.cluster.patience_seconds),
        ..ClusterOptions::default()
    };
    let cluster = Cluster::new(address, options);
    let objects = objects(config, data);
    let folder = std::path::absolute(&objects.folder).context("data.dir")?;
    Ok(Some(Arc::new(move |table| {
        let (cluster, object) = (cluster.clone(), table.object().cloned());
        let (url, folder) = (objects.url.clone(), folder.clone());
        Box::pin(async move {
            let object = object.ok_or("the data set is not stored as an object")?;
            let place = match url {
                Some(url) => Location::url(&format!("{}/{object}", url.trim_end_matches('/'))),
                None => Location::file(&folder.join(object.as_ref())),
            };
            // It names addresses of the installation, which are no tenant's to know.
            let told = |error: ClusterError| {
                tracing::warn!(%error, "the cluster could not be asked to read a data set");
                UNUSABLE_CLUSTER.to_owned()
            };
            cluster.table(&place.map_err(told)?, Some(table.rows())).await.map_err(told)
        })
    })))
}

/// The same of models' files.
fn open_model(registry: &Registry) -> OpenModel {
    let registry = registry.clone();
    Arc::new(move |scope, artifact| {
        let registry = registry.clone();
        Box::pin(async move { registry.artifact_open(&scope, artifact).await })
    })
}

/// Where rows that were pushed, or that a mitigation was applied to, become data sets.
fn store_rows(registry: &Registry) -> StoreRows {
    let registry = registry.clone();
    Arc::new(move |scope, rows| {
        let registry = registry.clone();
        Box::pin(async move {
            let RowsToStore { name, description, metadata, format, body, cancel, settle } = rows;
            let new = NewDataset {
                name,
                description,
                source_name: format!("rows.{format}"),
                format: Some(format),
                metadata,
            };
            registry.dataset_upload_with(&scope, new, body, &|_| {}, &cancel, settle).await
        })
    })
}

impl FromRef<App> for Store {
    fn from_ref(app: &App) -> Self {
        app.store.clone()
    }
}

impl FromRef<App> for Identity {
    fn from_ref(app: &App) -> Self {
        app.identity.clone()
    }
}

impl FromRef<App> for Registry {
    fn from_ref(app: &App) -> Self {
        app.registry.clone()
    }
}
