//! Permutation importance (Breiman 2001, as scikit-learn): how much worse a model is when a feature's values are shuffled.

mod metric;

pub use metric::Metric;
use rand::seq::SliceRandom;
use tokio_util::sync::CancellationToken;

use crate::{
    ExplainError, Rows, Scorer,
    ask::Asked,
    chance::chance,
    shap::Progress,
    statistics::{deviation, mean},
};

/// How often and by which measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// How good a model is.
    pub metric: Metric,
    /// How often each feature is shuffled.
    pub repeats: usize,
    /// The chance by which.
    pub seed: u64,
}

/// So many permutations of all rows fit into memory.
const MOST_VALUES: usize = 1 << 27;

/// How much the model loses without each feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Importances {
    /// The metric of the rows as they are.
    pub baseline: f64,
    /// By feature.
    pub features: Vec<Importance>,
}

/// How much the model loses without a feature: greater is more, whether the metric is a gain or a loss.
#[derive(Debug, Clone, PartialEq)]
pub struct Importance {
    /// Of all repeats.
    pub mean: f64,
    /// Their standard deviation, divided by their number as scikit-learn's; 0 of one.
    pub deviation: f64,
    /// Of each repeat.
    pub repeats: Vec<f64>,
}

/// Shuffles each feature, so that what it has to do with the target and with the other features is gone.
///
/// In a repeat all features are shuffled by the same permutation, which makes their importances comparable.
///
/// # Errors
/// When the rows do not have the model's features or not as many targets, when the metric says nothing of them, when the
/// model cannot be asked or answers what is no number, and when it is cancelled.
pub fn importance(
    scorer: &dyn Scorer,
    rows: &Rows,
    targets: &[f64],
    settings: &Settings,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Importances, ExplainError> {
    let most = MOST_VALUES / rows.len().max(1);
    if settings.repeats == 0 || settings.repeats > most {
        return Err(ExplainError::Asked(vec![format!(
            "repeats: between 1 and {most} of so many rows"
        )]));
    }
    let permutations: Vec<Vec<usize>> = (0..settings.repeats)
        .map(|repeat| {
            let mut order: Vec<usize> = (0..rows.len()).collect();
            order.shuffle(&mut chance(settings.seed, repeat as u64));
            order
        })
        .collect();
    by(scorer, rows, targets, settings.metric, &permutations, progress, cancel)
}

/// The same by given permutations, one for each repeat: row `i` takes a feature's value from row `permutation[i]`.
///
/// # Errors
/// As [`importance`]; and when a permutation names a row that is not there.
pub fn by(
    scorer: &dyn Scorer,
    rows: &Rows,
    targets: &[f64],
    metric: Metric,
    permutations: &[Vec<usize>],
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Importances, ExplainError> {
    let asked = Asked::new(scorer, cancel);
    let rows = asked.fits(rows, 0)?;
    let (features, outputs) = (asked.features(), asked.outputs());
    let mut faults = metric.faults(targets, rows.len(), outputs);
    let fits = |order: &Vec<usize>| {
        order.len() == rows.len() && order.iter().all(|place| *place < rows.len())
    };
    if !permutations.iter().all(fits) {
        faults.push("a permutation does not fit the rows".to_owned());
    }
    if !faults.is_empty() {
        return Err(ExplainError::Asked(faults));
    }
    let baseline = metric.of(&asked.score(rows)?, targets, outputs);
    let all = features * permutations.len();
    let mut found = Vec::with_capacity(features);
    for feature in 0..features {
        let first = rows.row(0)[feature];
        let constant = rows.iter().all(|row| row[feature].to_bits() == first.to_bits());
        let mut repeats = Vec::with_capacity(permutations.len());
        for (repeat, order) in permutations.iter().enumerate() {
            asked.told(progress, feature * permutations.len() + repeat, all)?;
            if constant {
                repeats.push(0.0);
                continue;
            }
            let shuffled = rows.iter().zip(order).map(|(row, from)| {
                let mut row = row.to_vec();
                row[feature] = rows.row(*from)[feature];
                row
            });
            let mut predictions = Vec::with_capacity(rows.len() * outputs);
            asked.each(shuffled, |_, predicted| predictions.extend_from_slice(predicted))?;
            let without = metric.of(&predictions, targets, outputs);
            repeats.push(if metric.is_loss() { without - baseline } else { baseline - without });
        }
        found.push(Importance { mean: mean(&repeats), deviation: deviation(&repeats, 0), repeats });
    }
    asked.told(progress, all, all)?;
    Ok(Importances { baseline, features: found })
}
