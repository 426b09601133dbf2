//! The ways that background rows go through trees, made ready on all processors.
//!
//! A leaf keeps each distinct way once, so that they may be very many: trees are cut into parts, some leaves of a tree each, and
//! parts are made ready batch by batch. What fits into memory is kept from one piece of the rows to the next.

use std::ops::Range;

use tokio_util::sync::CancellationToken;

use super::{
    paths::{Edge, edges, features, path},
    room::{EDGE, Limits},
    walk::MOST,
    work::of_each,
};
use crate::{ExplainError, Forest, Rows, model::Tree};

/// The most features of a path: one bit of a word for each.
pub(super) const BITS: usize = 64;
const _: () = assert!(BITS <= MOST);

/// Some leaves of a tree.
#[derive(Debug)]
pub(super) struct Part {
    pub tree: usize,
    /// Which of the tree's leaves, in the order of its edges.
    leaves: Range<usize>,
    /// The memory that it takes at most while it is made ready.
    bytes: usize,
}

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
    fn new(edges: &[Edge<'_>], part: &Part, background: &[Vec<f64>], keeps_rows: bool) -> Self {
        let (mut leaves, mut paths) = (Vec::with_capacity(part.leaves.len()), Vec::new());
        let ends = (0..edges.len()).filter_map(|at| Some((at, edges[at].leaf?)));
        for (edge, value) in ends.skip(part.leaves.start).take(part.leaves.len()) {
            let start = paths.len();
            let last = path(edges, edge).into_iter();
            paths.extend(last.map(|edge| (edge as u32, edges[edge].split.feature as u32)));
            leaves.push(Leaf { edge, value, path: start..paths.len(), ways: 0..0 });
        }
        // Leaf by leaf, of each row.
        let count = background.len().max(1);
        let mut gone = vec![0_u64; leaves.len() * count];
        let mut followed = Vec::new();
        for (row, values) in background.iter().enumerate() {
            follow(edges, values, &mut followed);
            for (leaf, gone) in leaves.iter().zip(gone.chunks_exact_mut(count)) {
                gone[row] = way(&paths[leaf.path.clone()], &followed);
            }
        }
        let (mut ways, mut rows) = (Vec::new(), Vec::new());
        let mut sorted: Vec<(u64, u32)> = Vec::with_capacity(count);
        for (leaf, gone) in leaves.iter_mut().zip(gone.chunks_exact(count)) {
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
        Self { leaves, paths, all: ways, rows }
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

    fn bytes(&self) -> usize {
        self.leaves.capacity() * size_of::<Leaf>()
            + self.paths.capacity() * size_of::<(u32, u32)>()
            + self.rows.capacity() * size_of::<u32>()
            + self.all.capacity() * size_of::<Way>()
    }
}

/// A part that is made ready.
pub(super) struct Ready<'a> {
    pub output: usize,
    pub edges: Vec<Edge<'a>>,
    pub ways: &'a Ways,
}

/// A forest in parts, with the rows of a background.
#[derive(Debug)]
pub(super) struct Against {
    /// The background's rows as trees see them.
    background: Vec<Vec<f64>>,
    keeps_rows: bool,
    parts: Vec<Part>,
    /// Which parts are made ready together.
    batches: Vec<Range<usize>>,
    /// What is kept ready of the first batches.
    kept: Vec<Vec<Ways>>,
}

impl Against {
    /// Cuts a forest into parts. Where it is asked for, each way is to know its rows.
    pub(super) fn new(
        forest: &Forest,
        background: &Rows,
        keeps_rows: bool,
        limits: &Limits,
        cancel: &CancellationToken,
    ) -> Result<Self, ExplainError> {
        let parts = parts(forest, background.len(), keeps_rows, limits, cancel)?;
        let batches = limits.batches(parts.iter().map(|part| part.bytes));
        let seen = |row: &[f64]| row.iter().map(|value| forest.seen(*value)).collect::<Vec<f64>>();
        let background = background.iter().map(seen).collect();
        Ok(Self { background, keeps_rows, parts, batches, kept: Vec::new() })
    }

    /// Makes the first parts ready and keeps them so, up to so many bytes.
    pub(super) fn keep(
        &mut self,
        forest: &Forest,
        bytes: usize,
        cancel: &CancellationToken,
    ) -> Result<(), ExplainError> {
        let mut left = bytes;
        for batch in &self.batches {
            let made = self.made(forest, batch, cancel)?;
            let Some(rest) = left.checked_sub(made.iter().map(Ways::bytes).sum()) else { break };
            left = rest;
            self.kept.push(made);
        }
        Ok(())
    }

    fn made(
        &self,
        forest: &Forest,
        batch: &Range<usize>,
        cancel: &CancellationToken,
    ) -> Result<Vec<Ways>, ExplainError> {
        of_each(&self.parts[batch.clone()], cancel, |part| {
            let edges = edges(&forest.trees[part.tree].1);
            Ways::new(&edges, part, &self.background, self.keeps_rows)
        })
    }

    /// How many parts there are.
    pub(super) fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Does something with all parts, batch by batch. The forest is the one that was cut.
    pub(super) fn each(
        &self,
        forest: &Forest,
        cancel: &CancellationToken,
        mut act: impl FnMut(Vec<Ready<'_>>) -> Result<(), ExplainError>,
    ) -> Result<(), ExplainError> {
        for (index, batch) in self.batches.iter().enumerate() {
            let made;
            let ways = if let Some(kept) = self.kept.get(index) {
                kept
            } else {
                made = self.made(forest, batch, cancel)?;
                &made
            };
            let parts = &self.parts[batch.clone()];
            let edges = of_each(parts, cancel, |part| edges(&forest.trees[part.tree].1))?;
            let ready = parts.iter().zip(edges).zip(ways).map(|((part, edges), ways)| Ready {
                output: forest.trees[part.tree].0,
                edges,
                ways,
            });
            act(ready.collect())?;
        }
        Ok(())
    }
}

/// The most that is made ready at a time for so many background rows.
pub(super) fn takes(
    forest: &Forest,
    background: usize,
    cancel: &CancellationToken,
) -> Result<usize, ExplainError> {
    let limits = Limits::USUAL;
    let parts = parts(forest, background, true, &limits, cancel)?;
    let batches = limits.batches(parts.iter().map(|part| part.bytes));
    let bytes = |batch: Range<usize>| parts[batch].iter().map(|part| part.bytes).sum::<usize>();
    Ok(batches.into_iter().map(bytes).max().unwrap_or(0))
}

/// The parts of all trees.
fn parts(
    forest: &Forest,
    background: usize,
    keeps_rows: bool,
    limits: &Limits,
    cancel: &CancellationToken,
) -> Result<Vec<Part>, ExplainError> {
    let trees: Vec<(usize, &Tree)> =
        forest.trees.iter().map(|(_, tree)| tree).enumerate().collect();
    let cut =
        |(index, tree): &(usize, &Tree)| parts_of(*index, tree, background, keeps_rows, limits);
    let cut = of_each(&trees, cancel, cut)?.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(cut.into_iter().flatten().collect())
}

fn parts_of(
    index: usize,
    tree: &Tree,
    background: usize,
    keeps_rows: bool,
    limits: &Limits,
) -> Result<Vec<Part>, ExplainError> {
    let nodes = tree.nodes().len();
    limits.fit(index, nodes, nodes.saturating_mul(EDGE))?;
    let edges = edges(tree);
    // Each part has all edges of its tree: then it may as well have many leaves.
    let own = edges.len() * EDGE;
    let most = own + limits.part.max(own / 2);
    let (mut parts, mut part) = (Vec::new(), Part { tree: index, leaves: 0..0, bytes: own });
    let row = size_of::<u64>() + if keeps_rows { size_of::<u32>() } else { 0 };
    for (_, features) in edges.iter().zip(features(&edges)).filter(|(edge, _)| edge.leaf.is_some())
    {
        if features > BITS {
            return Err(ExplainError::TooManyFeatures { found: features, most: BITS });
        }
        let ways = if features < 32 { background.min(1 << features) } else { background };
        let bytes = background * row
            + ways * size_of::<Way>()
            + features * size_of::<(u32, u32)>()
            + size_of::<Leaf>();
        if part.bytes + bytes > most && !part.leaves.is_empty() {
            let end = part.leaves.end;
            let next = Part { tree: index, leaves: end..end, bytes: own };
            parts.push(std::mem::replace(&mut part, next));
        }
        part.leaves.end += 1;
        part.bytes += bytes;
    }
    if !part.leaves.is_empty() {
        parts.push(part);
    }
    Ok(parts)
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
