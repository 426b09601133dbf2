//! A tree that grows at its right edge, of which only that edge is kept in memory.

use crate::{
    merkle::{self, Hash},
    tile::{HEIGHT, MissingTile, TileId, WIDTH},
};

/// The right edge of an RFC 6962 tree: at each level the hashes of the tile that is not full.
/// At most 8 kB a level, and a level for each factor of 256 in size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    edge: Vec<Vec<Hash>>,
}

impl Tree {
    /// The empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// A tree from its size and its partial tiles' bytes, which `read` gives; a tile may hold
    /// more than is asked for, never less.
    pub fn restore(
        size: u64,
        mut read: impl FnMut(TileId) -> Option<Vec<u8>>,
    ) -> Result<Self, MissingTile> {
        let mut edge = Vec::new();
        for id in Self::edge_of(size) {
            let width = id.width(size) as usize;
            let bytes = if width == 0 { Vec::new() } else { read(id).ok_or(MissingTile(id))? };
            edge.push(bytes.as_chunks().0.get(..width).ok_or(MissingTile(id))?.to_vec());
        }
        Ok(Self { size, edge })
    }

    /// The tiles at the right edge of a tree of `size` leaves, one for each level; their width
    /// may be 0.
    pub fn edge_of(size: u64) -> Vec<TileId> {
        let levels = size.checked_ilog2().map_or(0, |log| log / HEIGHT + 1);
        (0..levels)
            .map(|level| TileId {
                level: level as u8,
                position: (size >> (HEIGHT * level)) / WIDTH,
            })
            .collect()
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf. Each tile that it fills is given to `full`.
    pub fn append(&mut self, leaf: Hash, mut full: impl FnMut(TileId, &[Hash])) {
        let mut hash = leaf;
        for level in 0.. {
            if self.edge.len() == level {
                self.edge.push(Vec::with_capacity(WIDTH as usize));
            }
            let tile = &mut self.edge[level];
            tile.push(hash);
            if (tile.len() as u64) < WIDTH {
                break;
            }
            let position = (self.size >> (HEIGHT * level as u32)) / WIDTH;
            full(TileId { level: level as u8, position }, tile);
            hash = merkle::perfect_root(tile);
            tile.clear();
        }
        self.size += 1;
    }

    /// The tiles that are begun and not full, from level 0 upwards.
    pub fn partial(&self) -> impl Iterator<Item = (TileId, &[Hash])> {
        Self::edge_of(self.size)
            .into_iter()
            .zip(&self.edge)
            .filter(|(_, hashes)| !hashes.is_empty())
            .map(|(id, hashes)| (id, hashes.as_slice()))
    }

    /// The tree's root.
    pub fn root(&self) -> Hash {
        let mut root: Option<Hash> = None;
        for tile in &self.edge {
            // A level's hashes stand left of all that the levels below hold.
            let mut end = tile.len();
            while end > 0 {
                let count = 1 << end.trailing_zeros();
                let left = merkle::perfect_root(&tile[end - count..end]);
                root = Some(root.map_or(left, |right| merkle::inner(&left, &right)));
                end -= count;
            }
        }
        root.unwrap_or_else(merkle::empty_root)
    }
}
