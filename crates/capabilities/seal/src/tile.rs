//! Trees cut into tiles, as C2SP tlog-tiles (<https://c2sp.org/tlog-tiles>): a tile holds up to
//! 256 consecutive hashes of one level, and each level's hashes are the roots of the full tiles
//! below.

use std::collections::{BTreeSet, HashMap};

use crate::merkle::{self, Hash, Node, Range};

/// How many hashes a full tile holds.
pub const WIDTH: u64 = 256;
/// How many levels of the tree a tile spans.
pub const HEIGHT: u32 = 8;

/// Names a tile, full or partial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileId {
    /// 0 holds leaf hashes.
    pub level: u8,
    /// Which one of its level, from 0.
    pub position: u64,
}

impl TileId {
    /// The tile in which a subtree's hash is found, with the first and the number of the hashes
    /// of which it is made.
    pub fn of(node: Node) -> (Self, usize, usize) {
        let inside = node.height % HEIGHT;
        let first = node.index << inside;
        let id = Self { level: (node.height / HEIGHT) as u8, position: first / WIDTH };
        (id, (first % WIDTH) as usize, 1 << inside)
    }

    /// How many hashes the tile holds in a tree of `size` leaves, 0 to 256.
    pub fn width(self, size: u64) -> u64 {
        let hashes = size.checked_shr(HEIGHT * u32::from(self.level)).unwrap_or(0);
        hashes.saturating_sub(self.position.saturating_mul(WIDTH)).min(WIDTH)
    }

    /// The path under which a tlog-tiles log serves the tile at this width.
    ///
    /// ```
    /// use ephor_seal::tile::TileId;
    /// let tile = TileId { level: 0, position: 1_234_067 };
    /// assert_eq!(tile.path(256), "tile/0/x001/x234/067");
    /// assert_eq!(tile.path(7), "tile/0/x001/x234/067.p/7");
    /// ```
    pub fn path(self, width: u64) -> String {
        let mut digits = format!("{:03}", self.position % 1000);
        let mut rest = self.position / 1000;
        while rest > 0 {
            digits = format!("x{:03}/{digits}", rest % 1000);
            rest /= 1000;
        }
        let partial = if width < WIDTH { format!(".p/{width}") } else { String::new() };
        format!("tile/{}/{digits}{partial}", self.level)
    }
}

/// A tile that a proof needs and that is not there, or is too short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("tile {} of level {} is missing or too short", .0.position, .0.level)]
pub struct MissingTile(pub TileId);

/// The tiles that hold what these ranges are made of.
pub fn tiles_of(ranges: &[Range]) -> BTreeSet<TileId> {
    ranges.iter().flat_map(|range| range.nodes()).map(|node| TileId::of(node).0).collect()
}

/// Some tiles of one tree.
#[derive(Debug, Default)]
pub struct TileSet(HashMap<TileId, Vec<Hash>>);

impl TileSet {
    /// Adds a tile from its bytes; a last incomplete hash is left out.
    pub fn insert(&mut self, id: TileId, bytes: &[u8]) {
        self.0.insert(id, bytes.as_chunks().0.to_vec());
    }

    /// The hash of a perfect subtree.
    pub fn node(&self, node: Node) -> Result<Hash, MissingTile> {
        let (id, first, count) = TileId::of(node);
        let hashes = self.0.get(&id).and_then(|tile| tile.get(first..first + count));
        hashes.map(merkle::perfect_root).ok_or(MissingTile(id))
    }

    /// The hash of each range.
    pub fn resolve(&self, ranges: &[Range]) -> Result<Vec<Hash>, MissingTile> {
        ranges.iter().map(|range| range.hash(|node| self.node(node))).collect()
    }
}
