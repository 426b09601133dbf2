//! The harmonic mean of precision and recall.

use super::{Better, Metric, Needs, UNIT, Undefined, ratio};
use crate::tally::Matrix;

pub(super) const METRIC: Metric = Metric {
    id: "f1",
    aliases: &["f1_score"],
    title: "F1",
    formula: "2 TP / (2 TP + FP + FN)",
    range: UNIT,
    better: Better::Higher,
    needs: Needs::Decisions,
    source: "scikit-learn f1_score",
    edge_cases: "Undefined in a group with neither positive labels nor positive predictions; scikit-learn gives 0.0.",
    measure: smooth!(f1),
};

fn f1(matrix: &Matrix) -> Result<f64, Undefined> {
    let none = "the group has neither positive labels nor positive predictions";
    ratio(2.0 * matrix.tp, 2.0 * matrix.tp + matrix.fp + matrix.fn_, none)
}
