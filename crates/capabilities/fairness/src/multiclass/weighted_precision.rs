//! How often a predicted class is right, classes counting by how many rows have them.

use super::{
    Matrix, Metric,
    averages::{Average, Shares, of},
};
use crate::{
    analysis::Estimated,
    frame::About,
    metrics::{Better, UNIT},
};

pub(super) const METRIC: Metric = Metric {
    about: About {
        id: "weighted_precision",
        title: "Precision, weighted mean over classes",
        formula: "sum over classes of (share of rows that have it) * precision",
        range: UNIT,
        better: Better::Higher,
        source: "scikit-learn precision_score(average=\"weighted\")",
        edge_cases: "A class that is never predicted has precision 0, as in scikit-learn. The interval is of the delta method.",
        difference_threshold: None,
        ratio_threshold: None,
    },
    measure: weighted_precision,
};

fn weighted_precision(matrix: &Matrix) -> Estimated {
    of(matrix, |shares| Ok(average(shares)))
}

fn average(shares: &Shares) -> Average {
    let precisions: Vec<f64> = (0..shares.truth.len())
        .map(|at| shares.right_of(at, &shares.predicted).unwrap_or(0.0))
        .collect();
    let value = precisions.iter().zip(&shares.truth).map(|(one, share)| one * share).sum();
    let (truths, predictions) = (shares.truth.clone(), shares.predicted.clone());
    let influence = move |truth: usize, predicted: usize| {
        let right = f64::from(u8::from(truth == predicted));
        let moved = truths[predicted] / predictions[predicted] * (right - precisions[predicted]);
        precisions[truth] + moved - value
    };
    Average { value, influence: Box::new(influence) }
}
