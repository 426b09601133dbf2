//! What pairs of features add together.

use tokio_util::sync::CancellationToken;

use super::{
    Explanation, Progress, Room,
    paths::{Prepared, covered, mean},
    prepared,
    work::{Block, in_blocks},
};
use crate::{ExplainError, Forest, Rows};

/// Exact path-dependent SHAP interaction values (Lundberg et al. 2020, after Fujimoto et al. 2006): as features, an
/// [`Explanation`] has all ordered pairs, `first x features + second`. Off the diagonal stands half of what the pair adds together; a
/// feature's pairs sum up to its SHAP value.
///
/// # Errors
/// As [`path_dependent`](super::path_dependent()).
pub fn interactions(
    forest: &Forest,
    rows: &Rows,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Explanation, ExplainError> {
    let rows = rows.of(forest.features.len())?;
    let mut base = forest.base.clone();
    let mut trees = Vec::with_capacity(forest.trees.len());
    for (index, (output, tree)) in forest.trees.iter().enumerate() {
        covered(index, tree)?;
        base[*output] += mean(tree);
        trees.push((*output, prepared(tree)?));
    }
    let (features, outputs) = (forest.features.len(), forest.outputs());
    let pairs = features * features;
    let values = in_blocks(forest, rows, pairs * outputs, progress, cancel, |block| {
        let Block { rows, values } = block;
        let mut room = Room::default();
        let mut alone = vec![0.0; features * outputs];
        for (row, values) in
            rows.chunks_exact(features).zip(values.chunks_exact_mut(pairs * outputs))
        {
            alone.fill(0.0);
            for (output, tree) in &trees {
                let (output, next) = (*output, output + 1);
                tree.pairs(row, &mut room, &mut values[output * pairs..next * pairs], features);
                tree.walk(row, &mut room, &mut alone[output * features..next * features]);
            }
            // What a feature adds without the others.
            for (matrix, alone) in values.chunks_exact_mut(pairs).zip(alone.chunks_exact(features))
            {
                for (feature, value) in alone.iter().enumerate() {
                    let row = &mut matrix[feature * features..(feature + 1) * features];
                    row[feature] = value - row.iter().sum::<f64>();
                }
            }
        }
    })?;
    Ok(Explanation { base, values, features: pairs })
}

impl<const N: usize> Prepared<'_, N> {
    /// Of a leaf's path: the last edge of each feature.
    pub(super) fn last_edges(&self, leaf: usize) -> Vec<usize> {
        let mut last: Vec<usize> = Vec::new();
        let mut next = Some(leaf);
        while let Some(at) = next {
            let edge = &self.edges[at];
            if last.iter().all(|one| self.edges[*one].split.feature != edge.split.feature) {
                last.push(at);
            }
            next = edge.above;
        }
        last
    }

    /// Which edges the row follows, and the product at each edge.
    pub(super) fn down<'r>(
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
    pub(super) fn leaf_pairs(
        &self,
        last: &[usize],
        followed: &[bool],
        product: &[f64; N],
        values: &mut [f64],
        features: usize,
    ) {
        for (place, first) in last.iter().enumerate() {
            for second in &last[place + 1..] {
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
