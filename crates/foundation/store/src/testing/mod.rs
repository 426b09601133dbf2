//! A database of its own for each test, on a real PostgreSQL.
//!
//! One server is shared by all test processes (`server`); the migrations are run once, into a
//! template (`template`), and a test clones that, which takes some ten milliseconds. Databases of
//! tests that were killed are swept by those that come after.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests call this, and what goes wrong here is the test's failure"
)]

mod server;
mod template;

use std::{
    future::Future,
    sync::atomic::{AtomicU32, Ordering},
};

use ephor_kernel::{OrganizationId, PermissionSet, Principal, RequestContext, Scope, UserId};
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use uuid::Uuid;

use crate::{
    DatabaseConfig, Store,
    bootstrap::Login,
    embedded::{SUPERUSER, Urls},
};

/// The names of test databases: prefix, process id, number.
const PREFIX: &str = "ephor_test_";

/// A name that no other test database has: it tells which process may still use it.
fn fresh_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("{PREFIX}{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// A fresh database with all migrations run. It is dropped with this value.
pub async fn database() -> TestDatabase {
    let name = fresh_name();
    let urls = template::clone_to(&name).await.expect("a test database");
    // From here on it is dropped whatever happens.
    let dropped = Dropped { name: name.clone(), urls: urls.clone() };
    let admin =
        PgPoolOptions::new().max_connections(5).connect_lazy_with(urls.options(SUPERUSER, &name));
    let config = config(&urls, &name);
    let store = Store::connect(&config).await.expect("a store on the test database");
    TestDatabase { name, urls, config, admin, store, _dropped: dropped }
}

/// How Ephor would be configured for a database: with a login for each role.
fn config(urls: &Urls, name: &str) -> DatabaseConfig {
    DatabaseConfig {
        url: urls.url(Login::App.role(), name).into(),
        system_url: Some(urls.url(Login::System.role(), name).into()),
        sealer_url: Some(urls.url(Login::Sealer.role(), name).into()),
        migrate_url: Some(urls.url(Login::Migrator.role(), name).into()),
        ..DatabaseConfig::default()
    }
}

/// A database that was prepared and holds nothing yet: for tests of migrations and restores.
pub async fn empty_database() -> EmptyDatabase {
    let name = fresh_name();
    let urls = template::prepare_empty(&name).await.expect("an empty test database");
    EmptyDatabase { dropped: Dropped { name, urls } }
}

/// See [`empty_database`]. It is dropped with this value.
pub struct EmptyDatabase {
    dropped: Dropped,
}

impl EmptyDatabase {
    /// How Ephor would be configured for this database.
    pub fn config(&self) -> DatabaseConfig {
        config(&self.dropped.urls, &self.dropped.name)
    }

    /// The URL of one login.
    pub fn url(&self, login: Login) -> String {
        self.dropped.urls.url(login.role(), &self.dropped.name)
    }

    /// The superuser's URL.
    pub fn superuser_url(&self) -> String {
        self.dropped.urls.url(SUPERUSER, &self.dropped.name)
    }
}

/// A database for one test.
pub struct TestDatabase {
    name: String,
    urls: Urls,
    config: DatabaseConfig,
    admin: PgPool,
    store: Store,
    _dropped: Dropped,
}

impl TestDatabase {
    /// The store, as Ephor itself has it: with the logins' own rights and no others.
    pub fn store(&self) -> Store {
        self.store.clone()
    }

    /// A superuser's connections, for tests that look behind the rules or tamper.
    pub fn admin(&self) -> PgPool {
        self.admin.clone()
    }

    /// How Ephor would be configured for this database: for tests that connect once more.
    pub fn config(&self) -> DatabaseConfig {
        self.config.clone()
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL of one login, for tests that start a process.
    pub fn url(&self, login: Login) -> String {
        self.urls.url(login.role(), &self.name)
    }

    /// The superuser's URL, for tests that start a process.
    pub fn superuser_url(&self) -> String {
        self.urls.url(SUPERUSER, &self.name)
    }

    /// A connection with exactly the rights of `role`, which need not be able to log in.
    pub async fn connect_as(&self, role: &str) -> PgConnection {
        let mut connection = self.connect_superuser().await;
        let change = format!("set session authorization {}", crate::bootstrap::name(role));
        sqlx::raw_sql(AssertSqlSafe(change))
            .execute(&mut connection)
            .await
            .expect("a connection with the role's rights");
        connection
    }

    async fn connect_superuser(&self) -> PgConnection {
        let options: PgConnectOptions = self.urls.options(SUPERUSER, &self.name);
        PgConnection::connect_with(&options).await.expect("a superuser's connection")
    }

    /// A new organization of that name with a new owner; the scope is the owner's, and allows all.
    pub async fn organization(&self, name: &str) -> Scope {
        self.sign_up(name, "standalone").await
    }

    /// A new holding; see [`TestDatabase::organization`].
    pub async fn holding(&self, name: &str) -> Scope {
        self.sign_up(name, "holding").await
    }

    /// A new subsidiary of `holding`, with an owner of its own. The holding's scope learns of it by
    /// [`Scope::reading`].
    pub async fn subsidiary(&self, holding: &Scope, name: &str) -> Scope {
        let scope = self.sign_up(name, "standalone").await;
        sqlx::query(
            "update identity.organizations set kind = 'subsidiary', parent_id = $2 where id = $1",
        )
        .bind(scope.organization().uuid())
        .bind(holding.organization().uuid())
        .execute(&self.admin)
        .await
        .expect("a subsidiary");
        scope
    }

    async fn sign_up(&self, name: &str, kind: &str) -> Scope {
        let unique = Uuid::now_v7().simple().to_string();
        let roles = serde_json::json!([{
            "code": "owner", "version": 1, "name": "Owner", "description": null, "permissions": ["*"],
        }]);
        let (user, organization): (Uuid, Uuid) = sqlx::query_as(
            "select user_id, organization_id from door.sign_up($1, $2, $3, true, $4, $5, $6, $7, '')",
        )
        .bind(format!("owner-{unique}@example.org"))
        // No password has this hash, so nobody logs in as this owner.
        .bind("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
        .bind(format!("Owner of {name}"))
        .bind(name)
        .bind(format!("o-{unique}"))
        .bind(kind)
        .bind(roles)
        .fetch_one(&self.admin)
        .await
        .expect("a new organization");
        Scope::new(
            Principal::User(UserId::from(user)),
            OrganizationId::from(organization),
            PermissionSet::all(),
            RequestContext::default(),
        )
    }
}

/// Drops the database at the end, also of a test that panics.
struct Dropped {
    name: String,
    urls: Urls,
}

impl Drop for Dropped {
    fn drop(&mut self) {
        let (name, urls) = (self.name.clone(), self.urls.clone());
        let dropping = run_apart(async move {
            let mut connection =
                PgConnection::connect_with(&urls.options(SUPERUSER, "postgres")).await?;
            template::drop_database(&mut connection, &name).await?;
            connection.close().await
        });
        if let Err(error) = dropping {
            // The sweep of a later test will get it.
            tracing::warn!(%error, database = self.name, "a test database was not dropped");
        }
    }
}

/// Runs a future to its end on a thread of its own: a destructor may stand in a runtime already.
fn run_apart(
    future: impl Future<Output = Result<(), sqlx::Error>> + Send + 'static,
) -> Result<(), sqlx::Error> {
    let thread = std::thread::spawn(|| {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
    });
    thread.join().map_err(|_| sqlx::Error::WorkerCrashed)?
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    async fn count(connection: &mut PgConnection, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
    }

    #[tokio::test]
    async fn each_test_has_a_database_of_its_own_for_as_long_as_it_runs() {
        let (one, other) = tokio::join!(database(), database());
        assert_ne!(one.name(), other.name());
        one.organization("Acme").await;
        let organizations = "select count(*) from identity.organizations where slug like 'o-%'";
        assert_eq!(count(&mut one.connect_superuser().await, organizations).await, 1);
        assert_eq!(count(&mut other.connect_superuser().await, organizations).await, 0);

        let name = one.name().to_owned();
        drop(one);
        let there: bool =
            sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
                .bind(name)
                .fetch_one(&other.admin())
                .await
                .unwrap();
        assert!(!there, "the first database was dropped");
    }

    #[tokio::test]
    async fn a_role_is_who_it_is_and_no_more() {
        let db = database().await;
        let mut connection = db.connect_as("ephor_reach").await;
        let who: String = sqlx::query_scalar("select session_user::text")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(who, "ephor_reach");
        assert!(sqlx::query("create table public.mine ()").execute(&mut connection).await.is_err());
    }

    #[tokio::test]
    async fn an_owners_scope_opens_its_organization_and_no_other() {
        let db = database().await;
        let (acme, _other) = (db.organization("Acme").await, db.organization("Other").await);
        let mut tx = db.store().begin(&acme).await.unwrap();
        let seen: Vec<String> = sqlx::query_scalar("select name from identity.organizations")
            .fetch_all(tx.conn())
            .await
            .unwrap();
        assert_eq!(seen, ["Acme"]);
    }

    #[tokio::test]
    async fn a_subsidiary_belongs_to_its_holding() {
        let db = database().await;
        let holding = db.holding("Holding").await;
        let daughter = db.subsidiary(&holding, "Daughter").await;
        let reading = holding.reading([daughter.organization()]);
        let mut tx = db.store().begin_reach(&reading).await.unwrap();
        let names: Vec<String> =
            sqlx::query_scalar("select name from identity.organizations order by 1")
                .fetch_all(tx.conn())
                .await
                .unwrap();
        assert_eq!(names, ["Daughter", "Holding"]);
    }

    #[tokio::test]
    async fn what_a_killed_test_left_is_swept() {
        let db = database().await;
        let mut admin = db.connect_superuser().await;
        // No process has this number: it is above what Linux and macOS hand out.
        let leftover = format!("{PREFIX}{}_0", i32::MAX);
        let sql = AssertSqlSafe(format!("create database {leftover}"));
        sqlx::raw_sql(sql).execute(&mut admin).await.unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        let exists = format!("select count(*) from pg_database where datname = '{leftover}'");
        loop {
            // Each of these sweeps, unless another process is at it.
            drop(database().await);
            let there: i64 = sqlx::query_scalar(AssertSqlSafe(exists.clone()))
                .fetch_one(&mut admin)
                .await
                .unwrap();
            if there == 0 {
                break;
            }
            assert!(std::time::Instant::now() < deadline, "it was not swept");
        }
    }
}
