//! What pairs of features add together.

use tokio_util::sync::CancellationToken;

use super::{
    Explanation, Progress,
    game::Room,
    walk::trees,
    work::{Block, Work},
};
use crate::{ExplainError, Forest, Rows};

/// Few enough that a tree and its rows stay in the processor's cache.
const BLOCK: usize = 32;

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
    let (base, trees) = trees(forest)?;
    let leaves: Vec<_> = trees.iter().map(|(_, tree)| tree.leaf_paths()).collect();
    let (features, outputs) = (forest.features.len(), forest.outputs());
    let pairs = features * features;
    let mut work = Work::new(forest, rows, pairs * outputs, trees.len(), progress, cancel);
    work.pass(BLOCK, trees.len(), |block| {
        let Block { rows, values } = block;
        let mut room = Room::default();
        let mut alone = vec![0.0; features * outputs];
        for (row, values) in
            rows.chunks_exact(features).zip(values.chunks_exact_mut(pairs * outputs))
        {
            alone.fill(0.0);
            for ((output, tree), leaves) in trees.iter().zip(&leaves) {
                let (output, next) = (*output, output + 1);
                let matrix = &mut values[output * pairs..next * pairs];
                tree.pairs(leaves, row, &mut room, matrix, features);
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
    Ok(Explanation { base, values: work.values, features: pairs })
}
