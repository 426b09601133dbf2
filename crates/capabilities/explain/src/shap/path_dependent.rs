//! SHAP values in which features that are not known follow the training rows' ways.

use tokio_util::sync::CancellationToken;

use super::{
    Explanation, Progress, Room, Walk,
    paths::{Prepared, covered, mean},
    prepared,
    work::{Block, in_blocks},
};
use crate::{ExplainError, Forest, Rows};

/// Exact path-dependent SHAP values of the margin: Lundberg et al., *From local explanations to global understanding with
/// explainable AI for trees* (2020), what `shap.TreeExplainer` gives without background data and XGBoost by `pred_contribs`.
///
/// They take time linear in rows and nodes, and memory for the result alone; all processors work. For each row and output
/// base + sum of the values = margin.
///
/// # Errors
/// When the rows do not have the model's features, when the model does not say how its training rows went, when a path tests more
/// than 256 features, and when it is cancelled.
pub fn path_dependent(
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
    let values = in_blocks(forest, rows, features * outputs, progress, cancel, |block| {
        let Block { rows, values } = block;
        let explained = features * outputs;
        let mut room = Room::default();
        for (output, tree) in &trees {
            let place = output * features..(output + 1) * features;
            for (row, values) in rows.chunks_exact(features).zip(values.chunks_exact_mut(explained))
            {
                tree.walk(row, &mut room, &mut values[place.clone()]);
            }
        }
    })?;
    Ok(Explanation { base, values, features })
}

impl<const N: usize> Walk for Prepared<'_, N> {
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
    fn pairs(&self, row: &[f64], room: &mut Room, values: &mut [f64], features: usize) {
        let (followed, products, _) = self.down(row, room);
        for (at, edge) in self.edges.iter().enumerate() {
            let Some(leaf) = edge.leaf else { continue };
            let product = products[at].map(|product| product * leaf);
            self.leaf_pairs(&self.last_edges(at), followed, &product, values, features);
        }
    }
}

#[inline]
fn dot<const N: usize>(a: &[f64; N], b: &[f64; N]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
