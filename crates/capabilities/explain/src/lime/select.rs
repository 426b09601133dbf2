//! Which features a linear model has.

use tokio_util::sync::CancellationToken;

use super::fit::{Products, Sample};
use crate::ExplainError;

/// How features are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// One after the other where at most six are wanted, else by weight.
    Auto,
    /// One after the other: the one with which the linear model tells most.
    Forward,
    /// Those with the greatest coefficient x the row's value, when all are in it.
    HighestWeights,
    /// All of them.
    None,
}

/// As many are sought one after the other when nobody says how.
const FEW: usize = 6;
/// How strongly the model is held back by whose weights features are chosen.
const ALPHA: f64 = 0.01;

impl Selection {
    /// At most so many features.
    ///
    /// # Errors
    /// When it is cancelled.
    pub fn choose(
        self,
        sample: &Sample,
        most: usize,
        cancel: &CancellationToken,
    ) -> Result<Vec<usize>, ExplainError> {
        let all: Vec<usize> = (0..sample.rows.width()).collect();
        match self {
            Self::None => Ok(all),
            Self::Auto if most <= FEW => forward(sample, &all, most, cancel),
            Self::Forward => forward(sample, &all, most, cancel),
            Self::Auto | Self::HighestWeights => highest(sample, all, most, cancel),
        }
    }
}

fn forward(
    sample: &Sample,
    all: &[usize],
    most: usize,
    cancel: &CancellationToken,
) -> Result<Vec<usize>, ExplainError> {
    let products = Products::new(sample, cancel)?;
    let mut chosen: Vec<usize> = Vec::new();
    while chosen.len() < most.min(all.len()) {
        let mut best: Option<(f64, usize)> = None;
        for feature in all.iter().filter(|feature| !chosen.contains(feature)) {
            if cancel.is_cancelled() {
                return Err(ExplainError::Cancelled);
            }
            let with: Vec<usize> = chosen.iter().chain([feature]).copied().collect();
            let told = products.r2(&with, &products.solve(&with, 0.0)).unwrap_or(0.0);
            if best.is_none_or(|(most, _)| told > most) {
                best = Some((told, *feature));
            }
        }
        let Some((_, feature)) = best else { break };
        chosen.push(feature);
    }
    Ok(chosen)
}

fn highest(
    sample: &Sample,
    mut all: Vec<usize>,
    most: usize,
    cancel: &CancellationToken,
) -> Result<Vec<usize>, ExplainError> {
    if sample.rows.is_empty() {
        return Ok(Vec::new());
    }
    let solved = Products::new(sample, cancel)?.solve(&all, ALPHA);
    let row = sample.rows.row(0);
    let size = |feature: &usize| (solved[*feature] * row[*feature]).abs();
    all.sort_by(|a, b| size(b).total_cmp(&size(a)));
    all.truncate(most);
    Ok(all)
}
