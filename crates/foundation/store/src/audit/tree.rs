//! Trees as the database keeps them: tiles, and beside each level 0 tile the ids of its entries.

use std::collections::HashMap;

use ephor_seal::{
    Hash, Tree,
    merkle::Range,
    tile::{TileId, TileSet, WIDTH, tiles_of},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{AuditError, row::hash};

/// A tree's right edge, and the entries of its last level 0 tile.
#[derive(Debug, Clone, Default)]
pub(super) struct Edge {
    pub(super) tree: Tree,
    pub(super) entries: Vec<Uuid>,
}

/// Tiles and bundles that a batch made or lengthened, for many trees, column by column.
#[derive(Debug, Default)]
pub(super) struct Written {
    tile_trees: Vec<Uuid>,
    levels: Vec<i16>,
    positions: Vec<i64>,
    hashes: Vec<Vec<u8>>,
    bundle_trees: Vec<Uuid>,
    bundle_positions: Vec<i64>,
    bundles: Vec<Vec<u8>>,
    first_entries: Vec<Uuid>,
    last_entries: Vec<Uuid>,
}

impl Edge {
    /// Reads a tree's edge at the size of its newest checkpoint; the root must be the signed one,
    /// else nothing may be built on it: `None`.
    pub(super) async fn load(
        conn: &mut PgConnection,
        tree_id: Uuid,
        with_entries: bool,
    ) -> Result<Option<Self>, AuditError> {
        let newest = sqlx::query!(
            "select last_sequence_number, root_hash from audit.audit_checkpoints
             where organization_id = $1 order by last_sequence_number desc limit 1",
            tree_id,
        )
        .fetch_optional(&mut *conn)
        .await?;
        let Some(newest) = newest else { return Ok(Some(Self::default())) };
        let size = newest.last_sequence_number as u64;
        let mut tiles = tiles_load(conn, tree_id, &Tree::edge_of(size)).await?;
        let Ok(tree) = Tree::restore(size, |id| tiles.remove(&id)) else { return Ok(None) };
        if tree.root() != hash(&newest.root_hash)? {
            return Ok(None);
        }
        let within = (size % WIDTH) as usize;
        let mut entries = Vec::new();
        if with_entries && within > 0 {
            let bundle = sqlx::query_scalar!(
                "select entries from audit.entry_bundles where organization_id = $1 and position = $2",
                tree_id,
                (size / WIDTH) as i64,
            )
            .fetch_optional(&mut *conn)
            .await?;
            let bundle = bundle.unwrap_or_default();
            let Some(kept) = bundle.as_chunks().0.get(..within) else { return Ok(None) };
            entries = kept.iter().map(|id| Uuid::from_bytes(*id)).collect();
        }
        Ok(Some(Self { tree, entries }))
    }

    /// Appends leaves, and notes what has to be written.
    pub(super) fn append(
        &mut self,
        tree_id: Uuid,
        leaves: &[(Option<Uuid>, Hash)],
        out: &mut Written,
    ) {
        let mut highest = 0;
        for (entry, leaf) in leaves {
            let position = self.tree.size() / WIDTH;
            self.entries.extend(*entry);
            self.tree.append(*leaf, |id, hashes| {
                highest = highest.max(id.level + 1);
                out.tile(tree_id, id, hashes);
            });
            if self.tree.size().is_multiple_of(WIDTH) {
                out.bundle(tree_id, position, &self.entries);
                self.entries.clear();
            }
        }
        for (id, hashes) in self.tree.partial().filter(|(id, _)| id.level <= highest) {
            out.tile(tree_id, id, hashes);
        }
        out.bundle(tree_id, self.tree.size() / WIDTH, &self.entries);
    }
}

impl Written {
    fn tile(&mut self, tree_id: Uuid, id: TileId, hashes: &[Hash]) {
        self.tile_trees.push(tree_id);
        self.levels.push(id.level.into());
        self.positions.push(id.position as i64);
        self.hashes.push(hashes.as_flattened().to_vec());
    }

    fn bundle(&mut self, tree_id: Uuid, position: u64, entries: &[Uuid]) {
        let (Some(first), Some(last)) = (entries.iter().min(), entries.iter().max()) else {
            return;
        };
        self.bundle_trees.push(tree_id);
        self.bundle_positions.push(position as i64);
        self.bundles.push(entries.iter().flat_map(Uuid::as_bytes).copied().collect());
        self.first_entries.push(*first);
        self.last_entries.push(*last);
    }

    /// Writes it all in two statements.
    pub(super) async fn save(&self, conn: &mut PgConnection) -> Result<(), AuditError> {
        sqlx::query!(
            "insert into audit.tiles (organization_id, level, position, hashes)
             select * from unnest($1::uuid[], $2::smallint[], $3::bigint[], $4::bytea[])
             on conflict (organization_id, level, position) do update set hashes = excluded.hashes",
            &self.tile_trees,
            &self.levels,
            &self.positions,
            &self.hashes,
        )
        .execute(&mut *conn)
        .await?;
        sqlx::query!(
            "insert into audit.entry_bundles (organization_id, position, entries, first_entry, last_entry)
             select * from unnest($1::uuid[], $2::bigint[], $3::bytea[], $4::uuid[], $5::uuid[])
             on conflict (organization_id, position) do update
             set entries = excluded.entries, first_entry = excluded.first_entry, last_entry = excluded.last_entry",
            &self.bundle_trees,
            &self.bundle_positions,
            &self.bundles,
            &self.first_entries,
            &self.last_entries,
        )
        .execute(&mut *conn)
        .await?;
        Ok(())
    }
}

/// Some tiles' bytes.
async fn tiles_load(
    conn: &mut PgConnection,
    tree_id: Uuid,
    ids: &[TileId],
) -> Result<HashMap<TileId, Vec<u8>>, AuditError> {
    let levels: Vec<i16> = ids.iter().map(|id| id.level.into()).collect();
    let positions: Vec<i64> = ids.iter().map(|id| id.position as i64).collect();
    let tiles = sqlx::query!(
        "select t.level, t.position, t.hashes
         from unnest($2::smallint[], $3::bigint[]) as wanted (level, position)
         join audit.tiles as t on t.level = wanted.level and t.position = wanted.position
         where t.organization_id = $1",
        tree_id,
        &levels,
        &positions,
    )
    .fetch_all(conn)
    .await?;
    Ok(tiles
        .into_iter()
        .map(|tile| {
            let id = TileId { level: tile.level as u8, position: tile.position as u64 };
            (id, tile.hashes)
        })
        .collect())
}

/// The hashes of a proof's ranges.
pub(super) async fn path_load(
    conn: &mut PgConnection,
    tree_id: Uuid,
    path: &[Range],
) -> Result<Vec<Hash>, AuditError> {
    let ids: Vec<_> = tiles_of(path).into_iter().collect();
    let mut tiles = TileSet::default();
    for (id, bytes) in tiles_load(conn, tree_id, &ids).await? {
        tiles.insert(id, &bytes);
    }
    Ok(tiles.resolve(path)?)
}
