//! Proofs for one entry, and between two checkpoints.

use std::time::Duration;

use ephor_kernel::{EntryId, OrganizationId};
use ephor_seal::{Hash, TlogProof, merkle};
use serde::Serialize;
use sqlx::PgConnection;
use tokio::time::Instant;
use uuid::Uuid;

use super::{AuditError, row::Row, tree::path_load};
use crate::{OrgTx, Store};

/// The leaf of an entry in an organization's tree.
async fn leaf_find(
    conn: &mut PgConnection,
    organization: Uuid,
    entry: Uuid,
) -> Result<Option<u64>, AuditError> {
    let bundles = sqlx::query!(
        "select position, entries from audit.entry_bundles
         where organization_id = $1 and first_entry <= $2 and last_entry >= $2",
        organization,
        entry,
    )
    .fetch_all(conn)
    .await?;
    Ok(bundles.iter().find_map(|bundle| {
        let place = bundle.entries.as_chunks().0.iter().position(|id| id == entry.as_bytes())?;
        Some(bundle.position as u64 * ephor_seal::tile::WIDTH + place as u64)
    }))
}

/// Proves that an entry of the transaction's organization is in its newest signed tree; `None`
/// when the entry is not there, or not sealed yet.
pub async fn receipt(tx: &mut OrgTx, entry: EntryId) -> Result<Option<TlogProof>, AuditError> {
    let organization = tx.organization().uuid();
    let row = sqlx::query_as!(
        Row,
        "select id, created_at, actor_type, actor_id, action, entity_type, entity_id, body, salt, erased_by, body_hash
         from audit.audit_logs where organization_id = $1 and id = $2",
        organization,
        entry.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let newest = sqlx::query!(
        "select last_sequence_number, note from audit.audit_checkpoints
         where organization_id = $1 order by last_sequence_number desc limit 1",
        organization,
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(newest) = newest else { return Ok(None) };
    let size = newest.last_sequence_number as u64;
    let Some(index) = leaf_find(tx.conn(), organization, row.id).await? else { return Ok(None) };
    // Sealed after the checkpoint that this transaction sees: not yet, then.
    let Some(ranges) = merkle::inclusion_path(index, size) else { return Ok(None) };
    let path = path_load(tx.conn(), organization, &ranges).await?;
    let written = row.entry(organization);
    let extra = written.body_hash().map(|body_hash| written.header.leaf_data(&body_hash));
    Ok(Some(TlogProof { extra, index, path, checkpoint: newest.note }))
}

/// Proves that one signed tree begins with another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Consistency {
    /// The older tree's checkpoint, as a signed note.
    pub old: String,
    /// The newer tree's.
    pub new: String,
    /// The hashes of RFC 6962's consistency proof.
    pub path: Vec<Hash>,
}

/// Proves that the newest signed tree of the transaction's organization begins with the one that
/// was signed at `size` entries; `None` when none was signed at that size.
pub async fn consistency(tx: &mut OrgTx, size: u64) -> Result<Option<Consistency>, AuditError> {
    let organization = tx.organization().uuid();
    let checkpoints = sqlx::query!(
        "select last_sequence_number, note from audit.audit_checkpoints
         where organization_id = $1 and (last_sequence_number = $2 or last_sequence_number =
             (select max(last_sequence_number) from audit.audit_checkpoints where organization_id = $1))
         order by last_sequence_number",
        organization,
        size as i64,
    )
    .fetch_all(tx.conn())
    .await?;
    let (Some(old), Some(new)) = (checkpoints.first(), checkpoints.last()) else { return Ok(None) };
    let newest = new.last_sequence_number as u64;
    if old.last_sequence_number as u64 != size {
        return Ok(None);
    }
    let Some(ranges) = merkle::consistency_path(size, newest) else { return Ok(None) };
    let path = path_load(tx.conn(), organization, &ranges).await?;
    Ok(Some(Consistency { old: old.note.clone(), new: new.note.clone(), path }))
}

/// Waits until an entry that was committed is sealed; says whether it was within the time given.
pub async fn wait_sealed(
    store: &Store,
    organization: OrganizationId,
    entry: EntryId,
    patience: Duration,
) -> Result<bool, AuditError> {
    let end = Instant::now() + patience;
    loop {
        let mut conn = store.sealer_pool().acquire().await?;
        if leaf_find(&mut conn, organization.uuid(), entry.uuid()).await?.is_some() {
            return Ok(true);
        }
        drop(conn);
        if Instant::now() >= end {
            return Ok(false);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
