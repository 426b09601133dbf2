//! SHAP values in which features that are not known take the values of background rows.

use tokio_util::sync::CancellationToken;

use super::{
    Explanation, Progress,
    paths::{Edge, edges, path},
    walk::MOST,
    work::{Block, in_blocks},
};
use crate::{ExplainError, Forest, Rows, model::Tree};

/// The most features of a path: one bit of a word for each.
pub(super) const BITS: usize = 64;
const _: () = assert!(BITS <= MOST);

/// Exact interventional SHAP values of the margin, against every row of a background: Lundberg et al. 2020, what
/// `shap.TreeExplainer(model, background)` gives.
///
/// For each row and output base + sum of the values = margin, and the base is the background's mean margin.
///
/// # Errors
/// When rows or background do not have the model's features, when there is no background, when a path tests more than 64
/// features, and when it is cancelled.
pub fn interventional(
    forest: &Forest,
    rows: &Rows,
    background: &Rows,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Explanation, ExplainError> {
    let (features, outputs) = (forest.features.len(), forest.outputs());
    let (rows, background) = (rows.of(features)?, background.of(features)?);
    if background.is_empty() {
        return Err(ExplainError::NoBackground);
    }
    let mut base = vec![0.0; outputs];
    for row in background.iter() {
        for (base, sum) in base.iter_mut().zip(forest.margin(row)) {
            *base += sum / background.len() as f64;
        }
    }
    let seen: Vec<Vec<f64>> = background
        .iter()
        .map(|row| row.iter().map(|value| forest.seen(*value)).collect())
        .collect();
    let mut trees = Vec::with_capacity(forest.trees.len());
    for (output, tree) in &forest.trees {
        if cancel.is_cancelled() {
            return Err(ExplainError::Cancelled);
        }
        trees.push((*output, Against::new(tree, &seen)?));
    }
    let weights = Weights::new();
    let values = in_blocks(forest, rows, features * outputs, progress, cancel, |block| {
        let Block { rows, values } = block;
        let mut followed = Vec::new();
        for (output, tree) in &trees {
            let place = output * features..(output + 1) * features;
            let each = rows.chunks_exact(features).zip(values.chunks_exact_mut(features * outputs));
            for (row, values) in each {
                tree.walk(row, &weights, &mut followed, &mut values[place.clone()]);
            }
        }
    })?;
    Ok(Explanation { base, values, features })
}

/// A tree with the ways of the background's rows.
struct Against<'a> {
    edges: Vec<Edge<'a>>,
    leaves: Vec<Leaf>,
}

struct Leaf {
    /// Of each feature of the path: its last edge, and itself.
    path: Vec<(usize, usize)>,
    /// Which of the path's features background rows follow, as bits; with the leaf's value times the rows' share.
    ways: Vec<(u64, f64)>,
}

impl<'a> Against<'a> {
    fn new(tree: &'a Tree, background: &[Vec<f64>]) -> Result<Self, ExplainError> {
        let edges = edges(tree);
        let mut leaves = Vec::new();
        for (at, edge) in edges.iter().enumerate() {
            let Some(value) = edge.leaf else { continue };
            let path = features_of(&edges, at)?;
            leaves.push((value, Leaf { path, ways: Vec::new() }));
        }
        let share = 1.0 / background.len() as f64;
        let mut followed = Vec::new();
        for row in background {
            follow(&edges, row, &mut followed);
            for (value, leaf) in &mut leaves {
                let way = way(&leaf.path, &followed);
                let amount = *value * share;
                match leaf.ways.iter_mut().find(|(one, _)| *one == way) {
                    Some((_, sum)) => *sum += amount,
                    None => leaf.ways.push((way, amount)),
                }
            }
        }
        Ok(Self { edges, leaves: leaves.into_iter().map(|(_, leaf)| leaf).collect() })
    }

    /// With `a` features that the row alone follows and `b` that the background row alone does, each of the former gains
    /// `(a-1)! b! / (a+b)!` of the leaf, and each of the latter loses `a! (b-1)! / (a+b)!`.
    fn walk(&self, row: &[f64], weights: &Weights, followed: &mut Vec<bool>, values: &mut [f64]) {
        follow(&self.edges, row, followed);
        for leaf in &self.leaves {
            let mine = way(&leaf.path, followed);
            let all = u64::MAX >> (BITS - leaf.path.len());
            for (theirs, amount) in &leaf.ways {
                if mine | theirs != all {
                    continue;
                }
                let (gaining, losing) = (mine & !theirs, theirs & !mine);
                let (a, b) = (gaining.count_ones() as usize, losing.count_ones() as usize);
                let (gain, loss) = weights.of(a, b);
                each_bit(gaining, |bit| values[leaf.path[bit].1] += amount * gain);
                each_bit(losing, |bit| values[leaf.path[bit].1] -= amount * loss);
            }
        }
    }
}

/// Which features of a leaf's path are followed, as bits.
pub(super) fn way(path: &[(usize, usize)], followed: &[bool]) -> u64 {
    let bits = path.iter().enumerate();
    bits.fold(0, |way, (bit, (edge, _))| way | u64::from(followed[*edge]) << bit)
}

/// Of each feature of the path to a leaf's edge: its last edge, and itself.
pub(super) fn features_of(
    edges: &[Edge<'_>],
    leaf: usize,
) -> Result<Vec<(usize, usize)>, ExplainError> {
    let last = path(edges, leaf).into_iter();
    let path: Vec<_> = last.map(|edge| (edge, edges[edge].split.feature)).collect();
    if path.len() > BITS {
        return Err(ExplainError::TooManyFeatures { found: path.len(), most: BITS });
    }
    Ok(path)
}

pub(super) fn each_bit(mut bits: u64, mut act: impl FnMut(usize)) {
    while bits != 0 {
        act(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

/// Of each edge: does the row answer all of the path's questions about the edge's feature as the path does?
pub(super) fn follow(edges: &[Edge<'_>], row: &[f64], followed: &mut Vec<bool>) {
    followed.clear();
    for edge in edges {
        let was = edge.before.is_none_or(|before| followed[before]);
        followed.push(was && edge.split.left(row) == edge.answer);
    }
}

/// `(a-1)! b! / (a+b)!` for all that a path can have.
pub(super) struct Weights(Vec<f64>);

impl Weights {
    pub(super) fn new() -> Self {
        let logarithms: Vec<f64> = (0..=2 * BITS)
            .scan(0.0, |sum, n| {
                *sum += if n > 0 { (n as f64).ln() } else { 0.0 };
                Some(*sum)
            })
            .collect();
        let mut all = Vec::with_capacity((BITS + 1) * (BITS + 1));
        for a in 0..=BITS {
            for b in 0..=BITS {
                let weight = |a: usize, b: usize| {
                    (logarithms[a - 1] + logarithms[b] - logarithms[a + b]).exp()
                };
                all.push(if a == 0 { 0.0 } else { weight(a, b) });
            }
        }
        Self(all)
    }

    /// What the row's features gain, and the background's lose.
    pub(super) fn of(&self, a: usize, b: usize) -> (f64, f64) {
        (self.0[a * (BITS + 1) + b], self.0[b * (BITS + 1) + a])
    }
}
