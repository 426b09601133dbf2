//! Partial dependence and individual conditional expectation.

use tokio_util::sync::CancellationToken;

use super::Grid;
use crate::{ExplainError, Rows, Scorer, ask::Asked, shap::Progress};

/// What is predicted when all rows have the same value of a feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Partial {
    /// The values.
    pub grid: Vec<f64>,
    /// The mean prediction at each: partial dependence.
    pub average: Vec<f64>,
    /// Of the first rows, the prediction at each: individual conditional expectation.
    pub curves: Vec<Vec<f64>>,
}

impl Partial {
    /// The same with every curve as its difference from its first value, which shows what differs between rows.
    #[must_use]
    pub fn centred(&self) -> Self {
        let centre = |curve: &Vec<f64>| -> Vec<f64> {
            let first = curve.first().copied().unwrap_or_default();
            curve.iter().map(|value| value - first).collect()
        };
        Self {
            grid: self.grid.clone(),
            average: centre(&self.average),
            curves: self.curves.iter().map(centre).collect(),
        }
    }
}

/// What is predicted when all rows have the same values of two features.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The values of both.
    pub grids: [Vec<f64>; 2],
    /// The mean predictions: for each value of the first, of each value of the second.
    pub average: Vec<Vec<f64>>,
}

/// So many predictions of curves are kept.
const MOST_KEPT: usize = 1 << 26;

/// Partial dependence of an output on a feature, with the curves of the first `curves` rows.
///
/// # Errors
/// When the rows do not have the model's features or are none, when there is no such feature or output, when the model
/// cannot be asked or answers what is no number, and when it is cancelled.
#[allow(clippy::too_many_arguments, reason = "each is another thing, and none has a default")]
pub fn partial(
    scorer: &dyn Scorer,
    rows: &Rows,
    feature: usize,
    output: usize,
    grid: &Grid,
    curves: usize,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Partial, ExplainError> {
    let asked = Asked::new(scorer, cancel);
    let rows = checked(&asked, rows, &[feature], output)?;
    let grid = grid.of(rows, feature)?;
    let kept = curves.min(rows.len());
    if kept.saturating_mul(grid.len()) > MOST_KEPT {
        return Err(ExplainError::Asked(vec![format!(
            "curves of {kept} rows at {} values: at most {MOST_KEPT} predictions are kept",
            grid.len()
        )]));
    }
    let mut found =
        Partial { average: Vec::with_capacity(grid.len()), curves: vec![Vec::new(); kept], grid };
    for (place, value) in found.grid.iter().enumerate() {
        asked.told(progress, place, found.grid.len())?;
        let mut sum = 0.0;
        asked.each(with(rows, &[(feature, *value)]), |row, predicted| {
            sum += predicted[output];
            if let Some(curve) = found.curves.get_mut(row) {
                curve.push(predicted[output]);
            }
        })?;
        found.average.push(sum / rows.len() as f64);
    }
    asked.told(progress, found.grid.len(), found.grid.len())?;
    Ok(found)
}

/// Partial dependence of an output on two features.
///
/// # Errors
/// As [`partial`].
pub fn pair(
    scorer: &dyn Scorer,
    rows: &Rows,
    features: [usize; 2],
    output: usize,
    grid: &Grid,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Pair, ExplainError> {
    let asked = Asked::new(scorer, cancel);
    let rows = checked(&asked, rows, &features, output)?;
    let grids = [grid.of(rows, features[0])?, grid.of(rows, features[1])?];
    let mut average = Vec::with_capacity(grids[0].len());
    for (place, first) in grids[0].iter().enumerate() {
        let mut line = Vec::with_capacity(grids[1].len());
        for (next, second) in grids[1].iter().enumerate() {
            let done = place * grids[1].len() + next;
            asked.told(progress, done, grids[0].len() * grids[1].len())?;
            let mut sum = 0.0;
            let fixed = [(features[0], *first), (features[1], *second)];
            asked.each(with(rows, &fixed), |_, predicted| sum += predicted[output])?;
            line.push(sum / rows.len() as f64);
        }
        average.push(line);
    }
    let all = grids[0].len() * grids[1].len();
    asked.told(progress, all, all)?;
    Ok(Pair { grids, average })
}

/// The rows with these features' values for all.
fn with<'r>(rows: &'r Rows, fixed: &'r [(usize, f64)]) -> impl Iterator<Item = Vec<f64>> + use<'r> {
    rows.iter().map(move |row| {
        let mut row = row.to_vec();
        for (feature, value) in fixed {
            row[*feature] = *value;
        }
        row
    })
}

pub(super) fn checked<'r>(
    asked: &Asked<'_>,
    rows: &'r Rows,
    features: &[usize],
    output: usize,
) -> Result<&'r Rows, ExplainError> {
    if let Some(feature) = features.iter().find(|feature| **feature >= asked.features()) {
        let message = format!(
            "there is no feature {feature}: the model has {}, counted from 0",
            asked.features()
        );
        return Err(ExplainError::Asked(vec![message]));
    }
    asked.fits(rows, output)
}
