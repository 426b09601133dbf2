//! A tree's questions one after the other, with what the ways to them ask; without the memory that its edges take.

use crate::model::{Node, Tree};

/// A question of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Question {
    /// Its node.
    pub node: usize,
    /// How many questions stand above it.
    pub above: usize,
    /// How many different features it and those above it ask about.
    pub features: usize,
    /// How many of its answers lead to a leaf.
    pub leaves: usize,
}

/// The questions in the order of their nodes: depth first.
pub(super) struct Questions<'a> {
    nodes: &'a [Node],
    next: usize,
    /// The questions from the root to the last one.
    way: Vec<Step>,
    /// What they ask about, each feature once.
    features: Vec<usize>,
}

struct Step {
    left: usize,
    right: usize,
    /// Does no question above it ask about its feature?
    is_first: bool,
}

impl<'a> Questions<'a> {
    pub(super) fn new(tree: &'a Tree) -> Self {
        Self { nodes: tree.nodes(), next: 0, way: Vec::new(), features: Vec::new() }
    }
}

impl Iterator for Questions<'_> {
    type Item = Question;

    fn next(&mut self) -> Option<Question> {
        loop {
            let at = self.next;
            let node = self.nodes.get(at)?;
            self.next += 1;
            let Node::Inner { split, left, right, .. } = node else { continue };
            while let Some(Step { is_first, .. }) =
                self.way.pop_if(|last| last.left != at && last.right != at)
            {
                if is_first {
                    self.features.pop();
                }
            }
            let is_first = !self.features.contains(&split.feature);
            if is_first {
                self.features.push(split.feature);
            }
            let above = self.way.len();
            self.way.push(Step { left: *left, right: *right, is_first });
            let is_leaf = |node: &usize| matches!(self.nodes.get(*node), Some(Node::Leaf { .. }));
            let leaves = [*left, *right].into_iter().filter(is_leaf).count();
            return Some(Question { node: at, above, features: self.features.len(), leaves });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shap::{
        background::tests::forest,
        paths::{edges, features},
    };

    /// What is told of the questions is what the edges tell.
    #[test]
    fn questions_know_their_ways() {
        for (_, tree) in &forest(3).trees {
            let edges = edges(tree, &crate::CancellationToken::new()).unwrap();
            let counts = features(&edges);
            let questions: Vec<Question> = Questions::new(tree).collect();
            assert_eq!(2 * questions.len(), edges.len());
            for (at, question) in questions.iter().enumerate() {
                let pair = &edges[2 * at..2 * at + 2];
                assert_eq!(question.features, counts[2 * at]);
                assert_eq!(question.leaves, pair.iter().filter(|edge| edge.leaf.is_some()).count());
                let ups = std::iter::successors(pair[0].above, |above| edges[*above].above);
                assert_eq!(question.above, ups.count());
            }
        }
    }
}
