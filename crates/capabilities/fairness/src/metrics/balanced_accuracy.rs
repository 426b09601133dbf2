//! The mean of what is right among positives and among negatives.

use super::{Better, Metric, NO_NEGATIVES, NO_POSITIVES, Needs, UNIT, Undefined, ratio};
use crate::tally::Matrix;

pub(super) const METRIC: Metric = Metric {
    id: "balanced_accuracy",
    aliases: &[],
    title: "Balanced accuracy",
    formula: "(TPR + TNR) / 2",
    range: UNIT,
    better: Better::Higher,
    needs: Needs::Decisions,
    source: "scikit-learn balanced_accuracy_score",
    edge_cases: "Undefined in a group that lacks one of the labels; scikit-learn then gives the recall of the other.",
    measure: smooth!(balanced_accuracy),
};

fn balanced_accuracy(matrix: &Matrix) -> Result<f64, Undefined> {
    let tpr = ratio(matrix.tp, matrix.tp + matrix.fn_, NO_POSITIVES)?;
    let tnr = ratio(matrix.tn, matrix.tn + matrix.fp, NO_NEGATIVES)?;
    Ok(f64::midpoint(tpr, tnr))
}
