//! SHAP values of linear models.

use tokio_util::sync::CancellationToken;

use super::{Explanation, Progress};
use crate::{ExplainError, Linear, Rows};

/// Rows between two looks at whether it is cancelled.
const BLOCK: usize = 1024;

/// Exact interventional SHAP values of a linear model's margin: of each feature its weight times how far it is from the
/// background's mean (Lundberg and Lee 2017, corollary 1), what `shap.LinearExplainer(model, background)` gives.
///
/// For each row and output base + sum of the values = margin, and the base is the background's mean margin.
///
/// # Errors
/// When rows or background do not have the model's features, or not all of their values; when there is no background; when it
/// is cancelled.
pub fn linear(
    model: &Linear,
    rows: &Rows,
    background: &Rows,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Explanation, ExplainError> {
    let features = model.features.len();
    let (rows, background) = (rows.of(features)?, background.of(features)?);
    if background.is_empty() {
        return Err(ExplainError::NoBackground);
    }
    for rows in [rows, background] {
        whole(model, rows)?;
    }
    let mut means = vec![0.0; features];
    for row in background.iter() {
        for (mean, value) in means.iter_mut().zip(row) {
            *mean += value / background.len() as f64;
        }
    }
    let mut values = Vec::with_capacity(rows.len() * features * model.outputs());
    for (index, row) in rows.iter().enumerate() {
        if index % BLOCK == 0 {
            if cancel.is_cancelled() {
                return Err(ExplainError::Cancelled);
            }
            progress.rows(index, rows.len());
        }
        for output in 0..model.outputs() {
            let each = model.weights(output).iter().zip(row).zip(&means);
            values.extend(each.map(|((weight, value), mean)| weight * (value - mean)));
        }
    }
    progress.rows(rows.len(), rows.len());
    Ok(Explanation { base: model.margin(&means), values, features })
}

/// Has every row all of its values?
fn whole(model: &Linear, rows: &Rows) -> Result<(), ExplainError> {
    for (index, row) in rows.iter().enumerate() {
        if let Some(at) = row.iter().position(|value| !value.is_finite()) {
            let feature = model.features[at].clone();
            return Err(ExplainError::NoValue { row: index, feature });
        }
    }
    Ok(())
}
