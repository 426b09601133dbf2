//! Proofs for one entry, and between two checkpoints.

use std::time::Duration;

use ephor_kernel::{EntryId, OrganizationId};
use ephor_seal::{ConsistencyProof, TlogProof, merkle};
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
    prove(tx.conn(), organization, &row).await
}

/// Proves an entry, which need not be in the database any more, by the tree that is.
pub(super) async fn prove(
    conn: &mut PgConnection,
    organization: Uuid,
    row: &Row,
) -> Result<Option<TlogProof>, AuditError> {
    let newest = sqlx::query!(
        "select last_sequence_number, note from audit.audit_checkpoints
         where organization_id = $1 order by last_sequence_number desc limit 1",
        organization,
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(newest) = newest else { return Ok(None) };
    let size = newest.last_sequence_number as u64;
    let Some(index) = leaf_find(&mut *conn, organization, row.id).await? else { return Ok(None) };
    // Sealed after the checkpoint that this transaction sees: not yet, then.
    let Some(ranges) = merkle::inclusion_path(index, size) else { return Ok(None) };
    let path = path_load(conn, organization, &ranges).await?;
    let written = row.entry(organization);
    let extra = written.body_hash().map(|body_hash| written.header.leaf_data(&body_hash));
    Ok(Some(TlogProof { extra, index, path, checkpoint: newest.note }))
}

/// Proves that the newest signed tree of the transaction's organization begins with the one that
/// was signed at `size` entries; `None` when none was signed at that size.
pub async fn consistency(
    tx: &mut OrgTx,
    size: u64,
) -> Result<Option<ConsistencyProof>, AuditError> {
    let organization = tx.organization().uuid();
    let newest = sqlx::query_scalar!(
        "select max(last_sequence_number) from audit.audit_checkpoints where organization_id = $1",
        organization,
    )
    .fetch_one(tx.conn())
    .await?;
    prove_consistency(tx.conn(), organization, size, newest.unwrap_or_default() as u64).await
}

/// Proves that the tree of an organization, or the instance log (for [`super::INSTANCE_LOG`]), as it was signed at `new`
/// entries begins with the one that was signed at `old`; `None` when none was signed at one of these sizes.
pub async fn consistency_between(
    store: &Store,
    tree: Uuid,
    old: u64,
    new: u64,
) -> Result<Option<ConsistencyProof>, AuditError> {
    let mut conn = store.sealer_pool().acquire().await?;
    prove_consistency(&mut conn, tree, old, new).await
}

async fn prove_consistency(
    conn: &mut PgConnection,
    tree: Uuid,
    old: u64,
    new: u64,
) -> Result<Option<ConsistencyProof>, AuditError> {
    let notes = sqlx::query!(
        "select last_sequence_number, note from audit.audit_checkpoints
         where organization_id = $1 and last_sequence_number in ($2, $3)",
        tree,
        old as i64,
        new as i64,
    )
    .fetch_all(&mut *conn)
    .await?;
    let note = |size: u64| {
        notes.iter().find(|row| row.last_sequence_number as u64 == size).map(|row| row.note.clone())
    };
    let (Some(before), Some(after)) = (note(old), note(new)) else { return Ok(None) };
    let Some(ranges) = merkle::consistency_path(old, new) else { return Ok(None) };
    let path = path_load(conn, tree, &ranges).await?;
    Ok(Some(ConsistencyProof { old: before, new: after, path }))
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
