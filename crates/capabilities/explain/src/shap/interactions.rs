//! What pairs of features add together.

use tokio_util::sync::CancellationToken;

use super::{
    Explanation, Progress,
    game::Room,
    limits::Limits,
    walk::{Batches, base},
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
    within(forest, rows, &Limits::USUAL, progress, cancel)
}

pub(super) fn within(
    forest: &Forest,
    rows: &Rows,
    limits: &Limits,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Explanation, ExplainError> {
    let rows = rows.of(forest.features.len())?;
    let base = base(forest)?;
    let (features, outputs) = (forest.features.len(), forest.outputs());
    let pairs = features * features;
    let mut work = Work::new(forest, rows, pairs * outputs, forest.trees.len(), progress, cancel);
    let mut batches = Batches::new(forest, limits, cancel)?;
    while let Some(trees) = batches.ready()? {
        let leaves: Vec<_> = trees.iter().map(|(_, tree)| tree.leaf_paths()).collect();
        let room = trees.iter().map(|(_, tree)| tree.room()).max().unwrap_or(0);
        work.pass(BLOCK, trees.len(), room, |block| {
            let Block { rows, values } = block;
            let mut room = Room::default();
            let mut alone = vec![0.0; features * outputs];
            for (row, values) in
                rows.chunks_exact(features).zip(values.chunks_exact_mut(pairs * outputs))
            {
                if cancel.is_cancelled() {
                    return;
                }
                // What a feature added in the batches before: the sum of its pairs.
                let lines = values.chunks_exact_mut(features).zip(&mut alone).enumerate();
                for (place, (line, alone)) in lines {
                    *alone = line.iter().sum();
                    line[place % features] = 0.0;
                }
                for ((output, tree), leaves) in trees.iter().zip(&leaves) {
                    let (output, next) = (*output, output + 1);
                    let matrix = &mut values[output * pairs..next * pairs];
                    tree.pairs(leaves, row, &mut room, matrix, cancel);
                    tree.walk(row, &mut room, &mut alone[output * features..next * features]);
                }
                // What a feature adds without the others.
                for (place, (line, alone)) in
                    values.chunks_exact_mut(features).zip(&alone).enumerate()
                {
                    line[place % features] = alone - line.iter().sum::<f64>();
                }
            }
        })?;
    }
    Ok(Explanation { base, values: work.values, features: pairs })
}
