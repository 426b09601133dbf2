//! A PostgreSQL of the run's own, as Ephor runs its private one: durable, with the same settings.

use anyhow::{Context as _, Result};
use ephor_kernel::{
    OrganizationId, PermissionSet, Principal, RequestContext, RequestId, Scope, UserId,
};
use ephor_store::{
    DatabaseConfig, Store,
    embedded::{Cluster, Options},
    migrate,
};
use sqlx::PgPool;
use tempfile::TempDir;

pub struct Postgres {
    cluster: Cluster,
    folder: TempDir,
    /// Ephor's own connections.
    pub store: Store,
    /// A superuser's, whom no policy binds.
    pub superuser: PgPool,
}

impl Postgres {
    /// A new data folder, started and migrated.
    pub async fn start() -> Result<Self> {
        let folder = data_folder()?;
        let cluster = Cluster::start(folder.path(), Options::default()).await?;
        let urls = cluster.urls();
        migrate::run(&urls.migrate()).await?;
        let config = DatabaseConfig {
            url: urls.app().into(),
            system_url: Some(urls.system().into()),
            sealer_url: Some(urls.sealer().into()),
            migrate_url: Some(urls.migrate().into()),
            connections: 40,
            ..DatabaseConfig::default()
        };
        let store = Store::connect(&config).await?;
        let superuser = PgPool::connect(&urls.superuser()).await?;
        Ok(Self { cluster, folder, store, superuser })
    }

    /// Version and durability, which decide what writes cost.
    pub async fn describe(&self) -> Result<String> {
        let (version, fsync, commit): (String, String, String) = sqlx::query_as(
            "select current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit')",
        )
        .fetch_one(&self.superuser)
        .await?;
        Ok(format!("PostgreSQL {version}, fsync {fsync}, synchronous_commit {commit}"))
    }

    pub async fn stop(self) -> Result<()> {
        self.store.close().await;
        self.superuser.close().await;
        self.cluster.stop().await?;
        Ok(self.folder.close()?)
    }
}

/// A data folder that the private PostgreSQL's own user can reach when the bench runs as root.
pub fn data_folder() -> Result<TempDir> {
    use std::os::unix::fs::PermissionsExt as _;
    let folder =
        tempfile::Builder::new().prefix("ephor-bench").tempdir().context("a data folder")?;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
    Ok(folder)
}

/// People of as many organizations, each with a request as a browser makes it.
pub fn scopes(count: usize) -> Vec<Scope> {
    (0..count).map(|_| scope(OrganizationId::new())).collect()
}

/// Somebody of an organization.
pub fn scope(organization: OrganizationId) -> Scope {
    let request = RequestContext::new(
        Some(std::net::IpAddr::from([192, 0, 2, 7])),
        Some("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        RequestId::new(),
    );
    Scope::new(Principal::User(UserId::new()), organization, PermissionSet::all(), request)
}
