//! The store: pools that nobody sees, and transactions made from a scope.

use std::{sync::Arc, time::Duration};

use ephor_kernel::Scope;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    AssertSqlSafe, Connection as _, Executor, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::sync::Notify;

use crate::{
    DatabaseConfig, Door, Live, OrgTx, Pulse, StoreError,
    context::{self, Access},
    migrate,
};

/// Everything that is kept. Cheap to clone; all clones share their connections.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    app: PgPool,
    system: PgPool,
    sealer: PgPool,
    nudge: Arc<Notify>,
    live: Live,
    pulse: Pulse,
    shares_login: bool,
}

impl Store {
    /// Connects as app, as system and as sealer. Each is tried once, so that a wrong URL is told now.
    ///
    /// # Errors
    /// [`StoreError::Url`] for a URL that cannot be read, else what PostgreSQL said.
    pub async fn connect(config: &DatabaseConfig) -> Result<Self, StoreError> {
        let shares_login = config.system_url.is_none() || config.sealer_url.is_none();
        if shares_login {
            tracing::warn!(
                "one database login serves several of Ephor's roles by SET ROLE; a login for each is stronger (`ephor db bootstrap` prints how)"
            );
        }
        let system_url = config.system_url.as_ref().unwrap_or(&config.url);
        let sealer_url = config.sealer_url.as_ref().unwrap_or(&config.url);
        let statement = Duration::from_secs(config.statement_seconds);
        let app = Pool { role: "ephor_app", size: config.connections, statement: Some(statement) };
        let system =
            Pool { role: "ephor_system", size: config.system_connections, statement: None };
        let sealer = Pool { role: "ephor_sealer", size: 3, statement: None };
        let (app, system, sealer) = tokio::try_join!(
            app.open(&config.url, config.wait()),
            system.open(system_url, config.wait()),
            sealer.open(sealer_url, config.wait()),
        )?;
        let live = Live::new(system.clone());
        Ok(Self(Arc::new(Inner {
            app,
            system,
            sealer,
            nudge: Arc::default(),
            live,
            pulse: Pulse::default(),
            shares_login,
        })))
    }

    /// A transaction in the scope's organization, for a request. One round trip. A scope that only
    /// reads gets one that only reads.
    pub async fn begin(&self, scope: &Scope) -> Result<OrgTx, StoreError> {
        let access = if scope.only_reads() { Access::Reach } else { Access::One };
        self.begin_on(&self.0.app, scope, access).await
    }

    /// A read-only transaction over all that the scope may read: a holding and its subsidiaries. Lists
    /// run one branch per organization (`organization_id = $1`), merged; see `Scope::readable`.
    pub async fn begin_reach(&self, scope: &Scope) -> Result<OrgTx, StoreError> {
        self.begin_on(&self.0.app, scope, Access::Reach).await
    }

    /// A transaction in the scope's organization, for background work. A scope that only reads has
    /// none: it gets what [`Store::begin`] gives.
    pub async fn begin_system(&self, scope: &Scope) -> Result<OrgTx, StoreError> {
        if scope.only_reads() {
            return self.begin_reach(scope).await;
        }
        self.begin_on(&self.0.system, scope, Access::One).await
    }

    async fn begin_on(
        &self,
        pool: &PgPool,
        scope: &Scope,
        access: Access,
    ) -> Result<OrgTx, StoreError> {
        // Built from typed values by the one reviewed function.
        let statement = AssertSqlSafe(context::begin(scope, access));
        let tx = pool.begin_with(statement).await?;
        Ok(OrgTx::new(tx, scope, Arc::clone(&self.0.nudge)))
    }

    /// A connection for what comes before a scope: log-in, sign-up, API keys.
    pub async fn door(&self) -> Result<Door, StoreError> {
        Ok(Door::new(self.0.app.acquire().await?))
    }

    /// What changes, as it changes.
    pub fn live(&self) -> &Live {
        &self.0.live
    }

    /// Where this process' parts tell that they work.
    pub fn pulse(&self) -> &Pulse {
        &self.0.pulse
    }

    /// Does the database answer, and with the schema that this binary knows? For readiness probes.
    pub async fn is_schema_current(&self) -> Result<bool, StoreError> {
        let mut connection = self.0.app.acquire().await?;
        Ok(migrate::is_current(&mut connection).await?)
    }

    /// How many connections requests hold at the moment, and how many of these are idle.
    pub fn connections(&self) -> (u32, usize) {
        (self.0.app.size(), self.0.app.num_idle())
    }

    /// Do several roles share a login? `ephor doctor` says so.
    pub fn shares_login(&self) -> bool {
        self.0.shares_login
    }

    /// Ends all connections. Transactions that are open are rolled back.
    pub async fn close(&self) {
        self.0.live.stop();
        tokio::join!(self.0.app.close(), self.0.system.close(), self.0.sealer.close());
    }

    /// Connections of ephor_system, for what works across tenants by the functions granted to it.
    pub(crate) fn system_pool(&self) -> &PgPool {
        &self.0.system
    }

    /// Connections of ephor_sealer.
    pub(crate) fn sealer_pool(&self) -> &PgPool {
        &self.0.sealer
    }

    /// Wakes the relay of this process.
    pub(crate) fn nudge(&self) -> &Arc<Notify> {
        &self.0.nudge
    }
}

/// A connection that was idle for longer is asked whether it still lives before it is used.
const UNPROVEN: Duration = Duration::from_secs(1);

/// One pool, all of whose connections act as one role.
struct Pool {
    role: &'static str,
    size: u32,
    statement: Option<Duration>,
}

impl Pool {
    async fn open(self, url: &SecretString, wait: Duration) -> Result<PgPool, StoreError> {
        let mut options = options(self.role, url)?.application_name("ephor");
        if let Some(limit) = self.statement {
            let milliseconds = limit.as_millis().to_string();
            options = options.options([
                ("statement_timeout", milliseconds.as_str()),
                ("idle_in_transaction_session_timeout", "120000"),
            ]);
        }
        let role = (options.get_username() != self.role).then_some(self.role);
        let pool = PgPoolOptions::new()
            .max_connections(self.size)
            .acquire_timeout(wait)
            // A connection that was used a moment ago is taken at its word: a ping costs a round trip
            // of every transaction.
            .test_before_acquire(false)
            .before_acquire(|connection, found| {
                Box::pin(async move {
                    if found.idle_for > UNPROVEN {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if let Some(role) = role {
                        connection.execute(AssertSqlSafe(format!("set role {role}"))).await?;
                    }
                    Ok(())
                })
            })
            .connect_with(options)
            .await?;
        Ok(pool)
    }
}

/// Reads a URL, without ever showing it: it holds a password.
pub(crate) fn options(
    login: &'static str,
    url: &SecretString,
) -> Result<PgConnectOptions, StoreError> {
    url.expose_secret().parse().map_err(|error: sqlx::Error| {
        let reason = match error {
            sqlx::Error::Configuration(cause) => cause.to_string(),
            other => other.to_string(),
        };
        StoreError::Url { login, reason }
    })
}
