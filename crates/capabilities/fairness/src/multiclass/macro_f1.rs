//! The harmonic mean of precision and recall, every class counting the same.

use super::{
    Matrix, Metric,
    averages::{Average, Shares, of, plain_mean},
};
use crate::{
    analysis::Estimated,
    frame::About,
    metrics::{Better, UNIT},
};

pub(super) const METRIC: Metric = Metric {
    about: About {
        id: "macro_f1",
        title: "F1, mean over classes",
        formula: "mean over classes of 2 TP / (2 TP + FP + FN), the class against the rest",
        range: UNIT,
        better: Better::Higher,
        source: "scikit-learn f1_score(average=\"macro\")",
        edge_cases: "Classes that a group neither has nor is predicted are left out of its mean. The interval is of the delta method.",
        difference_threshold: None,
        ratio_threshold: None,
    },
    measure: macro_f1,
};

fn macro_f1(matrix: &Matrix) -> Estimated {
    of(matrix, average)
}

/// F1 of each class, and the share that it is of.
pub(super) fn all(shares: &Shares) -> (Vec<Option<f64>>, Vec<f64>) {
    let whole: Vec<f64> =
        shares.truth.iter().zip(&shares.predicted).map(|(truth, at)| truth + at).collect();
    let f1 = |at: usize| shares.right_of(at, &whole).map(|right| 2.0 * right);
    ((0..whole.len()).map(f1).collect(), whole)
}

fn average(shares: &Shares) -> Result<Average, &'static str> {
    let (scores, whole) = all(shares);
    let (value, count) = plain_mean(&scores, "the group has no class")?;
    let influence = move |truth: usize, predicted: usize| {
        let part = |class: usize, right: f64, times: f64| {
            scores[class].map_or(0.0, |score| (2.0 * right - times * score) / whole[class])
        };
        let sum = if truth == predicted {
            part(truth, 1.0, 2.0)
        } else {
            part(truth, 0.0, 1.0) + part(predicted, 0.0, 1.0)
        };
        sum / count
    };
    Ok(Average { value, influence: Box::new(influence) })
}
