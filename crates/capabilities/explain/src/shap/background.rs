//! SHAP values in which features that are not known take the values of background rows.

use tokio_util::sync::CancellationToken;

use super::{
    Explanation, Progress,
    against::{Against, ReadyPart},
    game::{Game, Room},
    limits::Limits,
    paths::Edge,
    values::add,
    ways::{BITS, Leaf, Ways, follow, way},
    work::Work,
};
use crate::{ExplainError, Forest, Rows};

/// Exact interventional SHAP values of the margin, against every row of a background: Lundberg et al. 2020, what
/// `shap.TreeExplainer(model, background)` gives.
///
/// For each row and output base + sum of the values = margin, and the base is the background's mean margin. Trees are made ready
/// on all processors, in parts of 32 MiB and at most 256 MiB of these at a time, or one question's leaves of up to 1 GiB.
///
/// # Errors
/// When rows or background do not have the model's features, when there is no background, when a path tests more than 64
/// features, when the background is too large, and when it is cancelled.
pub fn interventional(
    forest: &Forest,
    rows: &Rows,
    background: &Rows,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Explanation, ExplainError> {
    let ready = Interventional::new(forest, background, &Limits::USUAL, cancel)?;
    ready.values(forest, rows, progress, cancel)
}

/// A forest and a background, ready for rows.
#[derive(Debug)]
pub(super) struct Interventional {
    base: Vec<f64>,
    pub against: Against,
    weights: Weights,
}

impl Interventional {
    pub(super) fn new(
        forest: &Forest,
        background: &Rows,
        limits: &Limits,
        cancel: &CancellationToken,
    ) -> Result<Self, ExplainError> {
        let background = background.of(forest.features.len())?;
        if background.is_empty() {
            return Err(ExplainError::NoBackground);
        }
        let mut base = vec![0.0; forest.outputs()];
        for row in background.iter() {
            if cancel.is_cancelled() {
                return Err(ExplainError::Cancelled);
            }
            for (base, sum) in base.iter_mut().zip(forest.margin(row)) {
                *base += sum / background.len() as f64;
            }
        }
        let against = Against::new(forest, background, false, limits, cancel)?;
        let weights = Weights::new(1.0 / background.len() as f64);
        Ok(Self { base, against, weights })
    }

    /// The values of some rows. The forest is the one that it was made of.
    pub(super) fn values(
        &self,
        forest: &Forest,
        rows: &Rows,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Explanation, ExplainError> {
        let (features, outputs) = (forest.features.len(), forest.outputs());
        let rows = rows.of(features)?;
        let parts = self.against.parts();
        let mut work = Work::new(forest, rows, features * outputs, parts, progress, cancel);
        self.against.each(forest, cancel, |ready| {
            let weights = &self.weights;
            let trees: Vec<_> = ready
                .into_iter()
                .map(|ReadyPart { output, edges, ways }| {
                    (output, Box::new(Compared { edges, ways, weights }))
                })
                .collect();
            add(&mut work, &trees, cancel)
        })?;
        Ok(Explanation { base: self.base.clone(), values: work.values, features })
    }
}

/// A part of a tree with the ways of the background's rows.
struct Compared<'a> {
    edges: Vec<Edge<'a>>,
    ways: &'a Ways,
    weights: &'a Weights,
}

impl Compared<'_> {
    /// Shares a leaf out among the features of its path, of which the row follows `mine`.
    ///
    /// With `a` features that the row alone follows and `b` that the background row alone does, each of the former gains
    /// `(a-1)! b! / (a+b)!` of the leaf, and each of the latter loses `a! (b-1)! / (a+b)!`.
    fn share(&self, leaf: &Leaf, mine: u64, mut add: impl FnMut(usize, f64)) {
        let all = u64::MAX >> (BITS - self.ways.path(leaf).len());
        let each = leaf.value * self.weights.share;
        for way in self.ways.of(leaf) {
            let theirs = way.bits;
            if mine | theirs != all {
                continue;
            }
            let amount = each * f64::from(way.count);
            let (gaining, losing) = (mine & !theirs, theirs & !mine);
            let (a, b) = (gaining.count_ones() as usize, losing.count_ones() as usize);
            let (gain, loss) = self.weights.of(a, b);
            each_bit(gaining, |bit| add(bit, amount * gain));
            each_bit(losing, |bit| add(bit, -amount * loss));
        }
    }
}

impl Game for Compared<'_> {
    fn edges(&self) -> &[Edge<'_>] {
        &self.edges
    }

    fn walk(&self, row: &[f64], room: &mut Room, values: &mut [f64]) {
        follow(&self.edges, row, &mut room.followed);
        for leaf in &self.ways.leaves {
            let path = self.ways.path(leaf);
            let mine = way(path, &room.followed);
            self.share(leaf, mine, |bit, value| {
                values[path[bit].1 as usize] += value;
            });
        }
    }

    fn shares(&self, leaf: usize, path: &[usize]) -> Vec<f64> {
        let features = path.len();
        let mut shares = vec![0.0; features << features];
        if let Ok(at) = self.ways.leaves.binary_search_by_key(&leaf, |leaf| leaf.edge) {
            let leaf = &self.ways.leaves[at];
            for (set, shares) in shares.chunks_exact_mut(features.max(1)).enumerate() {
                self.share(leaf, set as u64, |bit, value| shares[bit] += value);
            }
        }
        shares
    }

    fn walk_takes(&self) -> f64 {
        let ways = &self.ways;
        let paths: usize = ways.leaves.iter().map(|leaf| ways.path(leaf).len()).sum();
        (3 * self.edges.len() + paths + 4 * ways.count()) as f64
    }

    fn share_takes(&self, _: usize) -> f64 {
        4.0 * self.ways.count() as f64 / self.ways.leaves.len().max(1) as f64 + 2.0
    }

    fn room(&self) -> usize {
        self.edges.len()
    }
}

pub(super) fn each_bit(mut bits: u64, mut act: impl FnMut(usize)) {
    while bits != 0 {
        act(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

/// `(a-1)! b! / (a+b)!` for all that a path can have; and the share of a background row.
#[derive(Debug)]
pub(super) struct Weights {
    all: Vec<f64>,
    share: f64,
}

impl Weights {
    pub(super) fn new(share: f64) -> Self {
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
        Self { all, share }
    }

    /// What the row's features gain, and the background's lose.
    pub(super) fn of(&self, a: usize, b: usize) -> (f64, f64) {
        (self.all[a * (BITS + 1) + b], self.all[b * (BITS + 1) + a])
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        Link,
        model::{Missing, Node, Split, Test, Tree},
        shap::probability::InProbability,
    };

    pub(in crate::shap) const FEATURES: usize = 6;

    /// Numbers by a rule, between -1 and 1.
    fn numbers(seed: u64) -> impl Iterator<Item = f64> {
        let next = |state: &u64| {
            let state = state.wrapping_mul(6_364_136_223_846_793_005);
            Some(state.wrapping_add(1_442_695_040_888_963_407))
        };
        let states = std::iter::successors(Some(seed.wrapping_add(1) << 32), next).skip(2);
        states.map(|state| (state >> 40) as f64 / f64::from(1 << 23) - 1.0)
    }

    pub(in crate::shap) fn rows(count: usize, seed: u64) -> Rows {
        Rows::new(numbers(seed).take(count * FEATURES).collect(), FEATURES)
    }

    /// Trees of five levels.
    pub(in crate::shap) fn forest(trees: usize) -> Forest {
        let tree = |seed: usize| {
            let mut numbers = numbers(seed as u64 + 100);
            let node = |at: usize, number: f64| {
                let cover = f64::from(1_u32 << (5 - (at + 1).ilog2()));
                if at >= 31 {
                    return Node::Leaf { value: number, cover };
                }
                let split = Split {
                    feature: (at * 5 + seed) % FEATURES,
                    test: Test::Less(number),
                    missing: Missing::NaN,
                    missing_left: true,
                };
                Node::Inner { split, left: 2 * at + 1, right: 2 * at + 2, cover }
            };
            let nodes: Vec<Node> =
                (0..63).map(|at| node(at, numbers.next().unwrap_or(0.0))).collect();
            Tree::new(&nodes, FEATURES, "a tree").unwrap()
        };
        Forest {
            features: (0..FEATURES).map(|index| format!("f{index}")).collect(),
            trees: (0..trees).map(|seed| (0, tree(seed))).collect(),
            base: vec![0.5],
            link: Link::Logistic { scale: 1.0 },
            single_precision: false,
        }
    }

    pub(in crate::shap) fn assert_near(found: &[f64], expected: &[f64], tolerance: f64) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
        }
    }

    fn margin(forest: &Forest, row: &[f64]) -> f64 {
        forest.margin(row)[0]
    }

    /// Shapley values of the margin of a row against another, by the definition.
    fn shapley(forest: &Forest, row: &[f64], other: &[f64]) -> Vec<f64> {
        let worth: Vec<f64> = (0_usize..1 << FEATURES)
            .map(|known| {
                let value = |at: usize| if known >> at & 1 == 1 { row[at] } else { other[at] };
                margin(forest, &(0..FEATURES).map(value).collect::<Vec<_>>())
            })
            .collect();
        let factorial = |n: usize| (1..=n).map(|k| k as f64).product::<f64>();
        let value = |feature: usize| {
            let without = (0_usize..1 << FEATURES).filter(|set| set >> feature & 1 == 0);
            let gains = without.map(|set| {
                let size = set.count_ones() as usize;
                let weight = factorial(size) * factorial(FEATURES - size - 1) / factorial(FEATURES);
                weight * (worth[set | 1 << feature] - worth[set])
            });
            gains.sum::<f64>()
        };
        (0..FEATURES).map(value).collect()
    }

    /// Small parts, made ready by twos, some of them kept: all give what the definition says.
    #[test]
    fn parts_and_batches_give_shapley_values() {
        let (forest, cancel) = (forest(3), CancellationToken::new());
        let (rows, others) = (rows(4, 1), rows(40, 2));
        let (mut margins, mut scaled) = (Vec::new(), Vec::new());
        let probability = |margin: f64| 1.0 / (1.0 + (-margin).exp());
        for row in rows.iter() {
            let (mut sums, mut scales) = (vec![0.0; FEATURES], vec![0.0; FEATURES]);
            for other in others.iter() {
                let (here, there) = (margin(&forest, row), margin(&forest, other));
                let (p, q) = (probability(here), probability(there));
                let factor = if here == there { p * (1.0 - p) } else { (p - q) / (here - there) };
                for (at, value) in shapley(&forest, row, other).into_iter().enumerate() {
                    sums[at] += value / 40.0;
                    scales[at] += value * factor / 40.0;
                }
            }
            margins.extend(sums);
            scaled.extend(scales);
        }
        for (part, batch, keep) in [
            (1, 1, 0),
            (1, 1, 3_000),
            (2_000, 50_000, 0),
            (2_000, 50_000, 1 << 20),
            (1 << 20, 1 << 20, 0),
        ] {
            let limits = Limits { batch, part, ..Limits::USUAL };
            let mut ready = Interventional::new(&forest, &others, &limits, &cancel).unwrap();
            assert!(part > 1 || ready.against.parts() > 3, "one part for each tree");
            ready.against.keep(keep);
            // What is kept of the first time gives the same.
            for _ in 0..2 {
                let found = ready.values(&forest, &rows, &(), &cancel).unwrap();
                assert_near(&found.values, &margins, 1e-12);
            }
            let mut ready = InProbability::new(&forest, &others, &limits, &cancel).unwrap();
            ready.against().keep(keep);
            for _ in 0..2 {
                let found = ready.values(&forest, &rows, &(), &cancel).unwrap();
                assert_near(&found.values, &scaled, 1e-9);
            }
        }
    }

    #[test]
    fn making_ready_is_cancelled_and_refused() {
        let (forest, others) = (forest(3), rows(40, 2));
        let cancel = CancellationToken::new();
        let limits = Limits { tree: 1 << 10, ..Limits::USUAL };
        let refused = Interventional::new(&forest, &others, &limits, &cancel);
        assert!(matches!(refused, Err(ExplainError::TooLarge { .. })));
        let ready = Interventional::new(&forest, &others, &Limits::USUAL, &cancel).unwrap();
        cancel.cancel();
        let stopped = ready.values(&forest, &others, &(), &cancel);
        assert!(matches!(stopped, Err(ExplainError::Cancelled)));
        let stopped = Interventional::new(&forest, &others, &Limits::USUAL, &cancel);
        assert!(matches!(stopped, Err(ExplainError::Cancelled)));
        let stopped = InProbability::new(&forest, &others, &Limits::USUAL, &cancel);
        assert!(matches!(stopped, Err(ExplainError::Cancelled)));
    }
}
