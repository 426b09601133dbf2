//! How strongly predictions and labels go together, whatever their shares.

use super::{Better, Metric, Needs, Undefined};
use crate::tally::Matrix;

pub(super) const METRIC: Metric = Metric {
    id: "mcc",
    aliases: &["matthews_corrcoef", "phi"],
    title: "Matthews correlation",
    formula: "(TP TN - FP FN) / sqrt((TP + FP)(TP + FN)(TN + FP)(TN + FN))",
    range: (-1.0, 1.0),
    better: Better::Higher,
    needs: Needs::Decisions,
    source: "Matthews 1975; scikit-learn matthews_corrcoef",
    edge_cases: "Undefined when all labels or all predictions of the group are the same; scikit-learn then gives 0.0. It may be negative, and then has no ratio.",
    measure: smooth!(matthews_correlation),
};

fn matthews_correlation(matrix: &Matrix) -> Result<f64, Undefined> {
    let Matrix { tp, fp, tn, fn_ } = *matrix;
    let margins = [tp + fp, tp + fn_, tn + fp, tn + fn_];
    if margins.iter().any(|margin| *margin <= 0.0) {
        return Err(Undefined("all labels or all predictions of the group are the same"));
    }
    // Two by two: the product of four large margins may be beyond all numbers.
    let scale = (margins[0] * margins[1]).sqrt() * (margins[2] * margins[3]).sqrt();
    Ok(((tp * tn - fp * fn_) / scale).clamp(-1.0, 1.0))
}
