//! Trees cut into parts: some neighbouring questions each, with the leaves right below them.

use std::ops::Range;

use tokio_util::sync::CancellationToken;

use super::{
    limits::{EDGE, Limits},
    paths::{Edge, LOOK, edges_of},
    questions::{Question, Questions},
    ways::{BITS, Leaf, Way},
    work::of_each,
};
use crate::{ExplainError, Forest, model::Tree};

/// A part of a tree.
#[derive(Debug)]
pub(super) struct Part {
    pub tree: usize,
    /// The nodes among which its questions are.
    nodes: Range<usize>,
    /// How many edges lead to its leaves.
    pub edges: usize,
    /// How many leaves it has, how many features their paths have together, and how many ways lead there, at most.
    pub leaves: usize,
    pub features: usize,
    pub ways: usize,
    /// The memory that it takes at most while it is made ready.
    pub bytes: usize,
}

impl Part {
    /// Its edges.
    ///
    /// # Errors
    /// When it is cancelled.
    pub(super) fn edges<'a>(
        &self,
        forest: &'a Forest,
        cancel: &CancellationToken,
    ) -> Result<Vec<Edge<'a>>, ExplainError> {
        edges_of(&forest.trees[self.tree].1, self.nodes.clone(), self.edges, cancel)
    }
}

/// How trees are cut.
pub(super) struct Cutting<'a> {
    /// How many rows they are compared with.
    pub background: usize,
    /// Does each way know its rows?
    pub keeps_rows: bool,
    pub limits: &'a Limits,
    pub cancel: &'a CancellationToken,
}

impl Cutting<'_> {
    /// The parts of all trees, one tree after the other. It takes hardly more memory than the parts themselves.
    ///
    /// # Errors
    /// When a path tests too many features, when a question takes too much memory alone, and when it is cancelled.
    pub(super) fn parts(&self, forest: &Forest) -> Result<Vec<Part>, ExplainError> {
        let trees: Vec<(usize, &Tree)> =
            forest.trees.iter().map(|(_, tree)| tree).enumerate().collect();
        let cut = of_each(&trees, self.cancel, |(index, tree)| self.parts_of(*index, tree))?;
        let cut: Vec<Vec<Part>> = cut.into_iter().collect::<Result<_, _>>()?;
        Ok(cut.into_iter().flatten().collect())
    }

    fn parts_of(&self, index: usize, tree: &Tree) -> Result<Vec<Part>, ExplainError> {
        let mut parts: Vec<Part> = Vec::new();
        for (count, question) in Questions::new(tree).enumerate() {
            if count.is_multiple_of(LOOK) && self.cancel.is_cancelled() {
                return Err(ExplainError::Cancelled);
            }
            if question.leaves > 0 && question.features > BITS {
                return Err(ExplainError::TooManyFeatures { found: question.features, most: BITS });
            }
            if parts.last().is_none_or(|part| !self.has_room(part, question)) {
                parts.push(self.empty(index, question));
            }
            if let Some(part) = parts.last_mut() {
                self.add(part, question);
                self.limits.fit(index, tree.nodes().len(), part.bytes)?;
            }
        }
        Ok(parts)
    }

    /// A part that begins with a question, and has nothing yet but the ways to it.
    fn empty(&self, tree: usize, first: Question) -> Part {
        let edges = 2 * first.above;
        // The rows by their ways to a leaf.
        let bytes = edges * EDGE + self.background * size_of::<(u64, u32)>();
        let nodes = first.node..first.node;
        Part { tree, nodes, edges, leaves: 0, features: 0, ways: 0, bytes }
    }

    /// May the part have a question more? A part without leaves is none.
    fn has_room(&self, part: &Part, question: Question) -> bool {
        part.leaves == 0 || part.bytes + self.takes(question) <= self.limits.part
    }

    fn add(&self, part: &mut Part, question: Question) {
        part.nodes.end = question.node + 1;
        part.edges += 2;
        part.leaves += question.leaves;
        part.features += question.leaves * question.features;
        part.ways += question.leaves * self.ways(question);
        part.bytes += self.takes(question);
    }

    /// In how many ways rows go to one of its leaves, at most.
    fn ways(&self, question: Question) -> usize {
        let sets = u32::try_from(question.features).ok().and_then(|bits| 1_usize.checked_shl(bits));
        self.background.min(sets.unwrap_or(usize::MAX))
    }

    fn takes(&self, question: Question) -> usize {
        let row = size_of::<u64>() + if self.keeps_rows { size_of::<u32>() } else { 0 };
        let leaf = self.background * row
            + self.ways(question) * size_of::<Way>()
            + question.features * size_of::<(u32, u32)>()
            + size_of::<Leaf>();
        2 * EDGE + question.leaves * leaf
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shap::{background::tests::forest, paths::edges};

    /// However small the parts are, each leaf is in one of them, with its path and with nothing that leads elsewhere.
    #[test]
    fn parts_hold_the_paths_of_their_own_leaves() {
        let (forest, cancel) = (forest(3), CancellationToken::new());
        for part in [1, 8_000, 20_000, 1 << 20] {
            let limits = Limits { part, ..Limits::USUAL };
            let cutting =
                Cutting { background: 40, keeps_rows: true, limits: &limits, cancel: &cancel };
            let parts = cutting.parts(&forest).unwrap();
            let mut found = vec![Vec::new(); forest.trees.len()];
            for part in &parts {
                let edges = part.edges(&forest, &cancel).unwrap();
                assert_eq!(edges.len(), part.edges);
                let leaves: Vec<usize> =
                    (0..edges.len()).filter(|at| edges[*at].leaf.is_some()).collect();
                assert_eq!(leaves.len(), part.leaves);
                assert!(part.leaves > 0);
                let mut needed = vec![false; edges.len()];
                for leaf in leaves {
                    let ups = std::iter::successors(Some(leaf), |at| edges[*at].above);
                    let mut way: Vec<_> = ups
                        .map(|at| {
                            needed[at] = true;
                            (edges[at].split, edges[at].answer, edges[at].shares)
                        })
                        .collect();
                    way.reverse();
                    found[part.tree].push((way, edges[leaf].leaf));
                }
                // Only the last questions may lead to no leaf of the part.
                let asked = needed.chunks_exact(2).filter(|pair| pair.contains(&true)).count();
                assert!(asked + 5 >= edges.len() / 2);
            }
            for ((_, tree), found) in forest.trees.iter().zip(&found) {
                let edges = edges(tree, &cancel).unwrap();
                let ends = (0..edges.len()).filter(|at| edges[*at].leaf.is_some());
                let all: Vec<_> = ends
                    .map(|leaf| {
                        let ups = std::iter::successors(Some(leaf), |at| edges[*at].above);
                        let mut way: Vec<_> = ups
                            .map(|at| (edges[at].split, edges[at].answer, edges[at].shares))
                            .collect();
                        way.reverse();
                        (way, edges[leaf].leaf)
                    })
                    .collect();
                assert_eq!(*found, all);
            }
            assert!(part > 1 || parts.len() == 3 * 16);
        }
    }

    #[test]
    fn a_question_that_takes_more_than_may_be_is_refused() {
        let (forest, cancel) = (forest(1), CancellationToken::new());
        let limits = Limits { tree: 1 << 20, part: 1 << 18, batch: 1 << 20 };
        let cut = |background| {
            let (limits, cancel) = (&limits, &cancel);
            Cutting { background, keeps_rows: false, limits, cancel }.parts(&forest)
        };
        assert!(cut(10_000).unwrap().iter().all(|part| part.bytes <= 1 << 20));
        assert!(matches!(cut(100_000), Err(ExplainError::TooLarge { tree: 0, .. })));
    }
}
