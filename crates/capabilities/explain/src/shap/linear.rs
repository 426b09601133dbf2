//! SHAP values of linear models.

use tokio_util::sync::CancellationToken;

use super::{
    Explanation, Progress,
    probability::{factors, mean},
};
use crate::{ExplainError, Linear, Link, Rows};

/// Rows between two words of how far it is.
const BLOCK: usize = 128;

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
    let background = checked(model, rows, background)?;
    let mut means = vec![0.0; features];
    for row in background.iter() {
        for (mean, value) in means.iter_mut().zip(row) {
            *mean += value / background.len() as f64;
        }
    }
    let mut values = Vec::with_capacity(rows.len() * features * model.outputs());
    each(rows, progress, cancel, |row| {
        for output in 0..model.outputs() {
            let each = model.weights(output).iter().zip(row).zip(&means);
            values.extend(each.map(|((weight, value), mean)| weight * (value - mean)));
        }
    })?;
    Ok(Explanation { base: model.margin(&means), values, features })
}

/// The same in the unit of the probability that a logistic model predicts, as [`super::in_probability`] does it for trees.
///
/// # Errors
/// As [`linear`]; also when the model predicts no such probability.
pub fn linear_in_probability(
    model: &Linear,
    rows: &Rows,
    background: &Rows,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Explanation, ExplainError> {
    let (Link::Logistic { scale }, 1) = (model.link, model.outputs()) else {
        return Err(ExplainError::NoProbability);
    };
    let features = model.features.len();
    let background = checked(model, rows, background)?;
    let margins: Vec<f64> = background.iter().map(|row| model.margin(row)[0]).collect();
    let mut values = Vec::with_capacity(rows.len() * features);
    each(rows, progress, cancel, |row| {
        let start = values.len();
        values.resize(start + features, 0.0);
        let factors = factors(model.margin(row)[0], &margins, scale);
        for (other, factor) in background.iter().zip(factors) {
            let each = model.weights(0).iter().zip(row).zip(other);
            for (sum, ((weight, value), other)) in values[start..].iter_mut().zip(each) {
                *sum += factor * weight * (value - other);
            }
        }
    })?;
    Ok(Explanation { base: vec![mean(&margins, scale)], values, features })
}

/// Does the work for each row, unless it is cancelled.
fn each(
    rows: &Rows,
    progress: &dyn Progress,
    cancel: &CancellationToken,
    mut work: impl FnMut(&[f64]),
) -> Result<(), ExplainError> {
    for (index, row) in rows.iter().enumerate() {
        // One row alone is compared with a whole background.
        if cancel.is_cancelled() {
            return Err(ExplainError::Cancelled);
        }
        if index % BLOCK == 0 {
            progress.rows(index, rows.len());
        }
        work(row);
    }
    progress.rows(rows.len(), rows.len());
    Ok(())
}

/// The background, when it and the rows are as they must be.
fn checked<'a>(
    model: &Linear,
    rows: &Rows,
    background: &'a Rows,
) -> Result<&'a Rows, ExplainError> {
    let features = model.features.len();
    let (rows, background) = (rows.of(features)?, background.of(features)?);
    if background.is_empty() {
        return Err(ExplainError::NoBackground);
    }
    whole(model, rows, false)?;
    whole(model, background, true)?;
    Ok(background)
}

/// Has every row all of its values?
fn whole(model: &Linear, rows: &Rows, background: bool) -> Result<(), ExplainError> {
    for (index, row) in rows.iter().enumerate() {
        if let Some(at) = row.iter().position(|value| !value.is_finite()) {
            let feature = model.features[at].clone();
            return Err(ExplainError::NoValue { row: index, feature, background });
        }
    }
    Ok(())
}
