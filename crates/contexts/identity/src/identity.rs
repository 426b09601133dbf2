//! The service: what the API and the console call.

use std::{fmt, sync::Arc};

use ephor_kernel::{Clock, Problem, RequestContext};
use ephor_store::{Store, StoreError, jobs::JobHandler};

use crate::{
    config::IdentityConfig, external::Provider, key_usage::KeyUsage, membership::Memberships,
    password::Hasher, throttle::Blocked, vault::Vault,
};

/// Identity over a store. Cheap to clone.
#[derive(Clone)]
pub struct Identity(Arc<Parts>);

pub(crate) struct Parts {
    pub store: Store,
    pub config: IdentityConfig,
    pub clock: Arc<dyn Clock>,
    pub hasher: Hasher,
    pub memberships: Memberships,
    pub key_usage: KeyUsage,
    pub blocked: Blocked,
    pub vault: Vault,
    pub providers: Vec<Provider>,
}

impl Identity {
    /// Identity as configured, without providers of log-ins, and with a vault of this process alone:
    /// for tests and for what serves nobody.
    ///
    /// # Errors
    /// When argon2 does not allow the configured cost.
    pub fn new(
        store: Store,
        config: IdentityConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Problem> {
        Self::with(store, config, clock, Vault::passing()?, Vec::new())
    }

    /// Identity as configured. The vault's key is the same in every process of an installation.
    ///
    /// # Errors
    /// As [`Identity::new`].
    pub fn with(
        store: Store,
        config: IdentityConfig,
        clock: Arc<dyn Clock>,
        vault: Vault,
        providers: Vec<Provider>,
    ) -> Result<Self, Problem> {
        let hasher = Hasher::new(
            config.password_memory_kib,
            config.password_passes,
            config.password_at_once as usize,
        )?;
        Ok(Self(Arc::new(Parts {
            store,
            config,
            clock,
            hasher,
            memberships: Memberships::default(),
            key_usage: KeyUsage::default(),
            blocked: Blocked::default(),
            vault,
            providers,
        })))
    }

    /// How it is set up.
    pub fn config(&self) -> &IdentityConfig {
        &self.0.config
    }

    /// The store that it stands on.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// What does identity's background work.
    pub fn handlers(&self) -> Vec<Arc<dyn JobHandler>> {
        crate::privacy::handlers()
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.0
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("config", &self.0.config).finish_non_exhaustive()
    }
}

/// What the database refused or could not do, as the caller may see it.
pub(crate) fn database(error: sqlx::Error) -> Problem {
    crate::constraints::problem(StoreError::from(error))
}

/// The request as the audit trail keeps it: hex of JSON, the form of the setting `ephor.request`.
pub(crate) fn request_hex(request: &RequestContext) -> String {
    serde_json::to_vec(request).map(hex::encode).unwrap_or_default()
}
