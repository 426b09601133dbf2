//! The database that a process works on: its own private one, or yours.

use std::path::Path;

use anyhow::Context as _;
use ephor_store::{
    DatabaseConfig, Store,
    embedded::{Cluster, EmbeddedError, Options, Urls},
    migrate,
};
use secrecy::ExposeSecret as _;

use crate::{builtins, config::Config};

/// A database, and the private server under it, if this process runs one.
pub struct Database {
    config: DatabaseConfig,
    restore_url: String,
    cluster: Option<Cluster>,
    applied: Vec<String>,
}

impl Database {
    /// Starts the private server unless a URL is given, and brings the schema up to date.
    pub async fn open(config: &Config, data: &Path) -> anyhow::Result<Self> {
        let mut database = Self::prepare(config, data).await?;
        match database.migrate().await {
            Ok(applied) => {
                database.applied = applied;
                Ok(database)
            }
            Err(error) => {
                database.stop().await?;
                Err(error)
            }
        }
    }

    /// As [`Database::open`], but beside a server that already runs on the data folder: for commands
    /// that look at what a running Ephor keeps.
    pub async fn join_or_open(config: &Config, data: &Path) -> anyhow::Result<Self> {
        match Cluster::start(data, Options::default()).await {
            Ok(cluster) => Ok(Self::private(config, cluster)),
            Err(EmbeddedError::InUse { .. }) => {
                let urls = Urls::of_folder(data)?;
                Ok(Self::over(config, &urls, None))
            }
            Err(error) => Err(error).context("the private PostgreSQL did not start"),
        }
    }

    /// As [`Database::open`], but joins a server that already runs on the data folder: its schema is its
    /// own to migrate.
    pub async fn open_or_join(config: &Config, data: &Path) -> anyhow::Result<Self> {
        match Self::open(config, data).await {
            Err(error) if matches!(error.downcast_ref(), Some(EmbeddedError::InUse { .. })) => {
                Self::join_or_open(config, data).await
            }
            opened => opened,
        }
    }

    /// Beside a server that runs already, or alone: for commands that must not change the schema.
    pub async fn beside(config: &Config, data: &Path) -> anyhow::Result<Self> {
        if config.database.url.expose_secret().is_empty() {
            Self::join_or_open(config, data).await
        } else {
            Self::prepare(config, data).await
        }
    }

    /// Starts the private server unless a URL is given. The schema is left as it is.
    pub async fn prepare(config: &Config, data: &Path) -> anyhow::Result<Self> {
        let given = config.database.url.expose_secret();
        if !given.is_empty() {
            let restore_url = config.database.migrate_url().expose_secret().to_owned();
            return Ok(Self {
                config: config.database.clone(),
                restore_url,
                cluster: None,
                applied: Vec::new(),
            });
        }
        let cluster = Cluster::start(data, Options::default())
            .await
            .context("the private PostgreSQL did not start")?;
        Ok(Self::private(config, cluster))
    }

    fn private(config: &Config, cluster: Cluster) -> Self {
        let urls = cluster.urls().clone();
        Self::over(config, &urls, Some(cluster))
    }

    fn over(config: &Config, urls: &Urls, cluster: Option<Cluster>) -> Self {
        let own = DatabaseConfig {
            url: urls.app().into(),
            system_url: Some(urls.system().into()),
            sealer_url: Some(urls.sealer().into()),
            migrate_url: Some(urls.migrate().into()),
            ..config.database.clone()
        };
        Self { config: own, restore_url: urls.superuser(), cluster, applied: Vec::new() }
    }

    /// Brings the schema up to date; answers what was applied.
    pub async fn migrate(&self) -> anyhow::Result<Vec<String>> {
        let url = self.config.migrate_url().expose_secret();
        let report = migrate::run(url).await?;
        for migration in &report.applied {
            tracing::info!(migration, "the schema was migrated");
        }
        let roles = ephor_identity::builtin_roles_json();
        let upgraded = migrate::upgrade(url, "identity.roles_upgrade", &roles).await?;
        if upgraded > 0 {
            tracing::info!(upgraded, "built-in roles follow this version");
        }
        let held = serde_json::json!({"digest": builtins::edition()});
        let due = migrate::upgrade(url, "ops.builtins_due", &held).await?;
        if due > 0 {
            tracing::info!(organizations = due, "built-in data will follow this version");
        }
        Ok(report.applied)
    }

    /// What [`Database::open`] applied.
    pub fn applied(&self) -> &[String] {
        &self.applied
    }

    /// Who may put a backup into it.
    pub fn restore_url(&self) -> &str {
        &self.restore_url
    }

    /// Opens the pools.
    pub async fn connect(&self) -> anyhow::Result<Store> {
        Ok(Store::connect(&self.config).await?)
    }

    /// Waits until the private server has died for good, and says why. Never ends for one of yours,
    /// which may come back.
    pub async fn given_up(&self) -> String {
        match &self.cluster {
            Some(cluster) => cluster.given_up().await,
            None => std::future::pending().await,
        }
    }

    /// Stops the private server, if this process runs one.
    pub async fn stop(self) -> anyhow::Result<()> {
        match self.cluster {
            Some(cluster) => Ok(cluster.stop().await?),
            None => Ok(()),
        }
    }
}
