//! The trail as a file (`ephor_seal::export`), for whoever wants to verify it elsewhere.

use ephor_kernel::{Clock, Scope};
use ephor_seal::export::{self, BlockEncoder, Section};
use serde_json::json;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::{AuditError, keys, reader::Reader, record};
use crate::Store;

/// A block is written once it is this long, in bytes.
const BLOCK: usize = 4 << 20;

/// Writes the trail of the scope's organization as of this moment; gives how many sealed entries
/// it holds. The export itself is recorded in the trail, before it begins.
pub async fn export(
    store: &Store,
    scope: &Scope,
    clock: &impl Clock,
    writer: &mut (impl AsyncWrite + Unpin),
) -> Result<u64, AuditError> {
    let mut tx = store.begin(scope).await?;
    record(&mut tx, "export", "audit.audit_logs", None, &json!({})).await?;
    tx.commit().await?;

    let organization = scope.organization().uuid();
    let mut reader = Reader::open(store, organization).await?;
    let rotations = keys::rotations_load(reader.conn()).await?;
    let section = Section {
        organization,
        exported_at: clock.now(),
        public_keys: keys::keys_load(reader.conn()).await?,
        rotations: rotations.iter().map(|rotation| rotation.note.to_string()).collect(),
    };
    let mut out = Vec::new();
    export::begin(&mut out, &section, true).map_err(crate::StoreError::from)?;
    let mut sealed = 0;
    while let Some(page) = reader.page().await? {
        for checkpoint in &page.checkpoints {
            export::note(&mut out, &checkpoint.note);
        }
        // Rows come in any order; a block holds those of its own leaves, so that a long page can be
        // cut into several.
        let mut rows: std::collections::HashMap<_, Vec<_>> = std::collections::HashMap::new();
        for row in &page.rows {
            rows.entry(row.id).or_default().push(row);
        }
        let first = page.chunk.first;
        let mut block = BlockEncoder::new(first);
        for (index, (leaf, entry)) in
            (first..).zip(page.chunk.leaves.iter().zip(&page.chunk.entries))
        {
            if block.bytes() > BLOCK {
                std::mem::replace(&mut block, BlockEncoder::new(index)).finish(&mut out);
                flush(writer, &mut out).await?;
            }
            block.leaf(leaf, *entry);
            for row in rows.remove(entry).unwrap_or_default() {
                block.entry(&row.entry(organization));
            }
        }
        block.finish(&mut out);
        sealed += page.chunk.leaves.len() as u64;
        flush(writer, &mut out).await?;
    }
    let rest = reader.rest().await?;
    for checkpoint in &rest.checkpoints {
        export::note(&mut out, &checkpoint.note);
    }
    if !rest.unlisted.is_empty() {
        // They belong to no leaf; the verifier will name them.
        let mut block = BlockEncoder::new(sealed);
        for row in &rest.unlisted {
            block.entry(&row.entry(organization));
        }
        block.finish(&mut out);
    }
    let mut queue = BlockEncoder::new(0);
    for (id, hash) in &rest.queue {
        queue.queued(*id, hash);
    }
    for row in &rest.queued_rows {
        queue.entry(&row.entry(organization));
    }
    queue.finish_queue(&mut out);
    export::end(&mut out, sealed, rest.queue.len() as u64);
    flush(writer, &mut out).await?;
    writer.flush().await?;
    Ok(sealed)
}

async fn flush(
    writer: &mut (impl AsyncWrite + Unpin),
    out: &mut Vec<u8>,
) -> Result<(), AuditError> {
    writer.write_all(out).await?;
    out.clear();
    Ok(())
}
