//! A walk down and up a tree for a row.

use std::ops::Range;

use tokio_util::sync::CancellationToken;

use super::{
    game::{Game, Room},
    limits::{EDGE, Limits},
    paths::{Edge, LOOK, Prepared, covered, edges, mean, path},
    questions::Questions,
};
use crate::{ExplainError, Forest, model::Tree};

/// The most features of a path: half as many points as that are needed.
pub(super) const MOST: usize = 256;

/// A tree with as many points as its paths need.
pub(super) trait Walk: Game {
    /// Its leaves' edges with their paths, for [`pairs`](Self::pairs).
    fn leaf_paths(&self) -> Vec<LeafPath>;

    /// Adds half of what each pair of the row's features adds together, at both of its places; nothing more when it is cancelled.
    fn pairs(
        &self,
        leaves: &[LeafPath],
        row: &[f64],
        room: &mut Room,
        values: &mut [f64],
        cancel: &CancellationToken,
    );
}

/// A leaf's edge, and the last edge of each feature of its path.
pub(super) type LeafPath = (usize, Vec<usize>);

/// Leaves whose pairs are added between two looks at whether it is cancelled.
const LEAVES: usize = 64;

/// For a path of so many features as many points as half of them are needed: a product of d - 1 factors has the degree d - 1.
const POINTS: [usize; 10] = [1, 2, 3, 4, 5, 6, 8, 16, 32, MOST / 2];

fn points(features: usize) -> Result<usize, ExplainError> {
    let enough = POINTS.into_iter().find(|points| 2 * points >= features);
    enough.ok_or(ExplainError::TooManyFeatures { found: features, most: MOST })
}

fn prepared(edges: Vec<Edge<'_>>, points: usize) -> Box<dyn Walk + '_> {
    match points {
        1 => Box::new(Prepared::<1>::new(edges)),
        2 => Box::new(Prepared::<2>::new(edges)),
        3 => Box::new(Prepared::<3>::new(edges)),
        4 => Box::new(Prepared::<4>::new(edges)),
        5 => Box::new(Prepared::<5>::new(edges)),
        6 => Box::new(Prepared::<6>::new(edges)),
        7..=8 => Box::new(Prepared::<8>::new(edges)),
        9..=16 => Box::new(Prepared::<16>::new(edges)),
        17..=32 => Box::new(Prepared::<32>::new(edges)),
        _ => Box::new(Prepared::<{ MOST / 2 }>::new(edges)),
    }
}

/// The memory that an edge takes with so many points, and a path to it; and in a walk.
fn edge_takes(points: usize) -> (usize, usize) {
    (EDGE + 4 * points * size_of::<f64>(), 2 * points * size_of::<f64>() + 1)
}

/// Trees, each with the output that it adds to.
pub(super) type Trees<'a> = Vec<(usize, Box<dyn Walk + 'a>)>;

/// What is predicted of nobody in particular.
pub(super) fn base(forest: &Forest) -> Result<Vec<f64>, ExplainError> {
    let mut base = forest.base.clone();
    for (index, (output, tree)) in forest.trees.iter().enumerate() {
        covered(index, tree)?;
        base[*output] += mean(tree);
    }
    Ok(base)
}

/// A forest's trees, made ready batch by batch.
pub(super) struct Batches<'a> {
    forest: &'a Forest,
    /// What each tree needs.
    needs: Vec<Needs>,
    ranges: Vec<Range<usize>>,
    next: usize,
    cancel: &'a CancellationToken,
}

impl<'a> Batches<'a> {
    /// # Errors
    /// When a path tests too many features, when a tree takes too much memory, and when it is cancelled.
    pub(super) fn new(
        forest: &'a Forest,
        limits: &Limits,
        cancel: &'a CancellationToken,
    ) -> Result<Self, ExplainError> {
        let trees = forest.trees.iter().enumerate();
        let needs = trees
            .map(|(index, (_, tree))| Needs::of(index, tree, limits, cancel))
            .collect::<Result<Vec<_>, _>>()?;
        let ranges = limits.batches(needs.iter().map(|needs| needs.bytes));
        Ok(Self { forest, needs, ranges, next: 0, cancel })
    }

    /// The next batch, if there are more trees.
    ///
    /// # Errors
    /// When it is cancelled.
    pub(super) fn ready(&mut self) -> Result<Option<Trees<'a>>, ExplainError> {
        let Some(batch) = self.ranges.get(self.next).cloned() else { return Ok(None) };
        self.next += 1;
        let forest = self.forest;
        let trees = forest.trees[batch.clone()].iter().zip(&self.needs[batch]);
        let ready = trees.map(|((output, tree), needs)| {
            Ok((*output, prepared(edges(tree, self.cancel)?, needs.points)))
        });
        ready.collect::<Result<Trees<'a>, ExplainError>>().map(Some)
    }
}

/// What a tree needs to be walked.
struct Needs {
    points: usize,
    /// The memory that it takes while it is ready.
    bytes: usize,
}

impl Needs {
    /// Unless that is too much.
    fn of(
        index: usize,
        tree: &Tree,
        limits: &Limits,
        cancel: &CancellationToken,
    ) -> Result<Self, ExplainError> {
        if cancel.is_cancelled() {
            return Err(ExplainError::Cancelled);
        }
        let (mut features, mut edges) = (0, 0_usize);
        for (count, question) in Questions::new(tree).enumerate() {
            if count.is_multiple_of(LOOK) && cancel.is_cancelled() {
                return Err(ExplainError::Cancelled);
            }
            features = features.max(question.features);
            edges += 2;
            if question.leaves > 0 {
                points(features)?;
            }
        }
        let points = points(features)?;
        let (edge, walk) = edge_takes(points);
        limits.fit(index, tree.nodes().len(), edges.saturating_mul(edge + walk))?;
        Ok(Self { points, bytes: edges.saturating_mul(edge) })
    }
}

/// The most that is made ready at a time.
///
/// # Errors
/// As [`Batches::new`].
pub(super) fn takes(forest: &Forest, cancel: &CancellationToken) -> Result<usize, ExplainError> {
    let Batches { needs, ranges, .. } = Batches::new(forest, &Limits::USUAL, cancel)?;
    let bytes = |range: Range<usize>| needs[range].iter().map(|needs| needs.bytes).sum::<usize>();
    Ok(ranges.into_iter().map(bytes).max().unwrap_or(0))
}

impl<const N: usize> Game for Prepared<'_, N> {
    fn edges(&self) -> &[Edge<'_>] {
        &self.edges
    }

    fn walk(&self, row: &[f64], room: &mut Room, values: &mut [f64]) {
        let (followed, products, sums) = self.down(row, room);
        // Up: the sums over the leaves below each edge, and what its feature gains by them.
        for (at, (edge, factors)) in self.edges.iter().zip(&self.factors).enumerate().rev() {
            if let Some(leaf) = edge.leaf {
                sums[at] = products[at].map(|product| product * leaf);
            }
            let below = sums[at];
            let gains = if followed[at] { &factors.gain } else { &self.loss };
            let mut value = dot(gains, &below);
            if let Some(before) = edge.before {
                // The edge above counts these leaves by what it knows: that is taken back.
                let gains = if followed[before] { &self.factors[before].gain } else { &self.loss };
                value -= dot(gains, &below);
            }
            values[edge.split.feature] += value;
            if let Some(above) = edge.above {
                sums[above] = std::array::from_fn(|q| sums[above][q] + below[q]);
            }
        }
    }

    fn shares(&self, leaf: usize, path: &[usize]) -> Vec<f64> {
        let value = self.edges[leaf].leaf.unwrap_or_default();
        // The products of all sets, each feature in turn: not followed, followed.
        let mut products = vec![[value; N]];
        for edge in path {
            let shares = self.edges[*edge].shares;
            let factors = [false, true].map(|followed| self.factor(shares, followed));
            let (sets, [without, with]) = (products.len(), factors);
            products.extend_from_within(..);
            for (set, product) in products.iter_mut().enumerate() {
                let factor = if set < sets { &without } else { &with };
                *product = std::array::from_fn(|q| product[q] * factor[q]);
            }
        }
        let mut shares = Vec::with_capacity(products.len() * path.len());
        for (set, product) in products.iter().enumerate() {
            shares.extend(path.iter().enumerate().map(|(bit, edge)| {
                let followed = set >> bit & 1 == 1;
                dot(if followed { &self.factors[*edge].gain } else { &self.loss }, product)
            }));
        }
        shares
    }

    fn walk_takes(&self) -> f64 {
        self.edges.len() as f64 * (3 * N + 4) as f64
    }

    fn share_takes(&self, features: usize) -> f64 {
        (features * N) as f64 * 0.5 + 2.0
    }

    fn room(&self) -> usize {
        self.edges.len() * edge_takes(N).1
    }
}

impl<const N: usize> Walk for Prepared<'_, N> {
    fn leaf_paths(&self) -> Vec<LeafPath> {
        let leaves = (0..self.edges.len()).filter(|at| self.edges[*at].leaf.is_some());
        leaves.map(|at| (at, path(&self.edges, at))).collect()
    }

    fn pairs(
        &self,
        leaves: &[LeafPath],
        row: &[f64],
        room: &mut Room,
        values: &mut [f64],
        cancel: &CancellationToken,
    ) {
        let (followed, products, _) = self.down(row, room);
        for (index, some) in leaves.chunks(LEAVES).enumerate() {
            if index > 0 && cancel.is_cancelled() {
                return;
            }
            for (at, path) in some {
                let leaf = self.edges[*at].leaf.unwrap_or_default();
                let product = products[*at].map(|product| product * leaf);
                self.leaf_pairs(path, followed, &product, values, row.len());
            }
        }
    }
}

impl<const N: usize> Prepared<'_, N> {
    /// Which edges the row follows, and the product at each edge.
    fn down<'r>(
        &self,
        row: &[f64],
        room: &'r mut Room,
    ) -> (&'r [bool], &'r mut [[f64; N]], &'r mut [[f64; N]]) {
        let Room { followed, numbers } = room;
        followed.clear();
        numbers.clear();
        numbers.resize(2 * self.edges.len() * N, 0.0);
        let (numbers, _) = numbers.as_chunks_mut::<N>();
        let (products, sums) = numbers.split_at_mut(self.edges.len());
        for (at, (edge, factors)) in self.edges.iter().zip(&self.factors).enumerate() {
            let was = edge.before.is_none_or(|before| followed[before]);
            let is = was && edge.split.left(row) == edge.answer;
            followed.push(is);
            let above = edge.above.map_or([1.0; N], |above| products[above]);
            products[at] = match (was, is) {
                (_, true) => std::array::from_fn(|q| above[q] * factors.stays[q]),
                (true, false) => std::array::from_fn(|q| above[q] * factors.leaves[q]),
                (false, false) => above.map(|product| product * edge.share),
            };
        }
        (followed, products, sums)
    }

    /// Adds, for one leaf, half of what each two of its features add together.
    fn leaf_pairs(
        &self,
        path: &[usize],
        followed: &[bool],
        product: &[f64; N],
        values: &mut [f64],
        features: usize,
    ) {
        for (place, first) in path.iter().enumerate() {
            for second in &path[place + 1..] {
                let of = |edge: usize| {
                    if followed[edge] { &self.factors[edge].gain } else { &self.loss }
                };
                let (a, b) = (of(*first), of(*second));
                // Both gains carry the weight, which counts once.
                let half =
                    0.5 * (0..N).map(|q| a[q] * b[q] / self.weights[q] * product[q]).sum::<f64>();
                let [first, second] = [*first, *second].map(|edge| self.edges[edge].split.feature);
                values[first * features + second] += half;
                values[second * features + first] += half;
            }
        }
    }
}

#[inline]
fn dot<const N: usize>(a: &[f64; N], b: &[f64; N]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
