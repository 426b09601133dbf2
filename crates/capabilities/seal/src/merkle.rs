//! Merkle trees as RFC 6962, section 2.1, defines them: the hash of a tree, the paths of
//! inclusion and consistency proofs, and their verification (RFC 9162, sections 2.1.3.2 and
//! 2.1.4.2, which spell out the algorithm).
//!
//! Paths are plans: they name ranges of leaves, each a list of perfect subtrees, and whoever
//! stores hashes (a slice, tiles in a database) resolves them.

use std::convert::Infallible;

use sha2::{Digest, Sha256};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// The hash of a leaf's data.
pub fn leaf(data: &[u8]) -> Hash {
    Sha256::new_with_prefix([0x00]).chain_update(data).finalize().into()
}

/// The hash of an inner node.
pub fn inner(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [0x01; 65];
    bytes[1..33].copy_from_slice(left);
    bytes[33..].copy_from_slice(right);
    Sha256::digest(bytes).into()
}

/// The root of the tree that has no leaves.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// A perfect subtree: the `2^height` leaves from `index * 2^height` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    /// 0 for a leaf.
    pub height: u32,
    /// Which one of its height, from the left, from 0.
    pub index: u64,
}

/// A run of leaves that RFC 6962 hashes as one: from the first to before the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first leaf.
    pub from: u64,
    /// The leaf after the last.
    pub to: u64,
}

impl Range {
    /// The perfect subtrees of which the range is made, from left to right.
    pub fn nodes(self) -> Vec<Node> {
        let (mut from, to) = (self.from, self.to);
        let mut nodes = Vec::new();
        while from < to {
            let height = from.trailing_zeros().min((to - from).ilog2());
            nodes.push(Node { height, index: from >> height });
            from += 1 << height;
        }
        nodes
    }

    /// The range's hash, `MTH(D[from:to])`.
    pub fn hash<E>(self, mut read: impl FnMut(Node) -> Result<Hash, E>) -> Result<Hash, E> {
        let mut hash = None;
        for node in self.nodes().into_iter().rev() {
            let left = read(node)?;
            hash = Some(match hash {
                None => left,
                Some(right) => inner(&left, &right),
            });
        }
        Ok(hash.unwrap_or_else(empty_root))
    }
}

/// The ranges whose hashes prove that leaf `index` is in the tree of `size` leaves, from the
/// leaf's sibling upwards; none when there is no such leaf.
pub fn inclusion_path(index: u64, size: u64) -> Option<Vec<Range>> {
    if index >= size {
        return None;
    }
    let (mut from, mut to) = (0, size);
    let mut path = Vec::new();
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            path.push(Range { from: middle, to });
            to = middle;
        } else {
            path.push(Range { from, to: middle });
            from = middle;
        }
    }
    path.reverse();
    Some(path)
}

/// The ranges whose hashes prove that the tree of `new` leaves begins with the tree of `old`
/// leaves; none when it is not longer, or the old one is empty.
pub fn consistency_path(old: u64, new: u64) -> Option<Vec<Range>> {
    if old == 0 || old > new {
        return None;
    }
    let (mut from, mut to) = (0, new);
    let mut whole = true;
    let mut path = Vec::new();
    while old != to {
        let middle = from + split(to - from);
        if old <= middle {
            path.push(Range { from: middle, to });
            to = middle;
        } else {
            path.push(Range { from, to: middle });
            from = middle;
            whole = false;
        }
    }
    if !whole {
        path.push(Range { from, to });
    }
    path.reverse();
    Some(path)
}

/// The largest power of two less than `count`, which is at least 2.
fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

/// Does `path` prove that the leaf with this hash is leaf `index` of the tree?
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = inner(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = inner(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Does `path` prove that the tree of `new` leaves begins with that of `old` leaves?
/// Every tree begins with the empty one and with itself; such a proof is empty.
pub fn verify_consistency(
    old: u64,
    new: u64,
    path: &[Hash],
    old_root: &Hash,
    new_root: &Hash,
) -> bool {
    if old == 0 {
        return path.is_empty() && *old_root == empty_root();
    }
    if old >= new {
        return old == new && path.is_empty() && old_root == new_root;
    }
    let (first, rest) = if old.is_power_of_two() {
        (old_root, path)
    } else {
        match path.split_first() {
            Some(split) => split,
            None => return false,
        }
    };
    let (mut node, mut last) = (old - 1, new - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            old_hash = inner(sibling, &old_hash);
            new_hash = inner(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = inner(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == *old_root && new_hash == *new_root
}

/// The root of a perfect tree over `hashes`, whose number is a power of two.
pub fn perfect_root(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => empty_root(),
        [one] => *one,
        _ => {
            let mut row: Vec<Hash> = pairs(hashes);
            while row.len() > 1 {
                row = pairs(&row);
            }
            row[0]
        }
    }
}

fn pairs(row: &[Hash]) -> Vec<Hash> {
    row.as_chunks().0.iter().map(|[left, right]| inner(left, right)).collect()
}

/// The root of the tree over these leaf hashes.
pub fn root(leaves: &[Hash]) -> Hash {
    let range = Range { from: 0, to: leaves.len() as u64 };
    match range.hash(|node| Ok::<_, Infallible>(node_of(leaves, node))) {
        Ok(hash) => hash,
    }
}

/// Hashes the ranges of a path from the leaf hashes themselves.
pub fn resolve(leaves: &[Hash], path: &[Range]) -> Vec<Hash> {
    path.iter()
        .map(|range| match range.hash(|node| Ok::<_, Infallible>(node_of(leaves, node))) {
            Ok(hash) => hash,
        })
        .collect()
}

fn node_of(leaves: &[Hash], node: Node) -> Hash {
    let first = (node.index << node.height) as usize;
    perfect_root(&leaves[first..first + (1 << node.height)])
}
