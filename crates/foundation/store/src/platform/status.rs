//! How the installation is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{OpenErasures, scope};
use crate::{Store, StoreError};

/// How the installation is: counts over all organizations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlatformStatus {
    /// PostgreSQL.
    pub database: DatabaseStatus,
    /// The schema.
    pub migrations: MigrationStatus,
    /// The tenants.
    pub organizations: OrganizationCounts,
    /// People who may log in.
    pub users: u64,
    /// Background work.
    pub jobs: JobCounts,
    /// People who asked to be erased and are not yet.
    pub erasures: OpenErasures,
    /// What is committed and has yet to be handed over.
    pub outbox: Waiting,
    /// The audit trail's sealing.
    pub sealing: SealingStatus,
    /// Partitioned tables whose default partition holds rows: a month was missing.
    pub spilt: Vec<String>,
}

/// PostgreSQL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatabaseStatus {
    /// Its version.
    pub version: String,
    /// When it was started.
    pub started_at: DateTime<Utc>,
    /// How large the database is.
    pub bytes: u64,
    /// How many connections there are, of all processes.
    pub connections: u64,
    /// How many there may be.
    pub max_connections: u64,
}

/// The schema.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MigrationStatus {
    /// How many migrations were applied.
    pub count: u64,
    /// The last one.
    pub last: Option<String>,
    /// When the last was applied.
    pub applied_at: Option<DateTime<Utc>>,
}

/// The tenants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationCounts {
    /// Those that may be used.
    pub active: u64,
    /// Those that may not.
    pub suspended: u64,
}

/// Background work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobCounts {
    /// Waiting.
    pub queued: u64,
    /// Being done.
    pub running: u64,
    /// Failed within the last day.
    pub failed: u64,
    /// For how long the longest waits that is due.
    pub waiting_seconds: Option<f64>,
}

/// Something that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// How much of it.
    pub waiting: u64,
    /// For how long the oldest does.
    pub waiting_seconds: Option<f64>,
}

/// The audit trail's sealing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SealingStatus {
    /// Entries that wait for the sealer.
    pub queued: u64,
    /// For how long the oldest of them does.
    pub waiting_seconds: Option<f64>,
    /// When a checkpoint was last signed.
    pub last_checkpoint_at: Option<DateTime<Utc>>,
}

/// How the installation is.
pub async fn platform_status(store: &Store) -> Result<PlatformStatus, StoreError> {
    let mut tx = store.begin_system(&scope("status")).await?;
    let status = sqlx::query_scalar!(
        r#"select ops.platform_status() as "status!: sqlx::types::Json<PlatformStatus>""#
    )
    .fetch_one(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(status.0)
}
