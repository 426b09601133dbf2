//! SHAP values in which features that are not known follow the training rows' ways.

use tokio_util::sync::CancellationToken;

use super::{Explanation, Progress, values::values, walk::trees};
use crate::{ExplainError, Forest, Rows};

/// Exact path-dependent SHAP values of the margin: Lundberg et al., *From local explanations to global understanding with
/// explainable AI for trees* (2020), what `shap.TreeExplainer` gives without background data and XGBoost by `pred_contribs`.
///
/// They take time linear in rows and nodes; memory for the result, and for tables within bounds; all processors work. For each row and output
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
    let (base, trees) = trees(forest)?;
    let values = values(forest, &trees, rows, progress, cancel)?;
    Ok(Explanation { base, values, features: forest.features.len() })
}
