//! How far the trail is sealed.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::INSTANCE_LOG;
use crate::{OrgTx, Store, StoreError};

/// How far an organization's trail is sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SealStatus {
    /// How many entries are in the tree.
    pub sealed: u64,
    /// How many are written and wait for the sealer.
    pub queued: u64,
    /// The newest checkpoint.
    pub checkpoint: Option<CheckpointStatus>,
    /// When the trail was last verified.
    pub verified_at: Option<DateTime<Utc>>,
    /// How many entries that verification proved.
    pub verified_size: u64,
}

/// A checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckpointStatus {
    /// How many entries it covers.
    pub size: u64,
    /// The tree's root, in hexadecimal.
    pub root: String,
    /// The signed note.
    pub note: String,
    /// When it was signed.
    pub created_at: DateTime<Utc>,
}

/// How far the trail of the transaction's organization is sealed.
pub async fn status(tx: &mut OrgTx) -> Result<SealStatus, StoreError> {
    let organization = tx.organization().uuid();
    let queued = sqlx::query_scalar!(
        r#"select count(*) as "count!" from audit.seal_queue where organization_id = $1"#,
        organization,
    )
    .fetch_one(tx.conn())
    .await?;
    let newest = sqlx::query!(
        "select last_sequence_number, root_hash, note, created_at from audit.audit_checkpoints
         where organization_id = $1 order by last_sequence_number desc limit 1",
        organization,
    )
    .fetch_optional(tx.conn())
    .await?;
    let verified = sqlx::query!(
        "select last_sequence_number, verified_at from audit.audit_checkpoints
         where organization_id = $1 and verified_at is not null
         order by verified_at desc limit 1",
        organization,
    )
    .fetch_optional(tx.conn())
    .await?;
    let checkpoint = newest.map(|newest| CheckpointStatus {
        size: newest.last_sequence_number as u64,
        root: hex::encode(newest.root_hash),
        note: newest.note,
        created_at: newest.created_at,
    });
    Ok(SealStatus {
        sealed: checkpoint.as_ref().map_or(0, |newest| newest.size),
        queued: queued as u64,
        checkpoint,
        verified_size: verified.as_ref().map_or(0, |last| last.last_sequence_number as u64),
        verified_at: verified.and_then(|last| last.verified_at),
    })
}

/// How far the instance log is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InstanceStatus {
    /// How many entries of all organizations wait for the sealer.
    pub queued: i64,
    /// The size of the instance log's newest checkpoint.
    pub size: Option<i64>,
    /// When it was signed.
    pub created_at: Option<DateTime<Utc>>,
}

/// How far the installation's own log is, and how much waits to be sealed.
pub async fn instance_status(store: &Store) -> Result<InstanceStatus, StoreError> {
    let queued =
        sqlx::query_scalar!(r#"select count(organization_id) as "count!" from audit.seal_queue"#)
            .fetch_one(store.sealer_pool())
            .await?;
    let newest = sqlx::query!(
        "select last_sequence_number, created_at from audit.audit_checkpoints
         where organization_id = $1 order by last_sequence_number desc limit 1",
        INSTANCE_LOG,
    )
    .fetch_optional(store.sealer_pool())
    .await?;
    Ok(InstanceStatus {
        queued,
        size: newest.as_ref().map(|row| row.last_sequence_number),
        created_at: newest.map(|row| row.created_at),
    })
}
