//! A tree as its edges, with what does not depend on the row.

use std::ops::Range;

use tokio_util::sync::CancellationToken;

use super::quadrature::gauss_legendre;
use crate::{
    ExplainError,
    model::{Node, Split, Tree},
};

/// An edge from a node to a child. Edges stand before those below them.
#[derive(Debug)]
pub(super) struct Edge<'a> {
    /// The question of the node above, and the answer that leads here.
    pub split: &'a Split,
    pub answer: bool,
    /// The edge above; `None` below the root.
    pub above: Option<usize>,
    /// The nearest edge above that asks about the same feature.
    pub before: Option<usize>,
    /// The share of the training rows that come along here of those that come to the node above; of all edges of the path that
    /// ask about the feature, multiplied.
    pub share: f64,
    pub shares: f64,
    /// Of a leaf below: its value.
    pub leaf: Option<f64>,
}

/// So many questions are gone through between two looks at whether it is cancelled.
pub(super) const LOOK: usize = 1 << 10;

/// The edges of a tree.
///
/// # Errors
/// When it is cancelled.
pub(super) fn edges<'a>(
    tree: &'a Tree,
    cancel: &CancellationToken,
) -> Result<Vec<Edge<'a>>, ExplainError> {
    edges_of(tree, 0..tree.nodes().len(), tree.nodes().len().saturating_sub(1), cancel)
}

/// The edges below the questions among some neighbouring nodes, of which the first asks, and those of the questions above them: the
/// ways to the former's leaves. Of the latter no leaf is told. There are so many of them.
///
/// # Errors
/// When it is cancelled.
pub(super) fn edges_of<'a>(
    tree: &'a Tree,
    own: Range<usize>,
    count: usize,
    cancel: &CancellationToken,
) -> Result<Vec<Edge<'a>>, ExplainError> {
    let nodes = tree.nodes();
    let mut edges: Vec<Edge<'_>> = Vec::with_capacity(count);
    // The nodes that are still to come, with the edges that lead to them; the next one last.
    let mut waiting: Vec<(usize, usize)> = Vec::new();
    let above = above(tree, own.start);
    for (index, at) in above.into_iter().chain(own.clone()).enumerate() {
        if index.is_multiple_of(LOOK) && cancel.is_cancelled() {
            return Err(ExplainError::Cancelled);
        }
        let Some(Node::Inner { split, left, right, cover }) = nodes.get(at) else { continue };
        // Beside the ways from above are nodes that are not asked for.
        while waiting.pop_if(|(node, _)| *node < at).is_some() {}
        let above = waiting.pop_if(|(node, _)| *node == at).map(|(_, edge)| edge);
        let mut before = above;
        while let Some(edge) = before
            && edges[edge].split.feature != split.feature
        {
            before = edges[edge].above;
        }
        let known = before.map_or(1.0, |edge| edges[edge].shares);
        let first = edges.len();
        for (child, answer) in [(*left, true), (*right, false)] {
            let share = nodes[child].cover() / cover;
            let leaf = match &nodes[child] {
                Node::Leaf { value, .. } => own.contains(&at).then_some(*value),
                Node::Inner { .. } => None,
            };
            edges.push(Edge { split, answer, above, before, share, shares: share * known, leaf });
        }
        for (child, edge) in [(*right, first + 1), (*left, first)] {
            if matches!(nodes[child], Node::Inner { .. }) {
                waiting.push((child, edge));
            }
        }
    }
    Ok(edges)
}

/// The questions above a node, from the root on.
fn above(tree: &Tree, node: usize) -> Vec<usize> {
    let (mut at, mut above) = (0, Vec::new());
    while at < node
        && let Some(Node::Inner { left, right, .. }) = tree.nodes().get(at)
    {
        above.push(at);
        // What is left of a node stands before what is right of it.
        at = if node < *right { *left } else { *right };
    }
    above
}

/// The number of different features on the path that ends with each edge.
pub(super) fn features(edges: &[Edge<'_>]) -> Vec<usize> {
    let mut counts: Vec<usize> = Vec::with_capacity(edges.len());
    for edge in edges {
        let above = edge.above.map_or(0, |above| counts[above]);
        counts.push(above + usize::from(edge.before.is_none()));
    }
    counts
}

/// The most different features on a path of the tree.
pub(super) fn most_features(edges: &[Edge<'_>]) -> usize {
    features(edges).into_iter().max().unwrap_or(0)
}

/// The last edge of each feature on the path that ends with an edge; the features in the order in which the path first asks
/// about them.
pub(super) fn path(edges: &[Edge<'_>], end: usize) -> Vec<usize> {
    let upwards = std::iter::successors(Some(end), |at| edges[*at].above);
    let mut last: Vec<usize> = Vec::new();
    for at in upwards.collect::<Vec<_>>().into_iter().rev() {
        match last.iter_mut().find(|one| edges[at].before == Some(**one)) {
            Some(one) => *one = at,
            None => last.push(at),
        }
    }
    last
}

/// The share of no node may be unknown.
pub(super) fn covered(index: usize, tree: &Tree) -> Result<(), ExplainError> {
    let empty = tree
        .nodes()
        .iter()
        .position(|node| matches!(node, Node::Inner { cover, .. } if *cover <= 0.0));
    empty.map_or(Ok(()), |node| Err(ExplainError::NoCover { tree: index, node }))
}

/// What the leaves answer on average, weighed by the training rows that came to them.
pub(super) fn mean(tree: &Tree) -> f64 {
    let nodes = tree.nodes();
    let mut reached = vec![0.0; nodes.len()];
    reached[0] = 1.0;
    let mut sum = 0.0;
    for (at, node) in nodes.iter().enumerate() {
        match node {
            Node::Inner { left, right, cover, .. } => {
                for child in [*left, *right] {
                    reached[child] = reached[at] * nodes[child].cover() / cover;
                }
            }
            Node::Leaf { value, .. } => sum += value * reached[at],
        }
    }
    sum
}

/// An edge's factors at the points of the quadrature. A feature of a path is *followed* when the row answers each of its questions
/// as the path does. Its factor is `t + (1 - t) shares` when it is followed, else `(1 - t) shares`.
#[derive(Debug)]
pub(super) struct Factors<const N: usize> {
    /// What the path's product is multiplied by when the feature is still followed, and when it was followed until here.
    pub stays: [f64; N],
    pub leaves: [f64; N],
    /// With the weights: (1 - shares) / factor, when it is followed.
    pub gain: [f64; N],
}

/// The same for all edges, and what does not depend on the edge.
#[derive(Debug)]
pub(super) struct Prepared<'a, const N: usize> {
    pub edges: Vec<Edge<'a>>,
    pub factors: Vec<Factors<N>>,
    /// With the weights: what a feature that is not followed gains, `-1 / (1 - t)`.
    pub loss: [f64; N],
    /// The points and their weights.
    pub points: [f64; N],
    pub weights: [f64; N],
}

impl<'a, const N: usize> Prepared<'a, N> {
    pub(super) fn new(edges: Vec<Edge<'a>>) -> Self {
        let (points, weights) = gauss_legendre::<N>();
        let factors = edges
            .iter()
            .map(|edge| {
                let shares = edge.shares;
                let before = edge.before.map_or(1.0, |before| edges[before].shares);
                let followed = |shares: f64| points.map(|t| t + (1.0 - t) * shares);
                let (here, there) = (followed(shares), followed(before));
                Factors {
                    stays: std::array::from_fn(|q| here[q] / there[q]),
                    leaves: std::array::from_fn(|q| (1.0 - points[q]) * shares / there[q]),
                    gain: std::array::from_fn(|q| weights[q] * (1.0 - shares) / here[q]),
                }
            })
            .collect();
        let loss = std::array::from_fn(|q| -weights[q] / (1.0 - points[q]));
        Self { edges, factors, loss, points, weights }
    }

    /// The factor of a feature with these shares.
    pub(super) fn factor(&self, shares: f64, followed: bool) -> [f64; N] {
        self.points.map(|t| (1.0 - t) * shares + if followed { t } else { 0.0 })
    }
}
