//! SHAP values in which features that are not known take the values of background rows.

use tokio_util::sync::CancellationToken;

use super::{
    Explanation, Progress,
    game::{Game, Room},
    paths::{Edge, edges, path},
    values::values,
    walk::MOST,
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
    let weights = Weights::new();
    let mut trees = Vec::with_capacity(forest.trees.len());
    for (output, tree) in &forest.trees {
        if cancel.is_cancelled() {
            return Err(ExplainError::Cancelled);
        }
        trees.push((*output, Box::new(Against::new(tree, &seen, &weights)?)));
    }
    let values = values(forest, &trees, rows, progress, cancel)?;
    Ok(Explanation { base, values, features })
}

/// A tree with the ways of the background's rows.
struct Against<'a> {
    edges: Vec<Edge<'a>>,
    leaves: Vec<Leaf>,
    weights: &'a Weights,
}

struct Leaf {
    /// Its edge.
    edge: usize,
    /// Of each feature of the path: its last edge, and itself.
    path: Vec<(usize, usize)>,
    /// Which of the path's features background rows follow, as bits; with the leaf's value times the rows' share.
    ways: Vec<(u64, f64)>,
}

impl<'a> Against<'a> {
    fn new(
        tree: &'a Tree,
        background: &[Vec<f64>],
        weights: &'a Weights,
    ) -> Result<Self, ExplainError> {
        let edges = edges(tree);
        let mut leaves = Vec::new();
        for (at, edge) in edges.iter().enumerate() {
            let Some(value) = edge.leaf else { continue };
            let path = features_of(&edges, at)?;
            leaves.push((value, Leaf { edge: at, path, ways: Vec::new() }));
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
        let leaves = leaves.into_iter().map(|(_, leaf)| leaf).collect();
        Ok(Self { edges, leaves, weights })
    }
}

impl Game for Against<'_> {
    fn edges(&self) -> &[Edge<'_>] {
        &self.edges
    }

    fn walk(&self, row: &[f64], room: &mut Room, values: &mut [f64]) {
        follow(&self.edges, row, &mut room.followed);
        for leaf in &self.leaves {
            let mine = way(&leaf.path, &room.followed);
            leaf.share(mine, self.weights, |bit, value| values[leaf.path[bit].1] += value);
        }
    }

    fn shares(&self, leaf: usize, path: &[usize]) -> Vec<f64> {
        let features = path.len();
        let mut shares = vec![0.0; features << features];
        if let Ok(at) = self.leaves.binary_search_by_key(&leaf, |leaf| leaf.edge) {
            let leaf = &self.leaves[at];
            for (set, shares) in shares.chunks_exact_mut(features.max(1)).enumerate() {
                leaf.share(set as u64, self.weights, |bit, value| shares[bit] += value);
            }
        }
        shares
    }

    fn walk_takes(&self) -> f64 {
        let leaves = self.leaves.iter().map(|leaf| leaf.path.len() + 4 * leaf.ways.len());
        (3 * self.edges.len() + leaves.sum::<usize>()) as f64
    }

    fn share_takes(&self, _: usize) -> f64 {
        let ways: usize = self.leaves.iter().map(|leaf| leaf.ways.len()).sum();
        4.0 * ways as f64 / self.leaves.len().max(1) as f64 + 2.0
    }
}

impl Leaf {
    /// Shares the leaf out among the features of its path, of which the row follows `mine`.
    ///
    /// With `a` features that the row alone follows and `b` that the background row alone does, each of the former gains
    /// `(a-1)! b! / (a+b)!` of the leaf, and each of the latter loses `a! (b-1)! / (a+b)!`.
    fn share(&self, mine: u64, weights: &Weights, mut add: impl FnMut(usize, f64)) {
        let all = u64::MAX >> (BITS - self.path.len());
        for (theirs, amount) in &self.ways {
            if mine | theirs != all {
                continue;
            }
            let (gaining, losing) = (mine & !theirs, theirs & !mine);
            let (a, b) = (gaining.count_ones() as usize, losing.count_ones() as usize);
            let (gain, loss) = weights.of(a, b);
            each_bit(gaining, |bit| add(bit, amount * gain));
            each_bit(losing, |bit| add(bit, -amount * loss));
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
