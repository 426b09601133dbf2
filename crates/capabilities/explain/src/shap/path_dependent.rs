//! SHAP values in which features that are not known follow the training rows' ways.

use tokio_util::sync::CancellationToken;

use super::{
    Explanation, Progress,
    limits::Limits,
    values::add,
    walk::{Batches, base},
    work::Work,
};
use crate::{ExplainError, Forest, Rows};

/// Exact path-dependent SHAP values of the margin: Lundberg et al., *From local explanations to global understanding with
/// explainable AI for trees* (2020), what `shap.TreeExplainer` gives without background data and XGBoost by `pred_contribs`.
///
/// They take time linear in rows and nodes; memory for the result, and for trees and tables within bounds: at most 256 MiB of trees are made
/// ready at a time, or one of up to 1 GiB. All processors work. For each row and output base + sum of the values = margin.
///
/// # Errors
/// When the rows do not have the model's features, when the model does not say how its training rows went, when a path tests more
/// than 256 features, when a tree is too large, and when it is cancelled.
pub fn path_dependent(
    forest: &Forest,
    rows: &Rows,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Explanation, ExplainError> {
    within(forest, rows, &Limits::USUAL, progress, cancel)
}

fn within(
    forest: &Forest,
    rows: &Rows,
    limits: &Limits,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Explanation, ExplainError> {
    let (features, outputs) = (forest.features.len(), forest.outputs());
    let rows = rows.of(features)?;
    let base = base(forest)?;
    let each = features * outputs;
    let mut work = Work::new(forest, rows, each, forest.trees.len(), progress, cancel);
    let mut batches = Batches::new(forest, limits, cancel)?;
    while let Some(trees) = batches.ready()? {
        add(&mut work, &trees, cancel)?;
    }
    Ok(Explanation { base, values: work.values, features })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shap::{background::tests::*, interactions};

    /// However few trees are made ready at a time, the values are the same.
    #[test]
    fn batches_give_what_all_at_once_gives() {
        let (forest, cancel) = (forest(7), CancellationToken::new());
        let rows = rows(70, 1);
        let all = path_dependent(&forest, &rows, &(), &cancel).unwrap();
        let limits = Limits { batch: 1, ..Limits::USUAL };
        let found = within(&forest, &rows, &limits, &(), &cancel).unwrap();
        assert_near(&found.values, &all.values, 1e-12);
        let all = interactions::interactions(&forest, &rows, &(), &cancel).unwrap();
        let found = interactions::within(&forest, &rows, &limits, &(), &cancel).unwrap();
        assert_near(&found.values, &all.values, 1e-12);
        let limits = Limits { tree: 1 << 10, ..Limits::USUAL };
        let refused = within(&forest, &rows, &limits, &(), &cancel);
        assert!(matches!(refused, Err(ExplainError::TooLarge { tree: 0, .. })));
        cancel.cancel();
        let stopped = within(&forest, &rows, &Limits::USUAL, &(), &cancel);
        assert!(matches!(stopped, Err(ExplainError::Cancelled)));
    }
}
