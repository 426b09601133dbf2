//! Reads an organization's trail page by page, in the order of its tree, as of one moment.

use std::collections::HashSet;

use ephor_seal::{Hash, tile::WIDTH, verify::Chunk};
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;

use super::{
    AuditError,
    row::{Row, hash, millis, time},
};
use crate::Store;

/// How many level 0 tiles a page holds.
const TILES: i64 = 8;

/// A checkpoint as it is stored.
#[derive(Debug)]
pub(super) struct StoredCheckpoint {
    pub(super) size: u64,
    pub(super) root: Vec<u8>,
    pub(super) note: String,
}

/// A run of leaves, their entries, and the checkpoints up to its last leaf.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) chunk: Chunk,
    pub(super) rows: Vec<Row>,
    pub(super) checkpoints: Vec<StoredCheckpoint>,
}

/// What waits to be sealed, and what is neither sealed nor waits.
#[derive(Debug)]
pub(super) struct Rest {
    pub(super) queue: Vec<(Uuid, Hash)>,
    pub(super) queued_rows: Vec<Row>,
    pub(super) unlisted: Vec<Row>,
    /// Checkpoints beyond the tree's end.
    pub(super) checkpoints: Vec<StoredCheckpoint>,
}

/// Reads one organization's trail.
pub(super) struct Reader {
    tx: Transaction<'static, Postgres>,
    organization: Uuid,
    position: i64,
    checkpoint: i64,
    /// How many rows the pages held.
    rows: i64,
}

impl Reader {
    /// Begins at the first leaf. All is read as it is at this moment.
    pub(super) async fn open(store: &Store, organization: Uuid) -> Result<Self, AuditError> {
        // Told of two thousand ids, the planner would read a whole month for each page; and it would
        // plan anew for each.
        let tx = store
            .sealer_pool()
            .begin_with(
                "begin isolation level repeatable read read only; \
                 set local enable_seqscan = off; set local plan_cache_mode = force_generic_plan",
            )
            .await?;
        Ok(Self { tx, organization, position: 0, checkpoint: 0, rows: 0 })
    }

    /// The connection, for what else is to be read as of the same moment.
    pub(super) fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// The next leaves with their entries; `None` at the tree's end.
    pub(super) async fn page(&mut self) -> Result<Option<Page>, AuditError> {
        let tiles = sqlx::query!(
            "select t.position, t.hashes, b.entries as \"entries?\"
             from audit.tiles as t
             left join audit.entry_bundles as b on b.organization_id = t.organization_id and b.position = t.position
             where t.organization_id = $1 and t.level = 0 and t.position >= $2
             order by t.position limit $3",
            self.organization,
            self.position,
            TILES,
        )
        .fetch_all(&mut *self.tx)
        .await?;
        let Some(first) = tiles.first().map(|tile| tile.position) else { return Ok(None) };
        let mut chunk = Chunk { first: first as u64 * WIDTH, ..Chunk::default() };
        let mut end = first;
        for tile in tiles {
            // After a tile that is short or missing, what follows starts a page of its own: the
            // verifier sees the gap.
            if tile.position != end || !(chunk.leaves.len() as u64).is_multiple_of(WIDTH) {
                break;
            }
            let leaves = tile.hashes.as_chunks().0;
            let entries = tile.entries.unwrap_or_default();
            let named = entries.as_chunks().0.iter().map(|id| Uuid::from_bytes(*id));
            // Where the list of entries is short, leaves stand for no entry that there could be.
            let named = named.chain(std::iter::repeat(Uuid::nil())).take(leaves.len());
            chunk.leaves.extend_from_slice(leaves);
            chunk.entries.extend(named);
            end += 1;
        }
        self.position = end;
        let rows = self.rows_load(&chunk.entries).await?;
        self.rows += rows.len() as i64;
        let checkpoints = self.checkpoints(chunk.first as i64 + chunk.leaves.len() as i64).await?;
        Ok(Some(Page { chunk, rows, checkpoints }))
    }

    /// The entries with these ids, so far as they are where their ids lead.
    async fn rows_load(&mut self, ids: &[Uuid]) -> Result<Vec<Row>, AuditError> {
        let (Some(first), Some(last)) =
            (ids.iter().min_by_key(|id| millis(**id)), ids.iter().max_by_key(|id| millis(**id)))
        else {
            return Ok(Vec::new());
        };
        let mut rows = sqlx::query_as!(
            Row,
            "select id, created_at, actor_type, actor_id, action, entity_type, entity_id, body, salt, erased_by, body_hash
             from audit.audit_logs
             where organization_id = $1 and id = any ($2)
               and created_at >= $3 and created_at < $4::timestamptz + interval '1 millisecond'",
            self.organization,
            ids,
            time(*first),
            time(*last),
        )
        .fetch_all(&mut *self.tx)
        .await?;
        rows.retain(Row::agrees_with_its_id);
        Ok(rows)
    }

    async fn checkpoints(&mut self, to: i64) -> Result<Vec<StoredCheckpoint>, AuditError> {
        let found = sqlx::query!(
            "select last_sequence_number, root_hash, note from audit.audit_checkpoints
             where organization_id = $1 and last_sequence_number > $2 and last_sequence_number <= $3
             order by last_sequence_number",
            self.organization,
            self.checkpoint,
            to,
        )
        .fetch_all(&mut *self.tx)
        .await?;
        self.checkpoint = self.checkpoint.max(to);
        Ok(found
            .into_iter()
            .map(|row| StoredCheckpoint {
                size: row.last_sequence_number as u64,
                root: row.root_hash,
                note: row.note,
            })
            .collect())
    }

    /// What is left once the pages are read.
    pub(super) async fn rest(&mut self) -> Result<Rest, AuditError> {
        let queued = sqlx::query!(
            "select entry_id, integrity_hash from audit.seal_queue where organization_id = $1 order by entry_id",
            self.organization,
        )
        .fetch_all(&mut *self.tx)
        .await?;
        let mut queue = Vec::with_capacity(queued.len());
        for row in &queued {
            queue.push((row.entry_id, hash(&row.integrity_hash)?));
        }
        let ids: Vec<Uuid> = queue.iter().map(|(id, _)| *id).collect();
        let mut queued_rows = Vec::new();
        for part in ids.chunks(2048) {
            queued_rows.extend(self.rows_load(part).await?);
        }
        let checkpoints = self.checkpoints(i64::MAX).await?;
        let all = sqlx::query_scalar!(
            r#"select count(*) as "count!" from audit.audit_logs where organization_id = $1"#,
            self.organization,
        )
        .fetch_one(&mut *self.tx)
        .await?;
        let unlisted = if all == self.rows + queued_rows.len() as i64 {
            Vec::new()
        } else {
            self.unlisted(&ids).await?
        };
        Ok(Rest { queue, queued_rows, unlisted, checkpoints })
    }

    /// Every entry that is neither in the tree nor queued, or is not where its id leads. Only
    /// when the counts differ: it holds all ids in memory, 16 bytes each.
    async fn unlisted(&mut self, queued: &[Uuid]) -> Result<Vec<Row>, AuditError> {
        let bundles = sqlx::query_scalar!(
            "select entries from audit.entry_bundles where organization_id = $1",
            self.organization,
        )
        .fetch_all(&mut *self.tx)
        .await?;
        let mut known: HashSet<Uuid> = queued.iter().copied().collect();
        for bundle in bundles {
            known.extend(bundle.as_chunks().0.iter().map(|id| Uuid::from_bytes(*id)));
        }
        let mut unlisted = Vec::new();
        let mut after = Uuid::nil();
        loop {
            let rows = sqlx::query!(
                "select id, created_at from audit.audit_logs
                 where organization_id = $1 and id > $2 order by id limit 10000",
                self.organization,
                after,
            )
            .fetch_all(&mut *self.tx)
            .await?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            for row in &rows {
                if !known.contains(&row.id) || row.created_at.timestamp_millis() != millis(row.id) {
                    let full = sqlx::query_as!(
                        Row,
                        "select id, created_at, actor_type, actor_id, action, entity_type, entity_id, body, salt, erased_by, body_hash
                         from audit.audit_logs where organization_id = $1 and id = $2 and created_at = $3",
                        self.organization,
                        row.id,
                        row.created_at,
                    )
                    .fetch_one(&mut *self.tx)
                    .await?;
                    unlisted.push(full);
                }
            }
        }
        Ok(unlisted)
    }
}
