//! The ways that background rows go to the leaves of a part of a tree. A leaf keeps each distinct way once.

use std::ops::Range;

use tokio_util::sync::CancellationToken;

use super::{
    parts::Part,
    paths::{Edge, path},
    walk::MOST,
};
use crate::ExplainError;

/// The most features of a path: one bit of a word for each.
pub(super) const BITS: usize = 64;
const _: () = assert!(BITS <= MOST);

/// A leaf.
#[derive(Debug)]
pub(super) struct Leaf {
    /// Its edge.
    pub edge: usize,
    pub value: f64,
    path: Range<usize>,
    ways: Range<usize>,
}

/// A way that some background rows go.
#[derive(Debug)]
pub(super) struct Way {
    /// Which of the path's features they follow, as bits.
    pub bits: u64,
    /// The first of them in the part's list, where that is kept.
    first: u32,
    /// How many.
    pub count: u32,
}

/// The leaves of a part with the ways of the background's rows.
#[derive(Debug)]
pub(super) struct Ways {
    pub leaves: Vec<Leaf>,
    /// Leaf by leaf, of each feature of the path: its last edge, and itself.
    paths: Vec<(u32, u32)>,
    /// Leaf by leaf.
    all: Vec<Way>,
    /// Way by way.
    rows: Vec<u32>,
}

impl Ways {
    /// The ways of rows to the leaves of a part, whose edges these are. Where it is asked for, each way is to know its rows.
    ///
    /// # Errors
    /// When it is cancelled.
    pub(super) fn new(
        edges: &[Edge<'_>],
        part: &Part,
        background: &[Vec<f64>],
        keeps_rows: bool,
        cancel: &CancellationToken,
    ) -> Result<Self, ExplainError> {
        let go_on = || if cancel.is_cancelled() { Err(ExplainError::Cancelled) } else { Ok(()) };
        let mut leaves = Vec::with_capacity(part.leaves);
        let mut paths = Vec::with_capacity(part.features);
        for (edge, value) in
            edges.iter().enumerate().filter_map(|(at, edge)| Some((at, edge.leaf?)))
        {
            go_on()?;
            let start = paths.len();
            let last = path(edges, edge).into_iter();
            paths.extend(last.map(|edge| (edge as u32, edges[edge].split.feature as u32)));
            leaves.push(Leaf { edge, value, path: start..paths.len(), ways: 0..0 });
        }
        // Leaf by leaf, of each row.
        let count = background.len().max(1);
        let mut gone = vec![0_u64; leaves.len() * count];
        let mut followed = Vec::with_capacity(edges.len());
        for (row, values) in background.iter().enumerate() {
            go_on()?;
            follow(edges, values, &mut followed);
            for (leaf, gone) in leaves.iter().zip(gone.chunks_exact_mut(count)) {
                gone[row] = way(&paths[leaf.path.clone()], &followed);
            }
        }
        let mut ways = Vec::with_capacity(part.ways);
        let mut rows = Vec::with_capacity(if keeps_rows { gone.len() } else { 0 });
        let mut sorted: Vec<(u64, u32)> = Vec::with_capacity(count);
        for (leaf, gone) in leaves.iter_mut().zip(gone.chunks_exact(count)) {
            go_on()?;
            sorted.clear();
            sorted.extend(gone.iter().copied().zip(0_u32..));
            sorted.sort_unstable();
            let start = ways.len();
            for same in sorted.chunk_by(|one, other| one.0 == other.0) {
                let (first, count) = (rows.len() as u32, same.len() as u32);
                ways.push(Way { bits: same[0].0, first, count });
                if keeps_rows {
                    rows.extend(same.iter().map(|(_, row)| *row));
                }
            }
            leaf.ways = start..ways.len();
        }
        drop(gone);
        ways.shrink_to_fit();
        rows.shrink_to_fit();
        Ok(Self { leaves, paths, all: ways, rows })
    }

    /// Of each feature of a leaf's path: its last edge, and itself.
    pub(super) fn path(&self, leaf: &Leaf) -> &[(u32, u32)] {
        &self.paths[leaf.path.clone()]
    }

    /// The ways of background rows to a leaf.
    pub(super) fn of(&self, leaf: &Leaf) -> &[Way] {
        &self.all[leaf.ways.clone()]
    }

    /// Who goes a way, where it is kept.
    pub(super) fn rows(&self, way: &Way) -> &[u32] {
        let start = way.first as usize;
        self.rows.get(start..start + way.count as usize).unwrap_or_default()
    }

    /// How many.
    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// The memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.leaves.capacity() * size_of::<Leaf>()
            + self.paths.capacity() * size_of::<(u32, u32)>()
            + self.rows.capacity() * size_of::<u32>()
            + self.all.capacity() * size_of::<Way>()
    }
}

/// Which features of a leaf's path are followed, as bits.
pub(super) fn way(path: &[(u32, u32)], followed: &[bool]) -> u64 {
    let bits = path.iter().enumerate();
    bits.fold(0, |way, (bit, (edge, _))| way | u64::from(followed[*edge as usize]) << bit)
}

/// Of each edge: does the row answer all of the path's questions about the edge's feature as the path does?
pub(super) fn follow(edges: &[Edge<'_>], row: &[f64], followed: &mut Vec<bool>) {
    followed.clear();
    for edge in edges {
        let was = edge.before.is_none_or(|before| followed[before]);
        followed.push(was && edge.split.left(row) == edge.answer);
    }
}
