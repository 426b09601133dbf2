//! What the pages stand on.

use std::path::PathBuf;

use axum::extract::FromRef;
use chrono::{DateTime, Utc};
use ephor_assurance::Assurance;
use ephor_billing::Billing;
use ephor_identity::Identity;
use ephor_registry::Registry;
use ephor_rest::Engine;
use ephor_seal::PublicKey;
use ephor_store::Store;

/// What the pages stand on. Cheap to clone.
#[derive(Clone)]
pub struct ConsoleState {
    /// The database.
    pub store: Store,
    /// The resources.
    pub engine: Engine,
    /// Who acts.
    pub identity: Identity,
    /// Models and data sets.
    pub registry: Registry,
    /// Bias analyses.
    pub assurance: Assurance,
    /// What may be used, and what is.
    pub billing: Billing,
    /// The key that the audit trail is verified with.
    pub seal_key: PublicKey,
    /// Where this process keeps its files.
    pub data_folder: PathBuf,
    /// When this process began to serve.
    pub started_at: DateTime<Utc>,
}

impl FromRef<ConsoleState> for Identity {
    fn from_ref(state: &ConsoleState) -> Self {
        state.identity.clone()
    }
}
