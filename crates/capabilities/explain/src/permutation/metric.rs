//! How good predictions are.

use serde::{Deserialize, Serialize};

/// How good a model is. Of classes, the target is the class's number; of one output, that is the probability of class 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The share of rows whose most probable class is the target.
    Accuracy,
    /// The mean of `-ln` of the target's probability.
    LogLoss,
    /// The chance that a row of class 1 has a greater probability than one of class 0; of two classes.
    RocAuc,
    /// The share of the target's variance that is told.
    R2,
    /// The mean of the squared errors.
    MeanSquaredError,
    /// The mean of the errors' sizes.
    MeanAbsoluteError,
}

impl Metric {
    /// Is less better?
    pub fn is_loss(self) -> bool {
        matches!(self, Self::LogLoss | Self::MeanSquaredError | Self::MeanAbsoluteError)
    }

    fn of_classes(self) -> bool {
        matches!(self, Self::Accuracy | Self::LogLoss | Self::RocAuc)
    }

    /// Why it says nothing of these targets.
    pub(super) fn faults(self, targets: &[f64], rows: usize, outputs: usize) -> Vec<String> {
        let mut faults = Vec::new();
        if targets.len() != rows {
            faults.push(format!("there are {rows} rows, and {} targets", targets.len()));
        }
        if let Some(row) = targets.iter().position(|target| !target.is_finite()) {
            faults.push(format!("the target of row {row} is missing or infinite"));
            return faults;
        }
        if self.of_classes() {
            let classes = outputs.max(2);
            let is_class =
                |target: &f64| target.fract() == 0.0 && (0.0..classes as f64).contains(target);
            if let Some(row) = targets.iter().position(|target| !is_class(target)) {
                faults.push(format!(
                    "the target of row {row} is {}, and not a class between 0 and {}",
                    targets[row],
                    classes - 1
                ));
            }
        } else if outputs != 1 {
            faults.push(format!("the model has {outputs} outputs; the metric is of one"));
        }
        let varies = targets.iter().any(|target| target != &targets[0]);
        match self {
            Self::RocAuc if outputs > 2 => faults.push(format!(
                "the area under the curve is of two classes, and there are {outputs}"
            )),
            Self::RocAuc if !varies => {
                faults.push(
                    "the area under the curve is undefined: all targets are of one class"
                        .to_owned(),
                );
            }
            Self::R2 if !varies => {
                faults.push("R² is undefined: all targets are the same".to_owned());
            }
            _ => {}
        }
        faults
    }

    /// Of predictions, row by row, in a row output by output.
    pub(super) fn of(self, predictions: &[f64], targets: &[f64], outputs: usize) -> f64 {
        let rows = predictions.chunks_exact(outputs).zip(targets);
        let count = targets.len() as f64;
        match self {
            Self::Accuracy => {
                rows.filter(|(row, target)| class(row) as f64 == **target).count() as f64 / count
            }
            Self::LogLoss => {
                let loss: f64 = rows.map(|(row, target)| -probability(row, *target).ln()).sum();
                loss / count
            }
            Self::RocAuc => {
                let scores: Vec<(f64, bool)> =
                    rows.map(|(row, target)| (row[outputs - 1], *target == 1.0)).collect();
                area(scores)
            }
            Self::R2 => {
                let mean = targets.iter().sum::<f64>() / count;
                let all: f64 = targets.iter().map(|target| (target - mean).powi(2)).sum();
                1.0 - squares(predictions, targets) / all
            }
            Self::MeanSquaredError => squares(predictions, targets) / count,
            Self::MeanAbsoluteError => {
                let each = predictions.iter().zip(targets);
                each.map(|(found, target)| (found - target).abs()).sum::<f64>() / count
            }
        }
    }
}

fn squares(predictions: &[f64], targets: &[f64]) -> f64 {
    predictions.iter().zip(targets).map(|(found, target)| (found - target).powi(2)).sum()
}

/// The most probable class; of several the first.
fn class(row: &[f64]) -> usize {
    if let [one] = row {
        return usize::from(*one > 0.5);
    }
    let mut best = 0;
    for (class, probability) in row.iter().enumerate() {
        if *probability > row[best] {
            best = class;
        }
    }
    best
}

/// Of the target, never quite 0, as scikit-learn.
fn probability(row: &[f64], target: f64) -> f64 {
    let given = match row {
        [one] if target == 1.0 => *one,
        [one] => 1.0 - one,
        _ => row.get(target as usize).copied().unwrap_or(0.0),
    };
    given.clamp(f64::EPSILON, 1.0 - f64::EPSILON)
}

/// By ranks; equal scores count half.
fn area(mut scores: Vec<(f64, bool)>) -> f64 {
    scores.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut won, mut below, mut positive) = (0.0, 0.0, 0.0);
    for tied in scores.chunk_by(|a, b| a.0 == b.0) {
        let own = tied.iter().filter(|(_, is)| *is).count() as f64;
        let others = tied.len() as f64 - own;
        won += own * (below + others / 2.0);
        below += others;
        positive += own;
    }
    won / (positive * below)
}
