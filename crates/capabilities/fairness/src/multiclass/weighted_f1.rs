//! The harmonic mean of precision and recall, classes counting by how many rows have them.

use super::{
    Matrix, Metric,
    averages::{Average, Shares, of},
    macro_f1,
};
use crate::{
    analysis::Estimated,
    frame::About,
    metrics::{Better, UNIT},
};

pub(super) const METRIC: Metric = Metric {
    about: About {
        id: "weighted_f1",
        title: "F1, weighted mean over classes",
        formula: "sum over classes of (share of rows that have it) * F1, the class against the rest",
        range: UNIT,
        better: Better::Higher,
        source: "scikit-learn f1_score(average=\"weighted\")",
        edge_cases: "The interval is of the delta method.",
        difference_threshold: None,
        ratio_threshold: None,
    },
    measure: weighted_f1,
};

fn weighted_f1(matrix: &Matrix) -> Estimated {
    of(matrix, |shares| Ok(average(shares)))
}

fn average(shares: &Shares) -> Average {
    let (scores, whole) = macro_f1::all(shares);
    let scores: Vec<f64> = scores.into_iter().map(|score| score.unwrap_or(0.0)).collect();
    let value = scores.iter().zip(&shares.truth).map(|(one, share)| one * share).sum();
    let truths = shares.truth.clone();
    let influence = move |truth: usize, predicted: usize| {
        let part = |class: usize, right: f64, times: f64| {
            truths[class] * (2.0 * right - times * scores[class]) / whole[class]
        };
        let moved = if truth == predicted {
            part(truth, 1.0, 2.0)
        } else {
            part(truth, 0.0, 1.0) + part(predicted, 0.0, 1.0)
        };
        scores[truth] + moved - value
    };
    Average { value, influence: Box::new(influence) }
}
